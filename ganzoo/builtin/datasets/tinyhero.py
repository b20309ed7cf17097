"""TinyHero: characters of pixel art from four sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ganzoo import DataSpec
from ganzoo.builtin.datasets.folder import ImageFolder, folder
from ganzoo.errors import DataNotFoundError
from ganzoo.sampling.corrupt_files import SkipCorrupt

REPOSITORY = "https://github.com/AgaMiko/pixel_character_generator"
SIDES = {"0": "back", "1": "left", "2": "front", "3": "right"}


def tinyhero(
    root: Path | None, *, size: int = 32, skip_corrupt: SkipCorrupt = False
) -> tuple[ImageFolder, DataSpec]:
    """TinyHero: 912 characters of pixel art from four sides, 3,648 colour images of 64x64.

    From https://github.com/AgaMiko/pixel_character_generator, made of sprites of the Liberated
    Pixel Cup; GPL-3.0 or CC BY-SA 3.0. Transparent pixels become white.

    Args:
        root: folder that contains ``tinyhero``, a copy of the repository's folder ``data`` with the
            folders ``0`` (back), ``1`` (left), ``2`` (front) and ``3`` (right). Nothing is written
            to it.
        size: height and width of the images in pixels.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning.

    Raises:
        DataNotFoundError: the folder does not exist, or its sub-folders are not 0, 1, 2 and 3.
        DataError: the size is not valid, or an image is corrupt.
    """
    path = (root or Path()) / "tinyhero"
    if not path.is_dir():
        raise DataNotFoundError(f"TinyHero not found: {path.resolve()}. {_download_advice()}")
    files, spec = folder(path, size=size, skip_corrupt=skip_corrupt)
    if spec.labels != tuple(SIDES):
        raise DataNotFoundError(
            f"{path.resolve()} is not TinyHero, which has the four folders 0, 1, 2 and 3. "
            f"{_download_advice()}"
        )
    return files, replace(
        spec,
        labels=tuple(SIDES.values()),
        license="cc-by-sa-3.0",
        origin="TinyHero (pixel_character_generator; sprites of the Liberated Pixel Cup)",
        # The Fréchet distance of pixels needs more images than the 3,072 pixels of 32x32.
        extractor="pixels" if size <= 32 else "",
    )


def _download_advice() -> str:
    name = REPOSITORY.rpartition("/")[2]
    return (
        f"Type git clone --depth 1 {REPOSITORY} && cp -r {name}/data DIR/tinyhero and pass "
        "--data DIR."
    )
