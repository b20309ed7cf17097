"""Image files with faults, and of depths that PIL cannot write."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def with_damaged_tag(file: Path, size: tuple[int, int] = (32, 24)) -> Path:
    """Write a JPEG on its side (Orientation 6) whose tag Artist is a fraction instead of text."""

    def entry(tag: int, kind: int, value: int) -> bytes:
        return struct.pack("<HHII", tag, kind, 1, value)

    tags = struct.pack("<H", 2) + entry(0x0112, 3, 6) + entry(0x013B, 5, 38) + struct.pack("<I", 0)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + tags + struct.pack("<II", 1, 60)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, exif=exif)
    return file


def png_of(values: np.ndarray, bits: int, transparent: tuple[int, ...] = ()) -> bytes:
    """Return a PNG of a depth that PIL cannot write.

    Args:
        values: (height, width, channels); 1 channel is grey, 2 have alpha, 3 are colours, or 4.
        transparent: the value of transparent pixels, one number for each channel.
    """
    height, width, channels = values.shape

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    numbers = values.reshape(height, -1).astype(">u2")
    each_bit = np.unpackbits(numbers.view(np.uint8).reshape(height, -1, 2), axis=2)[:, :, -bits:]
    rows = np.packbits(each_bit.reshape(height, -1), axis=1)
    parts = [(b"IHDR", header)]
    if transparent:
        parts.append((b"tRNS", np.array(transparent, ">u2").tobytes()))
    parts.append((b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))))
    parts.append((b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
