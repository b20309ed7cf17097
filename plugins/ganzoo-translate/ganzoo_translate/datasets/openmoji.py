"""OpenMoji's emoji and line drawings of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from ganzoo import DataSpec
from ganzoo.errors import DataNotFoundError
from ganzoo.sampling.corrupt_files import SkipCorrupt
from ganzoo.sampling.image_options import ImageOptions
from ganzoo_translate.datasets.checks import make_fitting
from ganzoo_translate.datasets.items import Translations
from ganzoo_translate.datasets.lineart import lineart


def openmoji(
    root: Path | None,
    *,
    split: Literal["train", "val"] = "train",
    size: int = 128,
    skip_corrupt: SkipCorrupt = False,
) -> tuple[Translations[Path], DataSpec]:
    """OpenMoji's colour emoji (CC BY-SA 4.0), each paired with a line drawing of itself.

    The project publishes no split, so you choose the files for ``val``. Metrics are comparable only
    for the same split.

    Args:
        root: folder that contains ``openmoji`` with the folders ``train`` and ``val``. Nothing is
            written to it.
        split: part of the dataset.
        size: height and width of the images in pixels, 8 to 1024.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning.

    Returns:
        Items as for `lineart`.

    Raises:
        DataNotFoundError: the folder does not exist or contains no image files.
        DataError: the size is out of range, or an image is corrupt.
    """
    make_fitting("openmoji", ImageOptions(size))  # names the dataset if the size is out of range
    folder = (root or Path()) / "openmoji" / split
    if not folder.is_dir():
        raise DataNotFoundError(
            f"OpenMoji not found: {folder.resolve()}. Download the colour emoji from "
            "https://openmoji.org, put those to train on into DIR/openmoji/train and the others "
            "into DIR/openmoji/val, and pass --data DIR."
        )
    dataset, spec = lineart(folder, size=size, skip_corrupt=skip_corrupt)
    origin = "OpenMoji's colour emoji and their line drawings"
    return dataset, replace(spec, license="cc-by-sa-4.0", origin=origin)
