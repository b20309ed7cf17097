"""Write PNG files of 8 or 16 bits from arrays, strip by strip.

Pillow writes no colours of 16 bits, and needs a copy of the image and of the whole file.
https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ganzoo.bundle.files import new_file

SIGNATURE = b"\x89PNG\r\n\x1a\n"
STRIP = 2**22  # bytes of the rows that are compressed at once
LEVEL = 6  # of the compression
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by number of channels
_PAETH = 4


def write_png(
    path: Path, pixels: NDArray[Any], profile: bytes | None = None, exif: bytes | None = None
) -> None:
    """Write a PNG file, complete or not at all.

    Args:
        path: the file.
        pixels: uint8 or uint16, (height, width, channels), of 1 to 4 channels: grey or RGB, with or
            without alpha.
        profile: an ICC profile.
        exif: EXIF data, with or without their head of a JPEG file.

    Raises:
        OutputError: the file cannot be written.
    """
    height, width, channels = pixels.shape
    bits = 8 * pixels.itemsize
    step = channels * pixels.itemsize  # bytes of a pixel
    with new_file(path) as file:
        file.write(SIGNATURE)
        header = (width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
        _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", *header))
        if profile:
            _write_chunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile))
        if exif:
            _write_chunk(file, b"eXIf", exif.removeprefix(b"Exif\0\0"))
        compressor = zlib.compressobj(LEVEL)
        above = np.zeros(width * step, np.uint8)
        rows = max(1, STRIP // len(above))
        for start in range(0, height, rows):
            strip = pixels[start : start + rows].astype(pixels.dtype.newbyteorder(">"))
            lines = np.ascontiguousarray(strip).view(np.uint8).reshape(len(strip), -1)
            filtered = _filter(lines, above, step)
            _write_chunk(file, b"IDAT", compressor.compress(filtered.tobytes()))
            above = lines[-1]
        _write_chunk(file, b"IDAT", compressor.flush())
        _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    check = zlib.crc32(data, zlib.crc32(kind))
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check))


def _filter(lines: NDArray[np.uint8], above: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Return rows as differences from Paeth's prediction, each after the number of the filter.

    Args:
        lines: bytes of the rows, (rows, length).
        above: bytes of the row above the first one.
        step: bytes of a pixel.
    """
    up = np.concatenate([above[None], lines[:-1]])
    left, corner = np.zeros_like(lines), np.zeros_like(lines)
    left[:, step:], corner[:, step:] = lines[:, :-step], up[:, :-step]
    across, down = up.astype(np.int16) - corner, left.astype(np.int16) - corner
    distances = np.abs(across), np.abs(down), np.abs(across + down)  # of left, up and corner
    nearest = np.where(distances[1] <= distances[2], up, corner)
    is_left = (distances[0] <= distances[1]) & (distances[0] <= distances[2])
    filtered = np.full((len(lines), lines.shape[1] + 1), _PAETH, np.uint8)
    filtered[:, 1:] = lines - np.where(is_left, left, nearest)
    return filtered
