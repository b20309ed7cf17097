"""A folder of image files."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.image_files.items import ImageFiles
from ganzoo.errors import quantity
from ganzoo.sampling.file_times import hash_sizes, hash_times
from ganzoo.sampling.image_depth import check_value_range
from ganzoo.sampling.image_files import read_image
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_folders import (
    Labels,
    advise_labels,
    describe_files,
    find_folder,
    first_folder,
    list_images,
    select_classes,
    warn_of_loose,
)
from ganzoo.sampling.image_options import ImageOptions, with_image_options


class ImageFolder(ImageFiles):
    """Image files in a folder.

    Args:
        folder: the folder.
        names: paths of the image files, relative to the folder.
        labels: as for `ImageFiles`.
        fitting: as for `ImageFiles`.
        channels: as for `ImageFiles`.
        options: as for `ImageFiles`.
    """

    def __init__(
        self,
        folder: Path,
        names: list[str],
        labels: np.ndarray,
        fitting: Fitting,
        channels: int,
        **options: Any,
    ) -> None:
        super().__init__(labels, fitting, channels, **options)
        self.folder = self.source = folder
        self.names = names

    def read(self, index: int) -> Image.Image:
        """Return the image of a file, rotated upright and fitted to the size."""
        name = self.names[index]
        file = self.folder / name
        background = self.fitting.background
        image = read_image(file, self.mode, self.value_range, background=background)
        return self.fitting.apply(image, file, Path(name).as_posix())

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
        return hash_sizes(self.folder, self.names)


@with_image_options()
def folder(
    root: Path | None,
    options: ImageOptions,
    *,
    channels: Literal[1, 3] = 3,
    labels: Labels = "auto",
    skip_corrupt: bool = False,
    value_range: tuple[float, ...] = (),
) -> tuple[ImageFolder, DataSpec]:
    """Any folder of image files, with its sub-folders.

    Links to files and folders are followed, except to a folder that contains the link. A file that
    links repeat is one image for each of its names; the line about the files counts such repeats.

    If most image files are in sub-folders, the sub-folders are the classes, as in torchvision's
    ImageFolder, and image files beside them are skipped. Hidden files are skipped. A training warns
    of the number of images that `fit` changes much: those that lose half of their pixels or more,
    become padding for half or more, or are stretched by a factor of 2 or more.

    Args:
        root: the folder. Nothing is written to it.
        channels: 3 for colour, 1 for grey.
        labels: ``folders`` for one class per sub-folder, ``none`` for no classes, or ``auto``.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.

    Raises:
        DataNotFoundError: the folder does not exist or contains no image files.
        DataError: an argument is not valid, or an image is corrupt.
    """
    fitting = options.fitting("folder")
    ends = check_value_range("folder", value_range)
    images = list_images(find_folder("folder", root))
    images, classes = select_classes(images, labels)
    numbers = {name: number for number, name in enumerate(classes)}
    indices = np.array([numbers.get(first_folder(name), 0) for name in images.names])
    spec = DataSpec(
        ImageSpec(fitting.height, fitting.width, channels),
        classes=len(classes),
        labels=tuple(classes),
        origin=f"{quantity(len(images.names), 'image file')} in the folder {images.folder.name!r}"
        f"{options.flipped}",
    )
    dataset = ImageFolder(
        images.folder,
        images.names,
        indices,
        fitting,
        channels,
        skip_corrupt=skip_corrupt,
        value_range=ends,
        flip=options.flip,
    )
    dataset.file_counts = describe_files(images, classes, options.flipped)
    dataset.advice = advise_labels(classes, labels)
    dataset.warning = warn_of_loose(images.counts.skipped, len(images.names), labels)
    return dataset, spec
