"""Image files in tar shards, in WebDataset's layout."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import numpy as np
from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.image_files.items import ImageFiles
from ganzoo.builtin.image_files.ranges import is_url
from ganzoo.builtin.image_files.shards import index_shards, read_member
from ganzoo.errors import DataError, DataNotFoundError, quantity
from ganzoo.sampling.file_times import hash_times
from ganzoo.sampling.image_depth import check_value_range
from ganzoo.sampling.image_files import decode_image
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_folders import FileCounts, count_repeats, describe_empty, find_folder
from ganzoo.sampling.image_options import ImageOptions, with_image_options
from ganzoo.sampling.shards import INDEX, count_images
from ganzoo.spec.lfs import explain_pointer


class Shards(ImageFiles):
    """Image files that are members of tar shards, read in any order without unpacking.

    Args:
        places: paths and URLs of the shards.
        entries: position of each image file, as `index_shards` returns it.
        fitting: as for `ImageFiles`.
        channels: as for `ImageFiles`.
        options: as for `ImageFiles`.
    """

    def __init__(
        self,
        places: list[str],
        entries: np.ndarray,
        fitting: Fitting,
        channels: int,
        **options: Any,
    ) -> None:
        super().__init__(entries["label"], fitting, channels, **options)
        self.places = places
        self.entries = entries

    def read(self, index: int) -> Image.Image:
        """Return the image of a member, rotated upright and fitted to the size."""
        entry = self.entries[index]
        place, offset = self.places[entry["shard"]], int(entry["offset"])
        name, content = read_member(place, offset, int(entry["size"]))
        where = f"{name} of the shard {place}"
        background = self.fitting.background
        image = decode_image(
            io.BytesIO(content), self.mode, where, self.value_range, background=background
        )
        return self.fitting.apply(image, where, name)

    @property
    def timestamps(self) -> str:
        """The result of `hash_times` for all shards, which a cache of decoded images checks."""
        return hash_times(place for place in self.places if not is_url(place))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the shards' names and of the positions and labels of the image files."""
        names = "\0".join(Path(urlsplit(place).path).name for place in self.places)
        digest = hashlib.sha256(names.encode(errors="surrogateescape"))
        digest.update(self.entries.data)
        return digest.hexdigest()


@with_image_options(name="the member's name")
def webdataset(
    root: Path | None,
    options: ImageOptions,
    *,
    channels: Literal[1, 3] = 3,
    classes: int = 0,
    urls: tuple[str, ...] = (),
    skip_corrupt: bool = False,
    value_range: tuple[float, ...] = (),
) -> tuple[Shards, DataSpec]:
    """Image files in tar shards with WebDataset's layout, from a folder or from the web.

    An image file is a member ``KEY.jpg``, ``.jpeg``, ``.png`` or ``.webp``. Its class number is in
    the member ``KEY.cls``. The headers of all shards are read first. Images are then read in any
    order, so each epoch shuffles over all shards and a run can resume at any batch. A training
    warns of images that `fit` changes much, as for the dataset ``folder``.

    Args:
        root: folder of the shards, all its ``*.tar`` sorted by name, or one shard. Links to shards
            are followed, and those to another shard of the folder are counted. Nothing is written.
        channels: 3 for colour, 1 for grey.
        classes: number of classes; 0 reads no labels.
        urls: http or https URLs of shards, used instead of those in `root`, or text files with one
            such URL on each line. The server must support range requests, one for each image.
        skip_corrupt: replace an image that cannot be read by the next one that can, and skip the
            rest of a damaged shard, each with a warning; skip keys without one image file or label.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.

    Raises:
        DataNotFoundError: the folder or a URL does not exist, or there are no shards.
        DataError: an argument is not valid; a shard is not a complete tar or has another layout;
            the server does not respond or supports no range requests; or an image is corrupt.
    """
    fitting = options.fitting("webdataset")
    ends = check_value_range("webdataset", value_range)
    counts = FileCounts()
    places = _expand(urls) if urls else _find(root, counts)
    entries = index_shards(places, classes, counts.skipped, skip_corrupt=skip_corrupt)
    if len(entries) == 0:
        raise DataNotFoundError(
            f"no image files in {quantity(len(places), 'shard')}: {places[0]} has no member such "
            "as 000000.jpg. Pass the location of other shards with --data DIR."
        )
    if not urls:
        _warn_if_incomplete(Path(places[0]).parent, len(entries))
    host = urlsplit(places[0]).hostname if urls else f"the folder {Path(places[0]).parent.name!r}"
    spec = DataSpec(
        ImageSpec(fitting.height, fitting.width, channels),
        classes=classes,
        origin=(
            f"{quantity(len(entries), 'image file')} in {quantity(len(places), 'shard')} "
            f"of {host}{options.flipped}"
        ),
    )
    dataset = Shards(
        places,
        entries,
        fitting,
        channels,
        skip_corrupt=skip_corrupt,
        value_range=ends,
        flip=options.flip,
    )
    in_classes = f" and {quantity(classes, 'class')}" if classes else ""
    in_classes += describe_empty(classes, entries["label"])
    dataset.file_counts = counts.describe(
        f"{quantity(len(entries), 'image file')} in "
        f"{quantity(len(places), 'shard')}{in_classes}{options.flipped}"
    )
    return dataset, spec


def _find(root: Path | None, counts: FileCounts) -> list[str]:
    if root is not None and root.suffix == ".tar" and root.is_file():
        return [str(root)]
    folder = find_folder("webdataset", root)
    shards = []
    for path in folder.iterdir():
        if path.suffix == ".tar" and path.is_file() and not path.name.startswith("."):
            shards.append(str(path))
        else:
            counts.skipped["no shard"] += 1
    shards.sort()
    counts.repeats = count_repeats(shards, filter(os.path.islink, shards))
    if not shards:
        raise DataNotFoundError(
            f"{folder} contains no shards (.tar). Pass their location with --data DIR or "
            "--dataset.urls. For a folder of image files use --dataset folder."
        )
    return shards


def _warn_if_incomplete(folder: Path, images: int) -> None:
    """Warn if an interrupted `ganzoo sample --out` wrote fewer images than its index lists."""
    expected = count_images(folder)
    if expected is not None and images < expected:
        warnings.warn(
            f"{folder} is incomplete: its {INDEX} lists {quantity(expected, 'image')}, and its "
            f"shards have {images:,}. Repeat the `ganzoo sample` command that wrote it to add the "
            "others",
            stacklevel=3,
        )


def _expand(urls: tuple[str, ...]) -> list[str]:
    """Return all URLs, with text files replaced by the URLs that they list."""
    places = []
    for entry in urls:
        if is_url(entry):
            parts = _split(entry)
            if parts.query or parts.username or parts.password:
                raise DataError(
                    f"the URL of {parts.hostname} may contain a secret, which would be published "
                    "in the model's recipe. Write the URL to a text file: --dataset.urls FILE"
                )
            places.append(entry)
            continue
        try:
            lines = Path(entry).expanduser().read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            raise DataNotFoundError(
                f"{entry} is neither an http or https URL nor a text file of such URLs: {error}. "
                "Check --dataset.urls."
            ) from error
        if pointer := explain_pointer(Path(entry).expanduser()):
            raise DataError(pointer)
        entries = [line.strip() for line in lines if line.strip()]
        if wrong := [line for line in entries if not is_url(line)]:
            raise DataError(
                f"{entry} lists {wrong[0]!r}, which is not an http or https URL. Correct that line."
            )
        for line in entries:
            _split(line)
        places += entries
    if not places:
        raise DataNotFoundError(
            f"{', '.join(urls)} lists no URL. Write one http or https URL on each line."
        )
    return places


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise DataError(f"{url!r} is not a URL: {error}. Check --dataset.urls.") from error
