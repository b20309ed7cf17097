"""A folder of image files."""

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
    """Image files in a folder.

    Args:
        folder: the folder.
        names: paths of the image files, relative to the folder.
        labels: as for `ImageFiles`.
        size: as for `ImageFiles`.
        channels: as for `ImageFiles`.
        skip_corrupt: as for `ImageFiles`.
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
        """Return an image, rotated upright."""
        return read_image(self.folder / self.names[index], self.mode)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the names and sizes of all files.

        Raises:
            DataError: a file no longer exists.
        """
        digest = hashlib.sha256()
        for name in self.names:
            try:
                length = (self.folder / name).stat().st_size
            except OSError as error:
                raise DataError(
                    f"cannot read {self.folder / name}: {error.strerror}. Restore the file."
                ) from error
            digest.update(f"{Path(name).as_posix()}\0{length}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()


def folder(
    root: Path | None,
    *,
    size: int = 64,
    channels: Literal[1, 3] = 3,
    skip_corrupt: bool = False,
) -> tuple[ImageFolder, DataSpec]:
    """Any folder of image files, with its sub-folders.

    If all image files are in sub-folders, the sub-folders are the classes, as in torchvision's
    ImageFolder. Hidden files are skipped. Images are resized on their short side and cropped to a
    centred square.

    Args:
        root: the folder. Nothing is written to it.
        size: height and width of the images in pixels.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning.

    Raises:
        DataNotFoundError: the folder does not exist or contains no image files.
        DataError: the size is not valid, or an image is corrupt.
    """
    check_size("folder", size)
    path = find_folder("folder", root)
    names = find_names(path)
    parents = [Path(name).parts[0] for name in names]
    in_classes = all(parent != name for parent, name in zip(parents, names, strict=True))
    classes = sorted(set(parents)) if in_classes else []
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers.get(parent, 0) for parent in parents])
    spec = DataSpec(
        ImageSpec(size, size, channels),
        classes=len(classes),
        labels=tuple(classes),
        origin=f"{len(names)} image files in the folder {path.name!r}",
    )
    return ImageFolder(path, names, labels, size, channels, skip_corrupt=skip_corrupt), spec
