"""Index of the image files in tar shards, built from their headers."""

from __future__ import annotations

import itertools
import re
import tarfile
import warnings
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

from ganzoo.builtin.image_files.ranges import is_url, open_seekable, read_range
from ganzoo.errors import DataError, GanzooError
from ganzoo.spec.lfs import explain_pointer

ENTRY = np.dtype([("shard", "<i4"), ("label", "<i4"), ("offset", "<i8"), ("size", "<i8")])
COLUMNS = 4

_ENDINGS = ("jpg", "jpeg", "png", "webp")
_NAME = re.compile(r"((?:.*/)?[^./]+)\.([^/]+)")  # key, dot, suffix
_MAX_LABEL = 20  # maximum bytes of an integer in text form
_CLASS = re.compile(rb"\s*-?[0-9]+\s*")  # Python's int accepts 1_0 for 10, too


class _Fault(DataError):
    """A damaged shard, or a key without one image file or its label.

    Attributes:
        reason: the fault in a few words, as a reason to skip.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def index_shards(
    places: list[str], classes: int, skipped: Counter[str], *, skip_corrupt: bool
) -> np.ndarray:
    """Return the positions of the image files: `ENTRY` (n,), in the order of shards and members.

    Members have names ``key.suffix``, and members of one key are adjacent. The suffixes ``jpg``,
    ``jpeg``, ``png`` and ``webp`` are image files, ``cls`` is the class number in text form. Other
    members are skipped.

    Args:
        places: paths and URLs of the shards.
        classes: number of classes; 0 reads no labels.
        skipped: counts other members, by the reason for skipping them.
        skip_corrupt: skip keys without one image file or a label, and the rest of a damaged shard;
            warn of such shards.

    Raises:
        DataNotFoundError: a URL does not exist.
        DataError: a shard cannot be read; a label is out of range; or, without `skip_corrupt`, a
            shard is not a complete tar, a key has no image file or several, or a label is missing.
    """
    progress = tqdm(places, "reading headers", unit="shard", disable=None, leave=False)
    indices = [_index(place, k, classes, skipped, skip_corrupt) for k, place in enumerate(progress)]
    return np.concatenate(indices)


def read_member(place: str, offset: int, size: int) -> tuple[str, bytes]:
    """Return the name and the content of the member whose content starts at an offset.

    Raises:
        DataNotFoundError, DataError: the shard cannot be read, or has another member there than
            when its headers were read.
    """
    part = read_range(place, offset - tarfile.BLOCKSIZE, tarfile.BLOCKSIZE + size)
    header, content = part[: tarfile.BLOCKSIZE], part[tarfile.BLOCKSIZE :]
    try:
        member = tarfile.TarInfo.frombuf(header, "utf-8", "replace")
    except (tarfile.TarError, ValueError):
        member = None
    if member is None or member.size != size:
        raise DataError(
            f"{place} has changed since its headers were read: there is no member of {size:,} "
            f"bytes at byte {offset:,} any more. Restore the file and start again."
        )
    return member.name, content


def _index(
    place: str, number: int, classes: int, skipped: Counter[str], skip_corrupt: bool
) -> np.ndarray:
    """Return the positions of the image files of one shard."""
    rows = array("q")
    try:
        with open_seekable(place) as file:
            files = _members(file, place, skipped)
            for key, members in itertools.groupby(files, lambda member: member[0]):
                group = [(suffix, member) for _, suffix, member in members]
                try:
                    rows.extend((number, *_entry(key, group, file, place, classes, skipped)))
                except _Fault as fault:
                    if not skip_corrupt:
                        raise
                    skipped[fault.reason] += 1
    except _Fault as fault:
        if not skip_corrupt:
            advice = "Or skip what is damaged with --dataset.skip-corrupt."
            raise DataError(f"{fault} {advice}") from fault
        skipped[fault.reason] += 1
        n = len(rows) // COLUMNS
        warnings.warn(f"{fault} Of this shard, only the first {n:,} images are used", stacklevel=2)
    table = np.array(rows, dtype=np.int64).reshape(-1, COLUMNS)
    entries = np.empty(len(table), dtype=ENTRY)
    for name, column in zip(("shard", "label", "offset", "size"), table.T, strict=True):
        entries[name] = column
    return entries


def _entry(
    key: str,
    group: list[tuple[str, tarfile.TarInfo]],
    file: BinaryIO,
    place: str,
    classes: int,
    skipped: Counter[str],
) -> tuple[int, int, int]:
    """Return the label, offset and size of the image file of one key."""
    images, label = [], 0 if classes == 0 else None
    for suffix, member in group:
        if suffix in _ENDINGS:
            images.append(member)
        elif suffix == "cls" and classes:
            label = _label(file, member, place, classes)
        else:
            skipped[f"type .{suffix}"] += 1
    if len(images) != 1:
        raise _Fault(
            f"{key!r} in the shard {place} has {len(images)} image files, but it must "
            f"have one: {key}.jpg, .jpeg, .png or .webp. Write the shard again.",
            "key without one image file",
        )
    if label is None:
        raise _Fault(
            f"{key!r} in the shard {place} has no label, {key}.cls. Write the shard again, "
            "or train without labels: --dataset.classes 0.",
            "key without a label",
        )
    return label, images[0].offset_data, images[0].size


def _members(
    file: BinaryIO, place: str, skipped: Counter[str]
) -> Iterator[tuple[str, str, tarfile.TarInfo]]:
    """Yield key, suffix and header of every file whose name has both; count the others."""
    last = ""
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while member := tar.next():
                last = member.name
                tar.members.clear()  # type: ignore[attr-defined]  # free the memory
                parts = _NAME.fullmatch(member.name)
                if member.isreg() and parts:
                    yield parts[1], parts[2].lower(), member
                elif not member.isdir():
                    skipped["no key and suffix" if member.isreg() else "not a file"] += 1
            file.seek(tar.offset)
            # tarfile does not check this.
            complete = file.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)
        problem = "" if complete else "the end-of-archive block is missing"
    except GanzooError:
        raise
    except Exception as error:
        if not is_url(place) and (pointer := explain_pointer(Path(place))):
            raise DataError(pointer) from error
        problem = str(error)
    if problem:
        where = f"at the member {last!r} or after it" if last else "at its start"
        raise _Fault(
            f"the shard {place} is not a complete tar: {where}, {problem}. Download it again. If "
            "it is compressed, decompress it first.",
            "rest of a damaged shard",
        )


def _label(file: BinaryIO, member: tarfile.TarInfo, place: str, classes: int) -> int:
    file.seek(member.offset_data)
    text = file.read(min(member.size, _MAX_LABEL + 1))
    if len(text) > _MAX_LABEL or not _CLASS.fullmatch(text):
        raise _Fault(
            f"{member.name} in the shard {place} is {text[:_MAX_LABEL]!r}, not a class number. "
            "Write the shard again, or train without labels: --dataset.classes 0.",
            "label that is no class number",
        )
    label = int(text)
    if not 0 <= label < classes:
        remedy = f"Use --dataset.classes {label + 1}." if label > 0 else "Write the shard again."
        raise DataError(
            f"{member.name} in the shard {place} is class {label}, but classes are 0 to "
            f"{classes - 1}. {remedy}"
        )
    return label
