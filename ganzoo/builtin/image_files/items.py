"""Base class of datasets whose items are image files."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor

from ganzoo.errors import DataError
from ganzoo.sampling.corrupt_files import read_good
from ganzoo.sampling.image_depth import ValueRange


class ImageFiles(Dataset[tuple[Tensor, Tensor]]):
    """A dataset of image files. Items are a uint8 image (channels, size, size) and a class number.

    Files are decoded when an item is read.

    Args:
        labels: class numbers, integers (n,).
        size: height and width of the images. Images are resized on their short side and cropped to
            a centred square.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: replace an image that cannot be read by the next one that can, with the label
            of that one, and warn. After the last image comes the first.
        value_range: the values of black and white in grey files; None for those of the format.

    Attributes:
        file_counts: one line about the files in use and those skipped.
    """

    file_counts: str

    def __init__(
        self,
        labels: np.ndarray,
        size: int,
        channels: int,
        *,
        skip_corrupt: bool = False,
        value_range: ValueRange | None = None,
    ) -> None:
        self.labels = labels
        self.size = size
        self.mode = "RGB" if channels == 3 else "L"
        self.skip_corrupt = skip_corrupt
        self.value_range = value_range

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        place, image = read_good(self.read, index, len(self), skip_corrupt=self.skip_corrupt)
        return pil_to_tensor(image), torch.tensor(int(self.labels[place]))

    @abstractmethod
    def read(self, index: int) -> Image.Image:
        """Return an image in `self.mode`, resized and cropped to the size.

        Raises:
            ImageFileError: the image file is corrupt or too small.
        """


def check_size(dataset: str, size: int) -> None:
    """Raise an error if a size is not valid.

    Raises:
        DataError: the size is not in 1 to 4096.
    """
    if not 1 <= size <= 4096:
        raise DataError(
            f"dataset {dataset!r} cannot resize images to {size} pixels. "
            "Use --dataset.size 1 to 4096."
        )
