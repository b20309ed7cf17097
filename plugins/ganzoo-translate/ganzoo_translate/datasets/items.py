"""The items that a translation learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor

T = TypeVar("T")


class Translations(Dataset[tuple[Tensor, Tensor, Tensor]], Generic[T]):
    """Images, a label that says nothing, and the images they are to be made from.

    Args:
        places: where each item lies.
        read: a place -> the image and what it is to be made from; no function inside a function,
            so that other processes can be handed it.
    """

    def __init__(
        self, places: Sequence[T], read: Callable[[T], tuple[Image.Image, Image.Image]]
    ) -> None:
        self.places = places
        self.read = read

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return uint8 (channels, size, size), 0, and uint8 (channels, size, size)."""
        image, condition = self.read(self.places[index])
        return pil_to_tensor(image), torch.tensor(0), pil_to_tensor(condition)
