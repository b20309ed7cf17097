"""Characters of pixel art, each seen from four sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ganzoo import DataSpec
from ganzoo.builtin.datasets.folder import ImageFolder, folder
from ganzoo.errors import DataNotFoundError

REPOSITORY = "https://github.com/AgaMiko/pixel_character_generator"
SIDES = {"0": "back", "1": "left", "2": "front", "3": "right"}


def tinyhero(root: Path | None, *, size: int = 32) -> tuple[ImageFolder, DataSpec]:
    """TinyHero: 912 characters of pixel art from four sides, 3,648 pictures of 64x64 in colour.

    By the authors of https://github.com/AgaMiko/pixel_character_generator, out of sprites of the
    Liberated Pixel Cup; GPL-3.0 or CC BY-SA 3.0. What is transparent is white.

    Args:
        root: folder that holds ``tinyhero``, which is the repository's ``data`` and has the folders
            ``0`` (seen from the back), ``1`` (left), ``2`` (front) and ``3`` (right). It is only
            read.
        size: side of the images in pixels.

    Raises:
        DataNotFoundError: no such folders, or others beside them.
        DataError: a size below 1; when an image is read that is corrupt, its name.
    """
    where = (root or Path()) / "tinyhero"
    if not where.is_dir():
        raise DataNotFoundError(f"no TinyHero at {where.resolve()}. {_fetch()}")
    pictures, spec = folder(where, size=size)
    if spec.labels != tuple(SIDES):
        raise DataNotFoundError(
            f"{where.resolve()} is not TinyHero, which is four folders of pictures, 0, 1, 2 and 3. "
            f"{_fetch()}"
        )
    return pictures, replace(
        spec,
        labels=tuple(SIDES.values()),
        license="cc-by-sa-3.0",
        origin="TinyHero (pixel_character_generator; sprites of the Liberated Pixel Cup)",
        extractor="pixels",
    )


def _fetch() -> str:
    name = REPOSITORY.rpartition("/")[2]
    return f"git clone --depth 1 {REPOSITORY} && cp -r {name}/data DIR/tinyhero, then --data DIR."
