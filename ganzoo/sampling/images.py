"""A batch of images as people use it: array, picture, grid, file, notebook."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle.files import write_file
from ganzoo.errors import DataError, OutputError
from ganzoo.spec import ImageSpec

if TYPE_CHECKING:  # whoever takes arrays, as a server does, starts without Pillow
    from PIL import Image


class ImageBatch:
    """Images of one size, uint8, shape (n, height, width, channels).

    Three channels are shown as colours; of any other number the first is shown, as grey.
    """

    def __init__(self, pixels: NDArray[np.uint8], columns: int | None = None) -> None:
        """Hold pixels, to be shown so many in a row; by default as square as possible."""
        if pixels.dtype != np.uint8 or pixels.ndim != 4:
            raise ValueError(
                f"an ImageBatch takes uint8 (n, height, width, channels), not "
                f"{pixels.dtype} {pixels.shape}"
            )
        self._pixels = pixels
        self.columns = columns

    @classmethod
    def from_unit(cls, images: NDArray[np.float32]) -> ImageBatch:
        """Make a batch from a generator's output.

        Args:
            images: float32 of shape (n, channels, height, width) in [-1, 1].
        """
        levels = np.clip(np.rint((images + 1.0) * 127.5), 0, 255).astype(np.uint8)
        return cls(np.ascontiguousarray(levels.transpose(0, 2, 3, 1)))

    @classmethod
    def open(cls, files: Sequence[str | Path], size: ImageSpec) -> ImageBatch:
        """Read pictures: resized until they cover the size, the middle cut out, alpha on white.

        Raises:
            DataError: no file, or one that is no picture.
        """
        from ganzoo.sampling.image_files import fit_image, read_image

        mode = "RGB" if size.channels == 3 else "L"
        pixels = []
        for file in files:
            fitted = fit_image(read_image(file, mode), size.width, size.height)
            pixels.append(np.asarray(fitted).reshape(size.height, size.width, -1))
        if not pixels:
            raise DataError("no picture was named.")
        return cls(np.stack(pixels))

    @classmethod
    def rows(cls, *kinds: ImageBatch, columns: int) -> ImageBatch:
        """Lay batches of as many images each out in turn, a row of each; grey ones become colours.

        Raises:
            ValueError: batches that differ in number or size.
        """
        channels = max(kind.numpy().shape[3] for kind in kinds)
        alike = [np.broadcast_to(k.numpy(), (*k.numpy().shape[:3], channels)) for k in kinds]
        starts = range(0, len(alike[0]), columns)
        pixels = np.concatenate([batch[k : k + columns] for k in starts for batch in alike])
        return cls(pixels, min(columns, len(alike[0])))

    def to_unit(self) -> NDArray[np.float32]:
        """Return a network's input: float32 (n, channels, height, width) in [-1, 1]."""
        images = self._pixels.transpose(0, 3, 1, 2).astype(np.float32)
        return np.ascontiguousarray(images / np.float32(127.5) - np.float32(1.0))

    def numpy(self) -> NDArray[np.uint8]:
        """Return uint8 (n, height, width, channels)."""
        return self._pixels

    def pil(self) -> list[Image.Image]:
        """Return one PIL image per sample, mode RGB for three channels and else L."""
        return [_to_pil(image) for image in self._pixels]

    def grid(self, columns: int | None = None, padding: int = 2) -> Image.Image:
        """Return all images in one picture, row by row.

        Args:
            columns: images in a row; by default as the batch was made, or as square as possible.
            padding: white pixels between the images.
        """
        n, height, width, channels = self._pixels.shape
        columns = columns or self.columns or max(1, math.ceil(math.sqrt(n)))
        rows = max(1, math.ceil(n / columns))
        step_y, step_x = height + padding, width + padding
        shape = (rows * step_y + padding, columns * step_x + padding, channels)
        canvas = np.full(shape, 255, dtype=np.uint8)
        for k, image in enumerate(self._pixels):
            top, left = padding + k // columns * step_y, padding + k % columns * step_x
            canvas[top : top + height, left : left + width] = image
        return _to_pil(canvas)

    def save(self, path: str | Path, columns: int | None = None) -> Path:
        """Write the grid as a picture whose format follows from the file's ending.

        Raises:
            OutputError: unknown ending, or the file cannot be written.
        """
        from PIL import Image

        path = Path(path)
        Image.init()
        kind = Image.EXTENSION.get(path.suffix.lower())
        if kind not in Image.SAVE:
            raise OutputError(
                f"cannot save a picture as {path.name!r}: its ending {path.suffix!r} names no "
                "image format. Use .png, for example."
            )
        buffer = io.BytesIO()
        try:
            self.grid(columns).save(buffer, kind)
        except (OSError, ValueError, KeyError) as error:
            raise OutputError(
                f"cannot save this picture as {path.suffix}: {error}. Use .png."
            ) from error
        write_file(path, buffer.getvalue())
        return path

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, index: slice) -> ImageBatch:
        """Return some of the images; one of them as a picture is ``batch.pil()[k]``."""
        if not isinstance(index, slice):
            raise TypeError("an ImageBatch is sliced: batch[2:3], or batch.pil()[2] for a picture")
        return ImageBatch(self._pixels[index])

    def __iter__(self) -> Iterator[Image.Image]:
        return iter(self.pil())

    def __repr__(self) -> str:
        n, height, width, channels = self._pixels.shape
        return f"ImageBatch({n} images, {height}x{width}x{channels})"

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.grid().save(buffer, "PNG")
        return buffer.getvalue()


def _to_pil(image: NDArray[np.uint8]) -> Image.Image:
    from PIL import Image

    return Image.fromarray(image if image.shape[2] == 3 else image[:, :, 0])
