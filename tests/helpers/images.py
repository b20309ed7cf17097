"""Image files with faults."""

from __future__ import annotations

import struct
from pathlib import Path

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
