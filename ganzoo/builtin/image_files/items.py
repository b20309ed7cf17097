"""Base class of datasets whose items are image files."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.nn import image_to_tensor
from ganzoo.sampling.corrupt_files import read_good
from ganzoo.sampling.image_depth import ValueRange
from ganzoo.sampling.image_fits import Fitting


class ImageFiles(Dataset[tuple[Tensor, Tensor]]):
    """A dataset of image files. Items are a uint8 image (channels, height, width) and a class.

    Files are decoded when an item is read.

    Args:
        labels: class numbers, integers (n,).
        fitting: size of the images, and how files of other shapes are fitted to it.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: replace an image that cannot be read by the next one that can, with the label
            of that one, and warn. After the last image comes the first.
        value_range: the values of black and white in grey files; None for those of the format.
        flip: whether the items of all files follow again, flipped left to right.

    Attributes:
        files: number of files.
        file_counts: one line about the files in use and those skipped.
        advice: a sentence about an option that changes the files in use.
        warning: a sentence about image files that are not used, which a training warns of.
        source: the folder or zip that ``ganzoo data`` describes; None for other files.
    """

    file_counts: str
    advice = ""
    warning = ""
    source: Path | None = None

    def __init__(
        self,
        labels: np.ndarray,
        fitting: Fitting,
        channels: int,
        *,
        skip_corrupt: bool = False,
        value_range: ValueRange | None = None,
        flip: bool = False,
    ) -> None:
        self.files = len(labels)
        self.labels = np.tile(labels, 2) if flip else labels
        self.fitting = fitting
        self.mode = "RGB" if channels == 3 else "L"
        self.skip_corrupt = skip_corrupt
        self.value_range = value_range

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        place, image = read_good(
            self._read, index, len(self), skip_corrupt=self.skip_corrupt, source=self.source
        )
        return image_to_tensor(image), torch.tensor(int(self.labels[place]), device="cpu")

    def _read(self, index: int) -> Image.Image:
        image = self.read(index % self.files)
        return image if index < self.files else ImageOps.mirror(image)

    @abstractmethod
    def read(self, index: int) -> Image.Image:
        """Return the image of a file in `self.mode`, fitted to the size.

        Raises:
            ImageFileError: the image file is corrupt or too small.
        """
