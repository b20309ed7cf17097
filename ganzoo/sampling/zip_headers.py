"""The header of its own that each member of a zip has before its content."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import BinaryIO

_HEADER = struct.Struct("<4s5H3I2H")
_START = b"PK\x03\x04"
_ENCRYPTED, _SIZES_FOLLOW, _UTF_8 = 0x1, 0x8, 0x800  # bits of the flags
_ELSEWHERE = 2**32 - 1  # a size that is in the extra field
_SIZES = 1  # kind of that extra field


def find_content(
    file: BinaryIO,
    offset: int,
    name: int,
    method: int,
    sizes: tuple[int, int, int],
    encrypted: bool = False,
) -> int:
    """Return the place of a member's content, and move the file there.

    Programs that read a zip from its begin use the members' own headers, others the list at its
    end. So the two must agree.

    Args:
        file: the zip.
        offset: place of the member's own header.
        name: CRC-32 of the bytes of its name, see `name_checksum`.
        method: its compression.
        sizes: CRC-32 of its content, the bytes stored, and the bytes of the content.
        encrypted: whether it is encrypted.

    Raises:
        zipfile.BadZipFile: there is no header, or it differs from the arguments.
        OSError: the file cannot be read.
    """
    file.seek(offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(_START):
        raise zipfile.BadZipFile("no header of a zip's member is at its place")
    _, _, flags, own_method, _, _, crc, stored, size, name_length, length = _HEADER.unpack(header)
    own_name, extra = file.read(name_length), file.read(length)
    numbers = _read_sizes(extra)
    size, stored = (
        numbers.pop(0) if number == _ELSEWHERE and numbers else number for number in (size, stored)
    )
    agree = (zlib.crc32(own_name), own_method) == (name, method)
    agree &= bool(flags & _ENCRYPTED) == encrypted
    agree &= bool(flags & _SIZES_FOLLOW) or (crc, stored, size) == sizes
    if not agree:
        raise zipfile.BadZipFile("its header differs from the zip's list of members")
    return file.tell()


def find_member(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Return the place of the content of a member of Python's list; else as `find_content`."""
    sizes = info.CRC, info.compress_size, info.file_size
    encrypted = bool(info.flag_bits & _ENCRYPTED)
    return find_content(
        file, info.header_offset, name_checksum(info), info.compress_type, sizes, encrypted
    )


def name_checksum(info: zipfile.ZipInfo) -> int:
    """Return the CRC-32 of the bytes of a member's name."""
    encoding = "utf-8" if info.flag_bits & _UTF_8 else "cp437"
    return zlib.crc32(info.orig_filename.encode(encoding))


def _read_sizes(extra: bytes) -> list[int]:
    """Return the bytes of the content and the bytes stored, if the extra field has them."""
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == _SIZES:
            return [
                number for (number,) in struct.iter_unpack("<Q", extra[4 : 4 + length // 8 * 8])
            ]
        extra = extra[4 + length :]
    return []
