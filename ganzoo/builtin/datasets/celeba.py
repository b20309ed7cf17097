"""CelebA in torchvision's folder layout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.datasets.folder import ImageFolder
from ganzoo.errors import DataError, DataNotFoundError, quantity
from ganzoo.sampling.corrupt_files import SkipCorrupt
from ganzoo.sampling.image_options import ImageOptions, with_image_options
from ganzoo.spec.lfs import explain_pointer


@with_image_options(before="skip_corrupt", sides="; sides are 8 to 256")
def celeba(
    root: Path | None,
    options: ImageOptions,
    *,
    split: Literal["train", "valid", "test", "all"] = "train",
    skip_corrupt: SkipCorrupt = False,
) -> tuple[ImageFolder, DataSpec]:
    """CelebA: 202,599 aligned faces of celebrities, 178x218, for non-commercial research only.

    "Deep Learning Face Attributes in the Wild" (Liu et al., 2015),
    https://arxiv.org/abs/1411.7766.

    Args:
        root: folder that contains ``celeba``, with ``img_align_celeba`` and the lists in
            torchvision's layout. Nothing is written to it.
        split: part of the dataset.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning.

    Raises:
        DataNotFoundError: the folder or some of its files are missing.
        DataError: an argument is not valid, or an image is corrupt.
    """
    from torchvision.datasets import CelebA

    fitting = options.fitting("celeba", 8, 256)
    folder = root if root is not None else Path()
    try:
        files = CelebA(str(folder), split=split, download=False)
    except Exception as error:
        for file in (folder / "celeba").glob("*.txt"):
            if text := explain_pointer(file):
                raise DataError(text) from error
        raise DataNotFoundError(
            f"CelebA not found or not complete: {(folder / 'celeba').resolve()}. {error} Pass its "
            "location with --data DIR or GANZOO_DATA=DIR. For a plain folder of image files use "
            "--dataset folder."
        ) from error
    spec = DataSpec(
        ImageSpec(fitting.height, fitting.width, 3),
        license="other",
        origin="CelebA (Liu et al., 2015), aligned",
    )
    names = list(files.filename)
    faces = ImageFolder(
        folder / files.base_folder / "img_align_celeba",
        names,
        np.zeros(len(names), np.int64),
        fitting,
        3,
        skip_corrupt=skip_corrupt,
        flip=options.flip,
    )
    faces.file_counts = f"{quantity(len(names), 'image file')}{options.flipped}"
    return faces, spec
