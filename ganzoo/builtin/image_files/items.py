"""ImageFiles as the items of a dataset, wherever their bytes are."""

from __future__ import annotations

import itertools
import warnings
from abc import abstractmethod

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor

from ganzoo.errors import DataError, ImageFileError
from ganzoo.sampling.image_files import fit_image


class ImageFiles(Dataset[tuple[Tensor, Tensor]]):
    """ImageFiles, decoded when asked for: uint8 (channels, size, size), and the class's number.

    Args:
        labels: classes' numbers, integers (n,).
        size: side of the images; the short side is resized, the middle cut out.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: whether the next picture that can be read, the first after the last, stands
            in for one that cannot, with its own label. A warning names what is passed over.
    """

    def __init__(
        self, labels: np.ndarray, size: int, channels: int, *, skip_corrupt: bool = False
    ) -> None:
        self.labels = labels
        self.size = size
        self.mode = "RGB" if channels == 3 else "L"
        self.skip_corrupt = skip_corrupt

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if index >= len(self):
            raise IndexError(index)  # which ends a loop over the pictures
        for place in itertools.chain(range(index, len(self)), range(index)):
            try:
                picture = self.read(place)
            except ImageFileError as error:
                if not self.skip_corrupt:
                    raise ImageFileError(
                        f"{error} --dataset.skip-corrupt passes over such pictures."
                    ) from error
                warnings.warn(f"{error} Until then the next one stands in for it.", stacklevel=2)
            else:
                image = pil_to_tensor(fit_image(picture, self.size, self.size))
                return image, torch.tensor(int(self.labels[place]))
        raise DataError(f"none of the {len(self):,} pictures can be read.")

    @abstractmethod
    def read(self, index: int) -> Image.Image:
        """Return a picture in `self.mode`.

        Raises:
            ImageFileError: it is corrupt or too small.
        """


def check_size(dataset: str, size: int) -> None:
    """Refuse a size that no image can have.

    Raises:
        DataError: below 1 or above 4096.
    """
    if not 1 <= size <= 4096:
        raise DataError(f"dataset {dataset!r} cannot resize to {size}: size is 1 to 4096.")
