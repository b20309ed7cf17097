"""Base class of the datasets for image-to-image translation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor

from ganzoo.sampling.corrupt_files import read_good

T = TypeVar("T")


class Translations(Dataset[tuple[Tensor, Tensor, Tensor]], Generic[T]):
    """A dataset whose items are an image, a label that is always 0, and a condition image.

    Args:
        places: the location of each item, such as a path.
        read: function from a location to the image and its condition image. It must be picklable,
            so that worker processes can use it.
        file_counts: one line about the files in use and those skipped.
        skip_corrupt: replace an item that cannot be read by the next one that can, and warn.
    """

    def __init__(
        self,
        places: Sequence[T],
        read: Callable[[T], tuple[Image.Image, Image.Image]],
        file_counts: str,
        *,
        skip_corrupt: bool,
    ) -> None:
        self.places = places
        self.read = read
        self.file_counts = file_counts
        self.skip_corrupt = skip_corrupt

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return uint8 (channels, size, size), 0, and uint8 (channels, size, size)."""
        _, (image, condition) = read_good(
            self._read, index, len(self), skip_corrupt=self.skip_corrupt
        )
        return pil_to_tensor(image), torch.tensor(0), pil_to_tensor(condition)

    def _read(self, index: int) -> tuple[Image.Image, Image.Image]:
        return self.read(self.places[index])
