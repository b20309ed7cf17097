"""A folder of pictures."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.image_files.items import ImageFiles, check_size
from ganzoo.errors import DataError
from ganzoo.sampling.image_files import find_folder, find_names, read_image


class ImageFolder(ImageFiles):
    """ImageFiles that are files.

    Args:
        folder: where they lie.
        names: their paths from there on.
        labels: classes' numbers, integers (n,).
        size: as for `ImageFiles`, and so the others.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: whether others stand in for those that cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        names: list[str],
        labels: np.ndarray,
        size: int,
        channels: int,
        *,
        skip_corrupt: bool = False,
    ) -> None:
        super().__init__(labels, size, channels, skip_corrupt=skip_corrupt)
        self.folder = folder
        self.names = names

    def read(self, index: int) -> Image.Image:
        """Return a picture upright."""
        return read_image(self.folder / self.names[index], self.mode)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all names and lengths of files.

        Raises:
            DataError: a file is gone.
        """
        digest = hashlib.sha256()
        for name in self.names:
            try:
                length = (self.folder / name).stat().st_size
            except OSError as error:
                raise DataError(f"cannot read {self.folder / name}: {error.strerror}.") from error
            digest.update(f"{Path(name).as_posix()}\0{length}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()


def folder(
    root: Path | None,
    *,
    size: int = 64,
    channels: Literal[1, 3] = 3,
    skip_corrupt: bool = False,
) -> tuple[ImageFolder, DataSpec]:
    """Any folder of pictures, with its sub-folders.

    Where all lie in sub-folders, these are the classes, as torchvision's ImageFolder has it. Hidden
    files are passed over. The short side is resized to `size`, the middle cut out.

    Args:
        root: the folder. It is only read.
        size: side of the images in pixels.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: whether the next picture that can be read stands in for one that cannot; a
            warning names it.

    Raises:
        DataNotFoundError: no such folder, or no picture in it.
        DataError: a size below 1; when an image is read that is corrupt, its name.
    """
    check_size("folder", size)
    where = find_folder("folder", root)
    names = find_names(where)
    parents = [Path(name).parts[0] for name in names]
    in_classes = all(parent != name for parent, name in zip(parents, names, strict=True))
    classes = sorted(set(parents)) if in_classes else []
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers.get(parent, 0) for parent in parents])
    spec = DataSpec(
        ImageSpec(size, size, channels),
        classes=len(classes),
        labels=tuple(classes),
        origin=f"{len(names)} pictures of the folder {where.name!r}",
    )
    return ImageFolder(where, names, labels, size, channels, skip_corrupt=skip_corrupt), spec
