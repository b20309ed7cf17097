"""Where each picture lies in tar shards, found by walking their headers."""

from __future__ import annotations

import itertools
import re
import tarfile
from array import array
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

from ganzoo.builtin.image_files.ranges import open_seekable, read_range
from ganzoo.errors import DataError

ENTRY = np.dtype([("shard", "<i4"), ("label", "<i4"), ("offset", "<i8"), ("size", "<i8")])

_ENDINGS = ("jpg", "jpeg", "png", "webp")
_NAME = re.compile(r"((?:.*/)?[^./]+)\.([^/]+)")  # key, dot, kind
_MAX_LABEL = 20  # bytes that an integer in text may take


def index_shards(places: list[str], classes: int) -> np.ndarray:
    """Return where the pictures lie: `ENTRY` (n,), in the order of shards and of their members.

    Members are named ``key.kind``; those of one key stand together. Of the kinds, ``jpg``,
    ``jpeg``, ``png`` and ``webp`` are pictures and ``cls`` the class's number in text; others are
    passed over.

    Args:
        places: paths and URLs of the shards.
        classes: number of classes; 0 reads no label.

    Raises:
        DataNotFoundError, DataError: a shard that cannot be read or is no whole tar; a key without
            picture, or with two; a label that is missing or none of the classes.
    """
    shown = tqdm(places, "reading headers", unit="shard", disable=None, leave=False)
    return np.concatenate([_index(place, k, classes) for k, place in enumerate(shown)])


def read_member(place: str, offset: int, size: int) -> tuple[str, bytes]:
    """Return the name and the bytes of a member that begins at an offset.

    Raises:
        DataNotFoundError, DataError: it cannot be read.
    """
    part = read_range(place, offset - tarfile.BLOCKSIZE, tarfile.BLOCKSIZE + size)
    header, content = part[: tarfile.BLOCKSIZE], part[tarfile.BLOCKSIZE :]
    try:
        return tarfile.TarInfo.frombuf(header, "utf-8", "replace").name, content
    except tarfile.TarError:
        return f"at byte {offset}", content


def _index(place: str, number: int, classes: int) -> np.ndarray:
    """One shard's pictures."""
    found = array("q")
    with open_seekable(place) as file:
        for key, members in itertools.groupby(_members(file, place), lambda named: named[0]):
            pictures, label = [], 0 if classes == 0 else None
            for _, kind, member in members:
                if kind in _ENDINGS:
                    pictures.append(member)
                elif kind == "cls" and classes:
                    label = _label(file, member, place, classes)
            if len(pictures) != 1:
                raise DataError(
                    f"{key!r} in the shard {place} has {len(pictures)} pictures, it must have one: "
                    f"{key}.jpg, .jpeg, .png or .webp. Write the shard anew."
                )
            if label is None:
                raise DataError(
                    f"{key!r} in the shard {place} has no label: {key}.cls. Write the shard anew, "
                    "or train without labels: --dataset.classes 0"
                )
            found.extend((number, label, pictures[0].offset_data, pictures[0].size))
    table = np.array(found, dtype=np.int64).reshape(-1, 4)
    entries = np.empty(len(table), dtype=ENTRY)
    for name, column in zip(("shard", "label", "offset", "size"), table.T, strict=True):
        entries[name] = column
    return entries


def _members(file: BinaryIO, place: str) -> Iterator[tuple[str, str, tarfile.TarInfo]]:
    """Key, kind and header of every file that has both."""
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while member := tar.next():
                tar.members.clear()  # type: ignore[attr-defined]  # or it would keep all
                parts = _NAME.fullmatch(member.name)
                if member.isreg() and parts:
                    yield parts[1], parts[2].lower(), member
            file.seek(tar.offset)
            whole = file.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)
    except tarfile.TarError as error:
        raise DataError(
            f"the shard {place} is no whole tar: {error}. Get it again; one that is compressed "
            "must be unpacked, for its pictures to be read in any order."
        ) from error
    if not whole:  # tarfile takes any end for the end
        raise DataError(
            f"the shard {place} is no whole tar: it ends without the mark of its end. Get it again."
        )


def _label(file: BinaryIO, member: tarfile.TarInfo, place: str, classes: int) -> int:
    file.seek(member.offset_data)
    text = file.read(min(member.size, _MAX_LABEL))
    try:
        label = int(text)
    except ValueError as error:
        raise DataError(
            f"{member.name} in the shard {place} is {text!r}, not the number of a class."
        ) from error
    if not 0 <= label < classes:
        remedy = f" --dataset.classes {label + 1} allows it." if label > 0 else ""
        raise DataError(
            f"{member.name} in the shard {place} says class {label}, and classes are 0 to "
            f"{classes - 1}.{remedy}"
        )
    return label
