"""A batch of images: as an array, PIL images, a grid, a file, or in a notebook."""

from __future__ import annotations

import io
import operator
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle.files import write_file
from ganzoo.errors import DataError, OutputError, SampleError
from ganzoo.sampling.sizes import (
    PADDING,
    WEBP_SIDE,
    animation_scale,
    arrange,
    check_size,
    legible_scale,
)
from ganzoo.spec import ImageSpec, as_integer
from ganzoo.spec.parsing import UNBOUNDED, check_integer

if TYPE_CHECKING:  # programs that use arrays only, such as servers, start without Pillow
    from PIL import Image

    from ganzoo.sampling.image_fits import Fitting

MAX_SCALE = 64
ANIMATION_FPS = 12.5
NOTEBOOK = 640  # pixels: a notebook shows a grid enlarged until a side is nearly as long
MAX_SIDES = {"WEBP": WEBP_SIDE, "JPEG": 65_500, "GIF": 65_535}  # pixels, by PIL's name


class ImageBatch:
    """Images of one size, uint8, shape (n, height, width, channels).

    Images of three channels are shown in colour. Of other images, the first channel is shown in
    grey.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        columns: int | None = None,
        labels: NDArray[np.int64] | None = None,
    ) -> None:
        """Create a batch.

        Args:
            pixels: uint8 (n, height, width, channels).
            columns: images in a row of the grid; by default the grid is nearly square.
            labels: the class of each image, integers (n,); None without classes.

        Raises:
            ValueError: the pixels have another dtype or number of dimensions, `columns` is no
                integer of at least 1, or the number of labels is not that of the images.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 4:
            raise ValueError(
                f"an ImageBatch needs uint8 (n, height, width, channels), not "
                f"{pixels.dtype} {pixels.shape}"
            )
        if labels is not None and labels.shape != pixels.shape[:1]:
            raise ValueError(
                f"an ImageBatch of {len(pixels)} images needs labels ({len(pixels)},), not "
                f"{labels.shape}"
            )
        self._pixels = pixels
        self.labels = labels
        self.columns = _check_columns(columns)

    @classmethod
    def from_unit(cls, images: NDArray[np.float32]) -> ImageBatch:
        """Return the batch of a generator's output.

        Args:
            images: float32 of shape (n, channels, height, width) in [-1, 1].

        Raises:
            SampleError: a value is NaN or infinite.
        """
        return cls(to_pixels(images))

    @classmethod
    def open(
        cls, files: Sequence[str | Path], size: ImageSpec, fitting: Fitting | None = None
    ) -> ImageBatch:
        """Read image files in one size.

        Args:
            files: paths of the files.
            size: the size, and the number of channels.
            fitting: how files of another shape get the size; by default they are resized and
                cropped at the centre, with transparency on white.

        Warns of files of which a part is lost, each kind once, with the number of files.

        Raises:
            DataError: there are no files, or a file is not an image.
        """
        from ganzoo.sampling.image_files import fit_image, read_image
        from ganzoo.sampling.image_warnings import ImageNotes

        background = fitting.background if fitting else "white"
        mode = "RGB" if size.channels == 3 else "L"
        pixels, notes = [], ImageNotes()
        for file in files:
            with notes.of_image():
                image = read_image(file, mode, background=background)
                if fitting is None:
                    fitted = fit_image(image, size.width, size.height, file)
                else:
                    fitted = fitting.apply(image, file, Path(file).name)
            pixels.append(np.asarray(fitted).reshape(size.height, size.width, -1))
        if not pixels:
            raise DataError("cannot open a batch: the list of files is empty. Pass an image file.")
        notes.tell(len(pixels))
        return cls(np.stack(pixels))

    @classmethod
    def rows(cls, *batches: ImageBatch, columns: int) -> ImageBatch:
        """Return batches in alternating rows; grey images become colour images if needed.

        Args:
            batches: batches of equal length. The sides of the largest images are multiples of those
                of all others, whose pixels are repeated.
            columns: images in a row.

        Raises:
            ValueError: the batches differ in length, or sizes do not fit.
        """
        channels = max(batch.numpy().shape[3] for batch in batches)
        side = max(batch.numpy().shape[1] for batch in batches)
        arrays = []
        for pixels in (batch.numpy() for batch in batches):
            scale = side // pixels.shape[1]
            large = pixels if scale == 1 else pixels.repeat(scale, 1).repeat(scale, 2)
            arrays.append(np.broadcast_to(large, (*large.shape[:3], channels)))
        starts = range(0, len(arrays[0]), columns)
        pixels = np.concatenate([array[k : k + columns] for k in starts for array in arrays])
        return cls(pixels, min(columns, len(arrays[0])))

    def to_unit(self) -> NDArray[np.float32]:
        """Return a network's input: float32 (n, channels, height, width) in [-1, 1]."""
        return to_unit(self._pixels)

    def numpy(self) -> NDArray[np.uint8]:
        """Return uint8 (n, height, width, channels)."""
        return self._pixels

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The number of images, their height, width and channels."""
        n, height, width, channels = self._pixels.shape
        return n, height, width, channels

    def pil(self) -> list[Image.Image]:
        """Return one PIL image per sample: mode RGB for three channels, otherwise L."""
        return [_to_pil(image) for image in self._pixels]

    def grid(
        self, columns: int | None = None, padding: int = PADDING, scale: int | None = 1
    ) -> Image.Image:
        """Return a grid of all images, row by row.

        Args:
            columns: images in a row; by default the batch's `columns`, or a nearly square grid.
            padding: white pixels between the images.
            scale: factor by which every pixel of the grid is repeated. None enlarges images to a
                width of at least 64 pixels, as long as the grid has at most 4,096.

        Raises:
            ValueError: a number is no integer, `columns` is below 1, `padding` is negative, or the
                scale is not 1 to 64.
            SampleError: the grid would have more than 2**29 pixels.
        """
        columns = _check_columns(columns)
        check_integer("padding", padding, 0, UNBOUNDED)
        n, height, width, channels = self._pixels.shape
        columns, tall, wide = arrange(n, height, width, columns or self.columns, padding)
        if scale is None:
            scale = legible_scale(width, max(tall, wide))
        check_integer("scale", scale, 1, MAX_SCALE)
        check_size("a grid", tall, wide, scale)
        canvas = np.full((tall, wide, channels), 255, dtype=np.uint8)
        for k, image in enumerate(self._pixels):
            top = padding + k // columns * (height + padding)
            left = padding + k % columns * (width + padding)
            canvas[top : top + height, left : left + width] = image
        return _to_pil(canvas.repeat(scale, 0).repeat(scale, 1) if scale > 1 else canvas)

    def save(self, path: str | Path, columns: int | None = None, scale: int | None = None) -> Path:
        """Save the grid as an image file, in the format of the file name's extension.

        A .gif file of more than one image is an animation without end, 12.5 images per second,
        unless `columns` is passed. All other files, .webp too, hold the grid. For other
        animations, see `ganzoo.sampling.animations.write_animation`.

        Args:
            path: the file.
            columns: as for `grid`.
            scale: as for `grid`; by default small images are enlarged to at least 64 pixels in a
                grid, and to at least 256 pixels in an animation.

        Raises:
            OutputError: the extension is unknown, or the file cannot be written.
        """
        path = Path(path)
        if find_format(path) == "GIF" and len(self) > 1 and columns is None:
            write_file(path, self._animation(scale))
        else:
            write_image(self.grid(columns, scale=scale), path)
        return path

    def _animation(self, scale: int | None) -> bytes:
        """Return the images as an animated GIF."""
        from ganzoo.sampling.animated_images import Gif, enlarge

        scale = animation_scale(*self._pixels.shape[1:3]) if scale is None else scale
        check_integer("scale", scale, 1, MAX_SCALE)
        buffer = io.BytesIO()
        gif = Gif(buffer, ANIMATION_FPS)
        for image in self._pixels:
            gif.add(enlarge(image, scale))
        gif.close()
        return buffer.getvalue()

    def __len__(self) -> int:
        return len(self._pixels)

    @overload
    def __getitem__(self, index: slice) -> ImageBatch: ...

    @overload
    def __getitem__(self, index: SupportsIndex) -> Image.Image: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Image.Image | ImageBatch:
        """Return a PIL image, ``batch[2]``, or a slice of the batch, ``batch[2:4]``.

        Raises:
            IndexError: there is no such image.
            TypeError: the index is neither an integer nor a slice.
        """
        if isinstance(index, slice):
            labels = None if self.labels is None else self.labels[index]
            return ImageBatch(self._pixels[index], labels=labels)
        return _to_pil(self._pixels[operator.index(index)])

    def __iter__(self) -> Iterator[Image.Image]:
        return iter(self.pil())

    def __repr__(self) -> str:
        n, height, width, channels = self.shape
        return f"ImageBatch({n} images, {height}x{width}x{channels})"

    def _repr_png_(self) -> bytes:
        columns, *sides = arrange(*self.shape[:3], self.columns)
        scale = max(legible_scale(self.shape[2], max(sides)), NOTEBOOK // max(sides))
        buffer = io.BytesIO()
        self.grid(columns, scale=min(scale, MAX_SCALE)).save(buffer, "PNG")
        return buffer.getvalue()


def is_image_name(path: Path) -> bool:
    """Return whether the extension of a file name is that of a format that PIL writes."""
    from PIL import Image

    Image.init()
    return Image.EXTENSION.get(path.suffix.lower()) in Image.SAVE


def find_format(path: Path) -> str:
    """Return PIL's name of the format of a file name's extension.

    Raises:
        OutputError: the extension is unknown.
    """
    if not is_image_name(path):
        raise OutputError(
            f"cannot save an image as {path.name!r}: the extension {path.suffix!r} is not an "
            "image format. Use .png."
        )
    from PIL import Image

    return Image.EXTENSION[path.suffix.lower()]


def write_image(image: Image.Image, path: Path, **options: Any) -> None:
    """Write an image file, complete or not at all, with the image's ICC profile if it has one.

    Args:
        image: the image.
        path: the file.
        options: options of PIL for the format, such as ``quality``.

    Raises:
        OutputError: the extension is unknown, the image is too large for the format, or the file
            cannot be written.
    """
    buffer, kind = io.BytesIO(), find_format(path)
    if max(image.size) > MAX_SIDES.get(kind, max(image.size)):
        raise OutputError(
            f"cannot save {image.height:,}x{image.width:,} pixels as {path.name!r}: a side of a "
            f"{path.suffix} file has at most {MAX_SIDES[kind]:,}. Use .png, or fewer images."
        )
    if profile := image.info.get("icc_profile"):
        options["icc_profile"] = profile
    try:
        image.save(buffer, kind, **options)
    except (OSError, ValueError, KeyError) as error:
        raise OutputError(f"cannot save this image as {path.suffix}: {error}. Use .png.") from error
    write_file(path, buffer.getvalue())


def to_unit(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Return a network's input: float32 (n, channels, height, width) in [-1, 1].

    Args:
        pixels: uint8 or uint16 (n, height, width, channels).
    """
    images = pixels.transpose(0, 3, 1, 2).astype(np.float32)
    half = np.float32(np.iinfo(pixels.dtype).max / 2)
    return np.ascontiguousarray(images / half - np.float32(1.0))


def to_pixels(images: NDArray[np.float32], dtype: Any = np.uint8) -> NDArray[Any]:
    """Return the pixels of a generator's output: (n, channels, height, width) in [-1, 1].

    Args:
        images: float32; finite values outside [-1, 1] are clipped.
        dtype: uint8 or uint16.

    Returns:
        Levels from 0 to the largest one of the type, (n, height, width, channels).

    Raises:
        SampleError: a value is NaN or infinite.
    """
    finite = np.isfinite(images)
    if not finite.all():
        raise SampleError(
            f"{(~finite).sum():,} of {finite.size:,} values of the images are NaN or infinite, so "
            "they are no pixels. Check the weights of the network that generates them."
        )
    largest = np.iinfo(dtype).max
    levels = images + 1.0  # the next operations need no further arrays
    np.multiply(levels, largest / 2, out=levels)
    np.rint(levels, out=levels)
    np.clip(levels, 0, largest, out=levels)
    return np.ascontiguousarray(levels.transpose(0, 2, 3, 1), dtype=dtype)


def _check_columns(columns: int | None) -> int | None:
    if columns is not None:
        check_integer("columns", columns, 1, UNBOUNDED)
        columns = as_integer("columns", columns)
    return columns


def _to_pil(image: NDArray[np.uint8]) -> Image.Image:
    from PIL import Image

    return Image.fromarray(image if image.shape[2] == 3 else image[:, :, 0])
