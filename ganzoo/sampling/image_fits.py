"""Fit image files of any shape to the one size of a dataset."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from PIL import Image, ImageOps

from ganzoo.errors import DataError
from ganzoo.registry.signatures import OMIT_DEFAULT
from ganzoo.sampling.image_files import describe_size, loses_half, warn_of_crop
from ganzoo.sampling.image_warnings import ImageFileWarning, count_image, warn_of_image

Size = int | str  # of a dataset's images: 64 for squares, or "HEIGHTxWIDTH"
Fit = Literal["crop", "random-crop", "pad", "stretch"]
Background = Literal["white", "black"]

# Arguments of datasets. Recipes and configs list them only where they differ from the default.
SizeOption = Annotated[Size, OMIT_DEFAULT]
ChannelsOption = Annotated[Literal[1, 3], OMIT_DEFAULT]

_SIZE = re.compile("([0-9]{1,9})(?:x([0-9]{1,9}))?")
_CENTRE = 0.5, 0.5


class PadWarning(ImageFileWarning):
    """An image of which half or more becomes padding."""

    count = "padded by half or more"


class StretchWarning(ImageFileWarning):
    """An image that a stretch distorts by a factor of 2 or more."""

    count = "stretched by a factor of 2 or more"


def parse_size(dataset: str, size: Size, smallest: int, largest: int) -> tuple[int, int]:
    """Return height and width of a dataset's images.

    Args:
        dataset: registered name of the dataset, for the error.
        size: one number for squares, or ``HEIGHTxWIDTH``.
        smallest: minimum of both sides in pixels.
        largest: maximum of both sides in pixels.

    Raises:
        DataError: the size has another form, or a side is out of range.

    >>> parse_size("folder", 64, 1, 4096), parse_size("folder", "48x64", 1, 4096)
    ((64, 64), (48, 64))
    """
    match = _SIZE.fullmatch(str(size))
    height, width = (int(side) for side in (match[1], match[2] or match[1])) if match else (0, 0)
    if not smallest <= min(height, width) <= max(height, width) <= largest:
        raise DataError(
            f"dataset {dataset!r} cannot resize images to {repr(size)[:40]} pixels. Sides are "
            f"{smallest} to {largest} pixels: use --dataset.size 64 for squares, or --dataset.size "
            "HEIGHTxWIDTH, such as 48x64."
        )
    return height, width


@dataclass(frozen=True)
class Fitting:
    """How the image files of a dataset become images of one size.

    Attributes:
        height, width: size of the images in pixels.
        fit: ``crop``: resize until the image covers the size, and crop the centre; ``random-crop``:
            crop at a position that the SHA-256 of the item's name determines; ``pad``: resize until
            the image is inside the size, and pad both ends alike; ``stretch``: resize each side.
        background: colour of padding and behind transparent pixels.
        option: the option that sets the fit, for warnings.
    """

    height: int
    width: int
    fit: Fit = "crop"
    background: Background = "white"
    option: str = "--dataset.fit"

    def apply(self, image: Image.Image, name: str | Path, key: str) -> Image.Image:
        """Return an image in the size.

        Args:
            image: the image.
            name: name of the image in warnings.
            key: name of the dataset's item, which determines the position of a random crop.

        Warns:
            CropWarning, PadWarning, StretchWarning: as for `warn`.
        """
        size = self.width, self.height
        self.warn(image.size, name)
        if self.fit in ("crop", "random-crop"):
            place = _CENTRE if self.fit == "crop" else _position(key)
            return ImageOps.fit(image, size, Image.Resampling.LANCZOS, centering=place)
        if self.fit == "pad":
            return ImageOps.pad(image, size, Image.Resampling.LANCZOS, color=self.background)
        return image.resize(size, Image.Resampling.LANCZOS)

    def __str__(self) -> str:
        colour = f" with {self.background}" if self.fit == "pad" else ""
        if not colour and self.background != "white":
            colour = f", transparent pixels {self.background}"
        return f"{self.fit} to {self.height}x{self.width} (height x width){colour}"

    def warn(self, size: tuple[int, int], name: str | Path) -> None:
        """Warn if an image and the size differ in shape by a factor of 2 or more; count crops.

        Args:
            size: width and height of the image.
            name: name of the image.

        Warns:
            CropWarning, PadWarning, StretchWarning: they do.
        """
        if self.fit in ("crop", "random-crop"):
            kind = "centre crop" if self.fit == "crop" else "random crop"
            advice = (
                f"Crop it yourself to choose the part, or use {self.option} pad to keep all of it"
            )
            warn_of_crop(size, self.width, self.height, name, kind, advice)
            across, down = size[0] * self.height, size[1] * self.width
            less, more = sorted((across, down))
            if more < 2 * less and 10 * less <= 9 * more:
                count_image("cropped by a tenth to half")
        elif loses_half(size, self.width, self.height):
            self._warn_of_change(size, name)

    def _warn_of_change(self, size: tuple[int, int], name: str | Path) -> None:
        kind, effect = (
            (PadWarning, f"at least half of its pixels become {self.background} padding")
            if self.fit == "pad"
            else (StretchWarning, "one side is stretched at least twice as much as the other")
        )
        warn_of_image(
            kind,
            f"the image {name} has {describe_size(size)} pixels (height x width), and {effect} at "
            f"{self.height}x{self.width}. Choose another {self.option}, or crop the image",
        )


def _position(key: str) -> tuple[float, float]:
    """Return a position from [0, 1) x [0, 1), uniform over keys."""
    digest = hashlib.sha256(key.encode(errors="surrogateescape")).digest()
    across, down = (int.from_bytes(digest[k : k + 4]) / 2**32 for k in (0, 4))
    return across, down
