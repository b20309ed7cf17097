"""Base class of the datasets for image-to-image translation."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.nn import image_to_tensor
from ganzoo.sampling.corrupt_files import read_good
from ganzoo.sampling.file_times import hash_sizes
from ganzoo.sampling.image_fits import Fitting

T = TypeVar("T")


def mode_of(channels: int) -> str:
    """Return PIL's mode of an image with 3 channels or 1."""
    return "L" if channels == 1 else "RGB"


class Translations(Dataset[tuple[Tensor, Tensor, Tensor]], Generic[T]):
    """A dataset whose items are an image, a label that is always 0, and a condition image.

    Args:
        places: the location of each item: its file, or a tuple of its files.
        read: function from a location to the image and its condition image. It must be picklable,
            so that worker processes can use it.
        file_counts: one line about the files in use and those skipped.
        fitting: size of the images, and how files of other shapes are fitted to it.
        flip: whether all items follow again, with both images flipped left to right.
        skip_corrupt: replace an item that cannot be read by the next one that can, and warn.
        source: the folder of the image files, which ``ganzoo data`` describes.

    Attributes:
        files: number of items without those that are flipped.
    """

    def __init__(
        self,
        places: Sequence[T],
        read: Callable[[T], tuple[Image.Image, Image.Image]],
        file_counts: str,
        fitting: Fitting,
        *,
        flip: bool = False,
        skip_corrupt: bool = False,
        source: Path | None = None,
    ) -> None:
        self.places = places
        self.files = len(places)
        self.read = read
        self.file_counts = file_counts
        self.fitting = fitting
        self.flip = flip
        self.skip_corrupt = skip_corrupt
        self.source = source

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the names and sizes of all files."""
        folder = self.source or Path()
        files: list[Any] = []
        for place in self.places:
            files += place if isinstance(place, tuple) else (place,)
        return hash_sizes(folder, (os.path.relpath(file, folder) for file in files))

    def __len__(self) -> int:
        return self.files * (2 if self.flip else 1)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return uint8 (channels, height, width), 0, and uint8 (channels, height, width)."""
        _, (image, condition) = read_good(
            self._read, index, len(self), skip_corrupt=self.skip_corrupt, source=self.source
        )
        label = torch.tensor(0, device="cpu")
        return image_to_tensor(image), label, image_to_tensor(condition)

    def _read(self, index: int) -> tuple[Image.Image, Image.Image]:
        image, condition = self.read(self.places[index % self.files])
        if index < self.files:
            return image, condition
        return ImageOps.mirror(image), ImageOps.mirror(condition)
