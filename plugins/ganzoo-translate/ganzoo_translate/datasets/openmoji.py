"""Emoji, and line drawings of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from ganzoo import DataSpec
from ganzoo.errors import DataNotFoundError
from ganzoo_translate.datasets.checks import check_size
from ganzoo_translate.datasets.items import Translations
from ganzoo_translate.datasets.lineart import lineart


def openmoji(
    root: Path | None, *, split: Literal["train", "val"] = "train", size: int = 128
) -> tuple[Translations[Path], DataSpec]:
    """OpenMoji's colour pictures (CC BY-SA 4.0), each to be made from a line drawing of itself.

    The project publishes pictures and no split: who unpacks them puts some aside in ``val``, and
    figures of two such splits do not compare.

    Args:
        root: folder that holds ``openmoji``, and that the folders ``train`` and ``val``. It is only
            read.
        split: which of them.
        size: side of the images in pixels.

    Returns:
        Items as `lineart` has them.

    Raises:
        DataNotFoundError: no such folders, or no picture in one.
        DataError: a size out of its range; when an image is read that is corrupt, its name.
    """
    check_size("openmoji", size)
    where = (root or Path()) / "openmoji" / split
    if not where.is_dir():
        raise DataNotFoundError(
            f"no pictures of OpenMoji at {where.resolve()}. Unpack the colour ones of "
            "https://openmoji.org into DIR/openmoji/train and some of them, which are not to be "
            "trained on, into DIR/openmoji/val, then --data DIR."
        )
    pictures, spec = lineart(where, size=size)
    origin = "OpenMoji's colour pictures and line drawings of them"
    return pictures, replace(spec, license="cc-by-sa-4.0", origin=origin)
