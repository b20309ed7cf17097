"""All images of a dataset, with their fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.cache_file import Checksums
from ganzoo.data.decoding import decode_timed, decoding_workers
from ganzoo.data.fingerprints import fingerprint_items
from ganzoo.data.reading import Items
from ganzoo.spec import DataSpec


class DecodedImages(NamedTuple):
    """All items of a dataset, in memory or mapped from a file.

    Attributes:
        items: the items.
        sha256: the result of `fingerprint_items`.
        fits: whether memory holds them.
        checksums: those of the images, if they are mapped from a file; None in memory.
        seconds: time that the decoding took.
        decoding: how fast they were decoded; empty if they were not.
        cache: which cache was read or written; empty for none.
        warnings: texts of the warnings about the images.
        counts: numbers of files by name, see `ReadWarnings`.
    """

    items: Items
    sha256: str
    fits: bool = True
    checksums: Checksums | None = None
    seconds: float = 0.0
    decoding: str = ""
    cache: str = ""
    warnings: tuple[str, ...] = ()
    counts: Mapping[str, int] = MappingProxyType({})


def decode_images(
    dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec, *, progress: bool = False, ranks: int = 1
) -> DecodedImages:
    """Decode all images of a dataset into memory.

    Args:
        dataset: as for `Batches`.
        spec: the dataset's spec.
        progress: show a progress bar on a terminal.
        ranks: number of processes on this machine that decode at the same time.

    Raises:
        DataError: the images do not match the spec, or an image is corrupt.
    """
    items, decoding = decode_timed(dataset, spec, progress, decoding_workers(ranks))
    sha256 = fingerprint_items(items)
    if decoding is None:
        return DecodedImages(items, sha256)
    return DecodedImages(
        items,
        sha256,
        seconds=decoding.seconds,
        decoding=str(decoding),
        warnings=tuple(decoding.warnings),
        counts=decoding.counts,
    )
