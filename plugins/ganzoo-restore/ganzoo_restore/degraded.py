"""The dataset ``degraded``: images, each with a smaller and worse copy of itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError, ImageFileError, quantity
from ganzoo.nn import image_to_tensor
from ganzoo.sampling.corrupt_files import SkipCorrupt, read_good
from ganzoo.sampling.file_times import hash_sizes
from ganzoo.sampling.image_depth import ValueRange, check_value_range
from ganzoo.sampling.image_files import read_image
from ganzoo.sampling.image_fits import ChannelsOption, Fitting
from ganzoo.sampling.image_folders import ImageList, find_folder, list_images
from ganzoo.sampling.image_options import ImageOptions, with_image_options
from ganzoo_restore.degradations import bicubic, second_order

Degradation = Literal["bicubic", "second-order"]
MAX_SCALE = 16


class Degraded(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """A dataset whose items are an image, a label that is always 0, and its degraded copy.

    Item k is item ``k // files`` of file ``k % files``. Its random numbers follow from the seed,
    the name of the file and that number alone.

    Args:
        images: the image files.
        fitting: size of the images.
        scale: the sides of images are those of their copies times this number.
        degradation: how copies become worse.
        items_per_file: number of items of each file.
        whole: fit whole images to the size; otherwise images are crops of it.
        seed: seed of crops and degradations.
        channels: 3 for colour, 1 for grey.
        value_range: the values of black and white in grey files; None for those of the format.
        flip: whether all items follow again, with both images flipped left to right.
        skip_corrupt: replace an item that cannot be read by the next one that can, and warn.

    Attributes:
        files: number of files.
        file_counts: one line about the files in use and those skipped.
        fitting: how images get the size.
    """

    file_counts: str

    def __init__(
        self,
        images: ImageList,
        fitting: Fitting,
        *,
        scale: int,
        degradation: Degradation,
        items_per_file: int,
        whole: bool,
        seed: int,
        channels: int,
        value_range: ValueRange | None,
        flip: bool,
        skip_corrupt: bool,
    ) -> None:
        self.images = images
        self.files = len(images.names)
        self.scale = scale
        self.degradation = degradation
        self.items_per_file = items_per_file
        self.seed = seed
        self.mode = "RGB" if channels == 3 else "L"
        self.value_range = value_range
        self.flip = flip
        self.skip_corrupt = skip_corrupt
        self._fitting = fitting
        self._whole = whole

    @property
    def fitting(self) -> str:
        """How images get the size, in a few words."""
        size = f"{self._fitting.height}x{self._fitting.width} (height x width)"
        crops = f"random crops of {size} in the resolution of the files"
        return str(self._fitting) if self._whole else crops

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the names and sizes of all files."""
        return hash_sizes(self.images.folder, self.images.names)

    def __len__(self) -> int:
        return self.files * self.items_per_file * (2 if self.flip else 1)

    def whole_pairs(self, scale: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Yield a degraded copy and the whole image of each file, cropped to multiples of a scale.

        Args:
            scale: the sides of images are those of their copies times this number.

        Yields:
            The copy and the image, uint8 (height, width, channels).
        """
        for index in range(self.files):
            image, draw, file = self._open(index)
            width, height = (side // scale * scale for side in image.size)
            if not width * height:
                raise ImageFileError(
                    f"the image {file} has {image.height}x{image.width} pixels (height x width), "
                    f"fewer than the scale {scale}. Remove it."
                )
            image = image.crop((0, 0, width, height))
            pixels = (np.asarray(each) for each in (self._degrade(image, draw, scale), image))
            copy, original = (x.reshape(*x.shape[:2], -1) for x in pixels)
            yield copy, original

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return uint8 (channels, height, width), 0, and uint8 of the sides over the scale."""
        _, (image, condition) = read_good(
            self._read,
            index,
            len(self),
            skip_corrupt=self.skip_corrupt,
            source=self.images.folder,
        )
        label = torch.tensor(0, device="cpu")
        return image_to_tensor(image), label, image_to_tensor(condition)

    def _read(self, index: int) -> tuple[Image.Image, Image.Image]:
        flipped, number = divmod(index, self.files * self.items_per_file)
        image, draw, file = self._open(number)
        if self._whole:
            image = self._fitting.apply(
                image, file, file.relative_to(self.images.folder).as_posix()
            )
        else:
            image = self._crop(image, file, draw)
        condition = self._degrade(image, draw, self.scale)
        if flipped:
            return ImageOps.mirror(image), ImageOps.mirror(condition)
        return image, condition

    def _open(self, index: int) -> tuple[Image.Image, Generator, Path]:
        """Return the whole image of an item, its random numbers, and its file."""
        number, place = divmod(index, self.files)
        name = Path(self.images.names[place])
        file = self.images.folder / name
        key = f"{self.seed}\0{number}\0{name.as_posix()}".encode(errors="surrogateescape")
        draw = np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()))
        background = self._fitting.background
        return read_image(file, self.mode, self.value_range, background=background), draw, file

    def _degrade(self, image: Image.Image, draw: Generator, scale: int) -> Image.Image:
        if self.degradation == "bicubic":
            return bicubic(image, scale)
        return second_order(image, scale, draw)

    def _crop(self, image: Image.Image, file: Path, draw: Generator) -> Image.Image:
        """Return a random crop of an image.

        Raises:
            ImageFileError: the image is smaller than the size.
        """
        height, width = self._fitting.height, self._fitting.width
        if image.height < height or image.width < width:
            raise ImageFileError(
                f"the image {file} has {image.height}x{image.width} pixels (height x width), and "
                f"crops have {height}x{width}. Use a smaller --dataset.size, or --dataset.whole."
            )
        top = int(draw.integers(image.height - height + 1))
        left = int(draw.integers(image.width - width + 1))
        return image.crop((left, top, left + width, top + height))


@with_image_options(size=128, sides=" that the scale divides")
def degraded(
    root: Path | None,
    options: ImageOptions,
    *,
    split: str = "",
    scale: int = 4,
    degradation: Degradation = "bicubic",
    items_per_file: int = 16,
    whole: bool = False,
    seed: int = 0,
    value_range: tuple[float, ...] = (),
    skip_corrupt: SkipCorrupt = False,
    channels: ChannelsOption = 3,
) -> tuple[Degraded, DataSpec]:
    """Any folder of image files, with its sub-folders, each image with a smaller copy of itself.

    Images are random crops of the files. Item k of a file is the same in every epoch: for more
    crops, raise `items_per_file`. Links are followed as in the dataset ``folder``.

    Args:
        root: the folder. Nothing is written to it.
        split: the folder inside `root` to read, such as ``val``; by default all of `root`.
        scale: the sides of images are those of their copies times this number, 1 to 16.
        degradation: ``bicubic``, by Pillow's antialiased filter, or ``second-order``, the blur,
            resizing, noise and JPEG of Real-ESRGAN (https://arxiv.org/abs/2107.10833).
        items_per_file: number of items of each file, each with a crop and a degradation of its own.
        whole: fit whole images to the size by `fit`, instead of crops in the resolution of the
            files.
        seed: seed of crops and degradations.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; empty for
            the full range of 8 or 16 bits.
        skip_corrupt: replace an image that cannot be read, or is smaller than the crops, by the
            next one that can, with a warning.
        channels: 3 for colour, 1 for grey.

    Returns:
        Items of a uint8 image (channels, height, width), the label 0, and the uint8 copy, with the
        sides divided by the scale.

    Raises:
        DataNotFoundError: the folder does not exist or contains no image files.
        DataError: an argument is out of range, or an image is corrupt or smaller than the crops.
    """
    fitting = options.fitting("degraded")
    sides = fitting.height, fitting.width
    if not 1 <= scale <= MAX_SCALE or any(side % scale for side in sides):
        raise DataError(
            f"dataset 'degraded' cannot divide images of {sides[0]}x{sides[1]} by the scale "
            f"{scale}. Use --dataset.scale 1 to {MAX_SCALE}, and a --dataset.size that is a "
            "multiple of it."
        )
    if items_per_file < 1:
        raise DataError(
            f"dataset 'degraded' cannot use items_per_file={items_per_file}. Use "
            "--dataset.items-per-file 1 or more."
        )
    ends = check_value_range("degraded", value_range)
    images = list_images(find_folder("degraded", root and root / split))
    dataset = Degraded(
        images,
        fitting,
        scale=scale,
        degradation=degradation,
        items_per_file=items_per_file,
        whole=whole,
        seed=seed,
        channels=channels,
        value_range=ends,
        flip=options.flip,
        skip_corrupt=skip_corrupt,
    )
    files = f"{quantity(dataset.files, 'image file')}{options.flipped}"
    dataset.file_counts = images.counts.describe(files)
    spec = DataSpec(
        ImageSpec(*sides, channels),
        origin=(
            f"{quantity(dataset.files, 'image file')} in the folder {images.folder.name!r}, made "
            f"smaller by {degradation} degradation{options.flipped}"
        ),
        condition=ImageSpec(sides[0] // scale, sides[1] // scale, channels),
    )
    return dataset, spec
