"""Animated GIF and WebP files, written image by image and complete after each one.

Pillow's own writers of animations keep all images in memory.
"""

from __future__ import annotations

import errno
import io
import struct
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo.errors import SampleError
from ganzoo.sampling.sizes import WEBP_SIDE

COLOURS = 256  # of a GIF image
PALETTE_SIDE = 128  # pixels of an image whose colours are chosen; a choice of all is slow
QUALITY = 90  # of WebP images that are not exact
MAX_WEBP = 2**32 - 2  # bytes

_GIF_LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"  # without end


class AnimatedImage:
    """A looped animation of images of one size in a file.

    Attributes:
        frames: number of images in the file.
    """

    units = 1_000  # in which the format states durations, per second

    def __init__(self, file: BinaryIO, fps: float) -> None:
        """Start an animation.

        Args:
            file: an empty file that is open for writing, unbuffered or in memory.
            fps: images per second.
        """
        self._file, self._fps = file, fps
        self._end = 0  # of the last complete image
        self.frames = 0

    def add(self, image: NDArray[np.uint8]) -> None:
        """Write an image, (height, width, channels): RGB, or else its first channel in grey.

        Raises:
            OSError: the file cannot be written.
        """
        if not self.frames:
            self._append(self._header(image.shape[1], image.shape[0]))
        self._append(self._encode(to_pil(image), self._duration()))
        self.frames += 1

    def close(self) -> None:
        """Complete the file, without a part of an image whose writing failed.

        Raises:
            OSError: the file cannot be written.
        """
        self._file.seek(self._end)
        self._file.truncate()

    def _header(self, width: int, height: int) -> bytes:
        raise NotImplementedError

    def _encode(self, image: Image.Image, duration: int) -> bytes:
        raise NotImplementedError

    def _duration(self) -> int:
        """Return the duration of the next image in `units`, such that all of them keep the pace."""
        start, end = (round(k * self.units / self._fps) for k in (self.frames, self.frames + 1))
        return end - start

    def _append(self, data: bytes) -> None:
        write_all(self._file, data)
        self._end += len(data)


class Gif(AnimatedImage):
    """An animated GIF of 256 colours per image, up to 50 images per second."""

    units = 100

    def close(self) -> None:
        """Complete the file."""
        super().close()
        write_all(self._file, b";")

    def _header(self, width: int, height: int) -> bytes:
        return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0) + _GIF_LOOP

    def _encode(self, image: Image.Image, duration: int) -> bytes:
        buffer = io.BytesIO()
        _to_palette(image).save(buffer, "GIF")
        still = buffer.getvalue()
        depth = still[10] & 7
        start = 13 + 3 * 2 ** (depth + 1)  # of the blocks after the palette
        palette = still[13:start]
        while still[start : start + 1] == b"!":  # an extension, such as a comment
            start = _end_of_blocks(still, start + 2)
        control = b"!\xf9\x04\0" + struct.pack("<H", duration) + b"\0\0"
        flags = 0x80 | still[start + 9] | depth  # with a palette of its own
        return (
            control + still[start : start + 9] + bytes([flags]) + palette + still[start + 10 : -1]
        )


class WebP(AnimatedImage):
    """An animated WebP (https://developers.google.com/speed/webp/docs/riff_container)."""

    def __init__(self, file: BinaryIO, fps: float, exact: bool = False) -> None:
        """Start an animation.

        Args:
            file: as for `AnimatedImage`.
            fps: images per second.
            exact: whether the colours are exact, which suits enlarged pixels.
        """
        super().__init__(file, fps)
        self._exact = exact

    def close(self) -> None:
        """Complete the file."""
        super().close()
        if self.frames:
            self._file.seek(4)
            write_all(self._file, struct.pack("<I", self._end - 8))

    def _header(self, width: int, height: int) -> bytes:
        canvas = b"\x02\0\0\0" + _three_bytes(width - 1) + _three_bytes(height - 1)
        background_and_loops = b"\xff\xff\xff\xff\0\0"
        chunks = _chunk(b"VP8X", canvas) + _chunk(b"ANIM", background_and_loops)
        return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks

    def _encode(self, image: Image.Image, duration: int) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", lossless=self._exact, quality=QUALITY)
        sizes = (image.width - 1, image.height - 1, duration)
        place = bytes(6) + b"".join(map(_three_bytes, sizes)) + b"\x02"  # replaces what is below
        chunk = _chunk(b"ANMF", place + buffer.getvalue()[12:])  # without the header of RIFF
        if self._end + len(chunk) > MAX_WEBP:
            raise OSError(errno.EFBIG, "a WebP file has at most 4 GiB")
        return chunk


def to_pil(image: NDArray[np.uint8]) -> Image.Image:
    """Return an image (height, width, channels): RGB, or else its first channel in grey."""
    return Image.fromarray(image if image.shape[2] == 3 else image[:, :, 0])


def check_frame(height: int, width: int, scale: int) -> None:
    """Check the size of the frames of an animation.

    Raises:
        SampleError: a side has more than 16,383 pixels, which no WebP has.
    """
    height, width = height * scale, width * scale
    if max(height, width) > WEBP_SIDE:
        raise SampleError(
            f"frames of {height:,}x{width:,} pixels are too large; a side has at most "
            f"{WEBP_SIDE:,}. Pass a smaller scale, or fewer columns and rows."
        )


def enlarge(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Repeat every pixel of an image `scale` times in both directions; errors as `check_frame`."""
    check_frame(image.shape[0], image.shape[1], scale)
    return image.repeat(scale, 0).repeat(scale, 1)


def write_all(file: BinaryIO, data: bytes) -> None:
    """Write to an unbuffered file, which may write a part of the data only.

    Raises:
        OSError: the file cannot be written.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _to_palette(image: Image.Image) -> Image.Image:
    """Return an image with a palette: exact if it has 256 colours or fewer, else dithered."""
    if image.getcolors(COLOURS) is not None:
        return image.quantize(COLOURS)
    sample = image.copy()
    sample.thumbnail((PALETTE_SIDE, PALETTE_SIDE), Image.Resampling.NEAREST)
    return image.quantize(palette=sample.quantize(COLOURS), dither=Image.Dither.FLOYDSTEINBERG)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _end_of_blocks(data: bytes, start: int) -> int:
    """Return the position after a series of data blocks of a GIF, which ends with an empty one."""
    while data[start]:
        start += 1 + data[start]
    return start + 1


def _three_bytes(number: int) -> bytes:
    return struct.pack("<I", number)[:3]
