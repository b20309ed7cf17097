"""Base class of datasets whose images are in an array."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo.builtin.image_files.items import ImageFiles
from ganzoo.errors import DataError, ImageFileError
from ganzoo.sampling.image_depth import ValueRange, warn_if_clipped, warn_if_narrow
from ganzoo.sampling.image_files import SMALLEST
from ganzoo.sampling.image_fits import Fitting

# The order of height, width and channels in one image of a layout.
AXES = {"nhw": (0, 1), "nhwc": (0, 1, 2), "nchw": (1, 2, 0), "ncwh": (2, 1, 0)}


class Values(Protocol):
    """An array of images that can be pickled for worker processes."""

    def __getitem__(self, index: int, /) -> NDArray[Any]:
        """Return the values of one image."""

    @property
    def timestamps(self) -> str:
        """The result of `hash_times` for the file of the array."""


class MemoryArray:
    """An array of images in memory.

    Args:
        values: the images, (n, ...).
    """

    timestamps = ""  # there is no file

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values

    def __getitem__(self, index: int) -> NDArray[Any]:
        return self.values[index]  # type: ignore[no-any-return]

    @property
    def sha256(self) -> str:
        """SHA-256 of all values."""
        return hashlib.sha256(np.ascontiguousarray(self.values).data).hexdigest()


class ArrayImages(ImageFiles):
    """Images in an array.

    Args:
        values: the images.
        layout: the order of the dimensions, a key of `AXES`.
        stored: height and width of the images in the array.
        labels: as for `ImageFiles`.
        fitting: as for `ImageFiles`; None keeps the size in the array.
        channels: number of channels in the array, 1 or 3.
        name: name of the array in error messages.
        facts: what else identifies the array, for the fingerprint.
        remedy: end of a warning about the range of values.
        options: as for `ImageFiles`.
    """

    def __init__(
        self,
        values: Values,
        layout: str,
        stored: tuple[int, int],
        labels: NDArray[np.int64],
        fitting: Fitting | None,
        channels: int,
        *,
        name: str,
        facts: Sequence[object] = (),
        remedy: str = "",
        **options: Any,
    ) -> None:
        super().__init__(labels, fitting or Fitting(*stored), channels, **options)
        self.values, self.layout, self.name, self.facts = values, layout, name, facts
        self.is_resized = fitting is not None
        self.remedy = remedy

    def read(self, index: int) -> Image.Image:
        """Return an image, fitted to the size if one is set."""
        name = f"number {index:,} of {self.name}"
        values = self.values[index].transpose(AXES[self.layout])
        if values.ndim == 3 and values.shape[2] == 1:
            values = values[:, :, 0]
        image = Image.fromarray(to_levels(values, self.value_range, name, self.remedy))
        return self.fitting.apply(image, name, str(index)) if self.is_resized else image

    @property
    def timestamps(self) -> str:
        """The modification time of the array's file, which a cache of decoded images checks."""
        return self.values.timestamps

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the array's name, facts and layout, and of all labels."""
        facts = "\0".join(map(str, (*self.facts, self.layout, self.value_range)))
        digest = hashlib.sha256(facts.encode(errors="surrogateescape"))
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


def to_levels(
    values: NDArray[Any], value_range: ValueRange | None, name: str, remedy: str = ""
) -> NDArray[np.uint8]:
    """Return values as levels from 0 to 255.

    Args:
        values: uint8, or any real numbers with a range.
        value_range: the values of black and white; others become black or white.
        name: name of the image in error messages.
        remedy: end of a warning about the range.

    Warns:
        NarrowRangeWarning: all values are below a sixteenth of the range.
        ClippedRangeWarning: more than a quarter of the values are beyond the range.

    Raises:
        ImageFileError: a value is NaN or infinite.
    """
    extremes = float(values.min()), float(values.max())
    if not np.isfinite(extremes).all():
        raise ImageFileError(f"the image {name} has values that are NaN or infinite. Remove it.")
    if not (value_range and warn_if_clipped(values, value_range, name)):
        warn_if_narrow(extremes, value_range or (0, 255), name, deep=False, remedy=remedy)
    if value_range is None:
        return np.ascontiguousarray(values.astype(np.uint8, copy=False))
    black, white = value_range
    shares = (values.astype(np.float64) - black) / (white - black)
    levels: NDArray[np.uint8] = np.rint(shares.clip(0, 1) * 255).astype(np.uint8)
    return levels


def check_sides(height: int, width: int, where: str) -> None:
    """Check the size of the images of an array.

    Raises:
        DataError: a side is below 8 or above 4096 pixels.
    """
    if min(height, width) < SMALLEST or max(height, width) > 4096:
        raise DataError(
            f"{where} has images of {height}x{width} pixels, but sides must be {SMALLEST} to 4096 "
            "pixels. If its dimensions have another order, name it with --dataset.layout."
        )
