"""The result of a look at a folder of image files."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.data.survey.recipes import FolderRecipe
from ganzoo.data.survey.shapes import FitCost
from ganzoo.sampling.image_fits import Fit
from ganzoo.sampling.image_folders import Labels


@dataclass(frozen=True)
class Sizes:
    """The sizes of images in pixels, upright, as height x width.

    Attributes:
        smallest, largest: height and width of the images with fewest and most pixels.
        median_width, median_height: medians.
        shorter_sides: minimum, quartiles and maximum of the shorter sides.
        ratios: minimum, median and maximum of width / height.
        shapes: number of images by shape; square ones differ by at most 2 %.
        common: number of images of the most common sizes, such as ``480x640``.
        distinct: number of different sizes.
        doubled: number of images twice as wide as high, as pairs side by side are.
    """

    smallest: tuple[int, int]
    largest: tuple[int, int]
    median_width: float
    median_height: float
    shorter_sides: tuple[float, ...]
    ratios: tuple[float, ...]
    shapes: dict[str, int]
    common: dict[str, int]
    distinct: int
    doubled: int


@dataclass(frozen=True)
class Unreadable:
    """An image file that a training cannot read.

    Attributes:
        name: its path in the folder.
        reason: the error of a training.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class FileWarning:
    """A warning that a training shows.

    Attributes:
        images: number of images that it holds for.
        text: the warning about the first of them.
    """

    images: int
    text: str


@dataclass(frozen=True)
class DataSummary:
    """What a training reads from a folder of image files, and what it skips.

    Attributes:
        folder: the folder.
        files: the line that a training prints about the files.
        images: number of image files in use, including those that cannot be read.
        bytes: size of the readable files.
        formats, modes, bits: number of files by format, by PIL's mode, and by bits per channel.
        turned: number of files that the EXIF tag Orientation turns or mirrors.
        grey: number of images without colour.
        sizes: sizes and shapes of the images.
        skipped: number of other files by the reason for skipping them.
        repeats: number of files in use that are links to another one.
        empty_folders: sub-folders without image files; they are no classes.
        unreadable: files that cannot be read.
        classes: number of files of each class.
        labels: the labels that `describe` was called with.
        splits: number of files of each sub-folder that looks like a split, such as ``train``.
        identical: groups of files with the same content.
        near: groups of images that look alike and whose files differ. Each of two difference
            hashes of 64 bits differs in at most `distance` bits, and 9x9 grey levels, minus their
            means, differ by at most 3 of 255 on average.
        distance: the limit of near duplicates.
        across_splits: number of groups of either kind with files in several splits.
        warnings: warnings of a training about the files.
        size: height and width of the images, in pixels, that `warnings`, `enlarged`,
            `decoded_bytes` and `decode_seconds` assume: the stated size, or `suggested_rectangle`,
            or the square of `suggested_size`.
        fixed_size: whether this is the size that `describe` was called with.
        fit: the fit that `describe` was called with; empty for all fits, with the warnings of
            `crop`.
        gpu: whether there is a GPU to train on. Without one, the suggestions suit a CPU.
        suggested_size: the largest side of a recipe for squares that is not above the median of the
            shorter sides; without one, the largest such side of 8 to 1024 that is 4, 5, 6 or 7
            times a power of two. Without a GPU, it is 64 at most.
        suggested_rectangle: height and width that drop at least a tenth fewer of the pixels in a
            crop than this square; None if none does.
        fits: what each fit costs at the square of `suggested_size`, and at the other sizes.
        channels: 3, or 1 if no image has colours.
        enlarged: number of images that a fit to `size` enlarges.
        decoded_bytes: memory of all images, decoded.
        free_bytes: free main memory.
        streamed: whether a training on the CPU streams the images instead of keeping them.
        decode_seconds: processor time of decoding all images and fitting them to `size`.
        seconds: duration of this look.
        processes: number of processes that read.
        recipes: registered recipes of the dataset ``folder``; those that fit come first.
        value_range: values of black and white in grey files; empty for those of the formats.
        command: command of a training on the images, without the location of the data; empty if
            no installed recipe suits them.
        notes: what to know before a training, each in a sentence.
        names: paths of all image files in use, relative to the folder; not in the JSON.
        mean: the mean image, uint8 (64, 64, 3).
    """

    folder: str
    files: str
    images: int
    bytes: int
    formats: dict[str, int]
    modes: dict[str, int]
    bits: dict[int, int]
    turned: int
    grey: int
    sizes: Sizes
    skipped: dict[str, int]
    repeats: int
    empty_folders: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]
    classes: dict[str, int]
    labels: Labels
    splits: dict[str, int]
    identical: tuple[tuple[str, ...], ...]
    near: tuple[tuple[str, ...], ...]
    distance: int
    across_splits: int
    warnings: tuple[FileWarning, ...]
    size: tuple[int, int]
    fixed_size: bool
    fit: Fit | Literal[""]
    gpu: bool
    suggested_size: int
    suggested_rectangle: tuple[int, int] | None
    fits: tuple[FitCost, ...]
    channels: int
    enlarged: int
    decoded_bytes: int
    free_bytes: int
    streamed: bool
    decode_seconds: float
    seconds: float
    processes: int
    recipes: tuple[FolderRecipe, ...]
    value_range: tuple[float, ...] = ()
    command: str = ""
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = field(default=(), repr=False)
    mean: NDArray[np.uint8] = field(
        default_factory=lambda: np.zeros((64, 64, 3), np.uint8), repr=False, compare=False
    )

    @property
    def readable(self) -> int:
        """Number of image files that can be read."""
        return self.images - len(self.unreadable)

    @property
    def costs(self) -> tuple[FitCost, ...]:
        """Costs of the fits to the stated size, or else to all suggested sizes."""
        if not self.fixed_size:
            return self.fits
        return tuple(cost for cost in self.fits if (cost.height, cost.width) == self.size)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as JSON stores them; of the mean image, the mean of each channel."""
        fields = dataclasses.asdict(self) | {"readable": self.readable}
        mean = fields.pop("mean")
        del fields["names"]
        fields["mean_colour"] = [round(float(level), 1) for level in mean.mean(axis=(0, 1))]
        result: dict[str, Any] = json.loads(json.dumps(fields))
        return result

    def to_json(self) -> str:
        """Return the fields of `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2)
