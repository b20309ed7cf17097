"""Image files in a zip, read in place: nothing is unpacked to the disk."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import DataError, ImageFileError
from ganzoo.sampling.image_folders import ENDINGS, LABELS
from ganzoo.sampling.zip_headers import find_content, name_checksum
from ganzoo.spec.lfs import explain_pointer
from ganzoo.spec.parsing import shorten

MAX_BYTES = 2**28  # of one member; the largest image of 4096x4096 pixels has 2**26 uncompressed
ENTRY = np.dtype(
    [
        *(("offset", "<i8"), ("stored", "<i8"), ("size", "<i8")),
        *(("crc", "<u4"), ("method", "<i4"), ("name", "<u4")),
    ]
)

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NAMES = {9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstandard", 95: "xz", 99: "AES"}
_ENCRYPTED = 0x1  # bit of the flags of a member
_DRIVE = re.compile(r"[A-Za-z]:")
_LARGEST = 2**63 - 1  # that an entry holds; `read_member` refuses it


@dataclass(frozen=True)
class ZipIndex:
    """The image files in a zip.

    Attributes:
        path: the zip.
        names: names of the image files in the zip, with ``/``, sorted by their parts.
        entries: their positions, `ENTRY` (n,).
        labels: the content of dataset.json, beside the image files or above them; None without.
        folder: the folder of dataset.json; without one, the folder that holds every image file.
            Empty for the top of the zip, else it ends with ``/``.
        skipped: number of other members by the reason for skipping them.
    """

    path: Path
    names: list[str]
    entries: NDArray[np.void]
    labels: bytes | None
    folder: str
    skipped: Counter[str]


def index_zip(path: Path, *, skip_corrupt: bool = False) -> ZipIndex:
    """Read the list of members of a zip.

    Args:
        path: the zip.
        skip_corrupt: skip and count image files that are encrypted or have an unsupported
            compression.

    Raises:
        DataError: the file is no complete zip, is split over several files, or holds a name twice
            or a name that leads out of it; or, without `skip_corrupt`, an image file is encrypted
            or has an unsupported compression.
    """
    members, skipped = {}, Counter[str]()
    for info in _list_members(path):
        name = _check_name(info.filename, path)
        if info.is_dir():
            continue
        if name in members:
            raise DataError(
                f"{path} holds the file {shorten(name, 80)!r} twice. Write the zip again."
            )
        members[name] = info
    images = []
    for name, info in members.items():
        if reason := _reason(name, info):
            if PurePosixPath(name).name != LABELS:
                skipped[reason] += 1
        elif problem := _find_problem(info):
            if not skip_corrupt:
                raise DataError(
                    f"the image {shorten(name, 80)!r} of the zip {path} is {problem}, which ganzoo "
                    "does not read. Write the zip again with the usual compression and without a "
                    "password, or skip such files with --dataset.skip-corrupt."
                )
            skipped[problem] += 1
        else:
            images.append(name)
    images.sort(key=lambda name: name.split("/"))
    folder = _common_folder(images)
    if LABELS in members:
        folder = ""
    labels = members.get(folder + LABELS)
    return ZipIndex(
        path,
        images,
        np.array([_entry(members[name]) for name in images], ENTRY),
        None if labels is None else _read_labels(path, labels),
        folder,
        skipped,
    )


def read_member(path: Path, name: str, entry: np.void) -> bytes:
    """Return the content of a member of a zip.

    The file is opened for each call, so worker processes share no position in it.

    Args:
        path: the zip.
        name: name of the member, for error messages.
        entry: its position, of type `ENTRY`.

    Raises:
        DataError: the zip cannot be read.
        ImageFileError: the member is damaged, or larger than it declares or than 256 MiB.
    """
    size, stored = int(entry["size"]), int(entry["stored"])
    if max(size, stored) > MAX_BYTES:
        raise ImageFileError(
            f"{name} declares {max(size, stored):,} bytes; the limit is {MAX_BYTES:,}. Remove it."
        )
    try:
        with path.open("rb") as file:
            sizes = int(entry["crc"]), stored, size
            find_content(file, int(entry["offset"]), entry["name"], entry["method"], sizes)
            content = file.read(stored)
    except zipfile.BadZipFile as error:
        raise ImageFileError(_damage(name, str(error))) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}. Restore the file.") from error
    if len(content) < stored:
        raise ImageFileError(_damage(name, "the file ends within it"))
    if entry["method"] == zipfile.ZIP_DEFLATED:
        try:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, size + 1)
        except zlib.error as error:
            raise ImageFileError(_damage(name, str(error))) from error
    if len(content) != size:
        more = "more" if len(content) > size else "fewer"
        raise ImageFileError(_damage(name, f"it declares {size:,} bytes, and holds {more}"))
    if zlib.crc32(content) != entry["crc"]:
        raise ImageFileError(_damage(name, "its checksum differs"))
    return content


def _list_members(path: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as file:
            return file.infolist()
    except Exception as error:  # the reader of a damaged file may raise anything
        if pointer := explain_pointer(path):
            raise DataError(pointer) from error
        reason = " ".join(str(error).split()).removesuffix(".") or type(error).__name__
        raise DataError(
            f"{path} is not a complete zip: {reason}. Download it or write it again."
        ) from error


def _check_name(text: str, path: Path) -> str:
    """Return the name of a member with ``/`` between its folders."""
    name = text.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or _DRIVE.match(name):
        raise DataError(
            f"{path} holds the file {shorten(name, 80)!r}, whose path leads out of the zip. ganzoo "
            "unpacks nothing, so no file is overwritten, but a program that unpacks the zip could "
            "overwrite yours. Get the images from a source that you trust."
        )
    return name


def _reason(name: str, info: zipfile.ZipInfo) -> str:
    """Return why a member is skipped; empty for an image file."""
    parts = PurePosixPath(name)
    if any(part.startswith(".") or part == "__MACOSX" for part in parts.parts):
        return "hidden"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "link"
    ending = parts.suffix.lower()
    if ending not in ENDINGS:
        return f"type {ending}" if ending else "no extension"
    return ""


def _find_problem(info: zipfile.ZipInfo) -> str:
    """Return why the content of a member cannot be read; empty if it can."""
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    if info.compress_type not in _METHODS:
        return f"compressed by {_NAMES.get(info.compress_type, f'method {info.compress_type}')}"
    return ""


def _entry(info: zipfile.ZipInfo) -> tuple[int, ...]:
    places = (info.header_offset, info.compress_size, info.file_size)
    offset, stored, size = (min(number, _LARGEST) for number in places)
    return offset, stored, size, info.CRC, info.compress_type, name_checksum(info)


def _read_labels(path: Path, info: zipfile.ZipInfo) -> bytes:
    name = f"{info.filename} of the zip {path}"
    if problem := _find_problem(info):
        raise DataError(f"{name} is {problem}, which ganzoo does not read. Write the zip again.")
    try:
        return read_member(path, name, np.array([_entry(info)], ENTRY)[0])
    except ImageFileError as error:
        raise DataError(f"{error} Without it, there are no labels.") from error


def _common_folder(names: list[str]) -> str:
    """Return the top folder if all image files are in it, as in a zip of that folder."""
    first = names[0].partition("/")[0] + "/" if names else ""
    return first if all(name.startswith(first) for name in names) else ""


def _damage(name: str, problem: str) -> str:
    return f"{name} is damaged: {problem}. Write the zip again."
