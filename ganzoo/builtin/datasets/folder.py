"""A folder of image files."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.image_files.items import ImageFiles, check_size
from ganzoo.errors import DataError
from ganzoo.sampling.file_times import hash_times
from ganzoo.sampling.image_depth import ValueRange, check_value_range
from ganzoo.sampling.image_files import fit_image, read_image
from ganzoo.sampling.image_folders import (
    Labels,
    describe_files,
    find_folder,
    first_folder,
    list_images,
    select_classes,
)


class ImageFolder(ImageFiles):
    """Image files in a folder.

    Args:
        folder: the folder.
        names: paths of the image files, relative to the folder.
        labels: as for `ImageFiles`.
        size: as for `ImageFiles`.
        channels: as for `ImageFiles`.
        skip_corrupt: as for `ImageFiles`.
        value_range: as for `ImageFiles`.
        mirror: whether the mirror images of all files follow after them.
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
        value_range: ValueRange | None = None,
        mirror: bool = False,
    ) -> None:
        times = 2 if mirror else 1
        super().__init__(
            np.tile(labels, times),
            size,
            channels,
            skip_corrupt=skip_corrupt,
            value_range=value_range,
        )
        self.folder = folder
        self.names = names * times
        self.files = len(names)

    def read(self, index: int) -> Image.Image:
        """Return an image, rotated upright, resized and cropped, or its mirror image."""
        file = self.folder / self.names[index]
        image = read_image(file, self.mode, self.value_range)
        image = fit_image(image, self.size, self.size, file)
        return image if index < self.files else ImageOps.mirror(image)

    @property
    def timestamps(self) -> str:
        """The result of `hash_times` for all files, which a cache of decoded images checks."""
        return hash_times(os.path.join(self.folder, name) for name in self.names[: self.files])

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
    labels: Labels = "auto",
    skip_corrupt: bool = False,
    value_range: tuple[float, ...] = (),
    mirror: bool = False,
) -> tuple[ImageFolder, DataSpec]:
    """Any folder of image files, with its sub-folders.

    Links to files and folders are followed, except to a folder that contains the link. A file that
    links repeat is one image for each of its names; the line about the files counts such repeats.

    If most image files are in sub-folders, the sub-folders are the classes, as in torchvision's
    ImageFolder, and image files beside them are skipped. Hidden files are skipped. Images
    are resized on their short side and cropped to a centred square; a training warns of the number
    of images that lose half of their pixels or more.

    Args:
        root: the folder. Nothing is written to it.
        size: height and width of the images in pixels.
        channels: 3 for colour, 1 for grey.
        labels: ``folders`` for one class per sub-folder, ``none`` for no classes, or ``auto``.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.
        mirror: add the mirror image of each image, left to right, which doubles the dataset.

    Raises:
        DataNotFoundError: the folder does not exist or contains no image files.
        DataError: an argument is not valid, or an image is corrupt.
    """
    check_size("folder", size)
    ends = check_value_range("folder", value_range)
    images = list_images(find_folder("folder", root))
    images, classes = select_classes(images, labels)
    numbers = {name: number for number, name in enumerate(classes)}
    indices = np.array([numbers.get(first_folder(name), 0) for name in images.names])
    mirrored = ", each also mirrored" if mirror else ""
    spec = DataSpec(
        ImageSpec(size, size, channels),
        classes=len(classes),
        labels=tuple(classes),
        origin=f"{len(images.names)} image files in the folder {images.folder.name!r}{mirrored}",
    )
    dataset = ImageFolder(
        images.folder,
        images.names,
        indices,
        size,
        channels,
        skip_corrupt=skip_corrupt,
        value_range=ends,
        mirror=mirror,
    )
    dataset.file_counts = describe_files(images, classes, mirrored)
    return dataset, spec
