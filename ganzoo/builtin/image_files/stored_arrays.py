"""Arrays of .npy and .npz files, memory-mapped where possible, and never unpickled."""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray

from ganzoo.errors import DataError
from ganzoo.sampling.file_times import hash_times
from ganzoo.sampling.zip_headers import find_member
from ganzoo.spec.lfs import explain_pointer

MAX_COMPRESSED = 2**33  # bytes of a compressed array, which memory has to hold
MAX_CHECKED = 2**31  # bytes of an array whose checksum is compared when it is opened
BLOCK = 2**20  # bytes read at a time


@dataclass(frozen=True)
class ArrayHeader:
    """An array in a file.

    Attributes:
        path: the file.
        member: name of the member of an .npz file; empty for an .npy file.
        offset: place of the first value in the file; None if the member is compressed.
        shape: its dimensions.
        dtype: its type.
        fortran: whether its first dimension varies fastest.
    """

    path: Path
    member: str
    offset: int | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    @property
    def name(self) -> str:
        """The array's key in an .npz file, or the name of the .npy file."""
        return self.member.removesuffix(".npy") if self.member else self.path.name

    @property
    def where(self) -> str:
        """The array in error messages."""
        return f"the array {self.name!r} of {self.path}" if self.member else str(self.path)

    def read(self) -> NDArray[Any]:
        """Return the values in memory.

        Raises:
            DataError: the array holds Python objects, is too large, or the file is damaged.
        """
        if self.offset is not None:
            self.check()
            return np.array(self.map())
        size = math.prod(self.shape) * self.dtype.itemsize
        if size > MAX_COMPRESSED:
            raise DataError(
                f"{self.where} takes {size:,} bytes; the limit of compressed arrays is "
                f"{MAX_COMPRESSED:,}. Save it as .npy, or with np.savez, which are memory-mapped."
            )
        try:
            with zipfile.ZipFile(self.path) as file, file.open(self.member) as member:
                return np.asarray(npy.read_array(member, allow_pickle=False))
        except Exception as error:  # the reader of a damaged file may raise anything
            raise _unreadable(self.path, error) from error

    def check(self) -> None:
        """Compare the checksum of an array of an .npz file that is not compressed.

        Arrays of more than `MAX_CHECKED` bytes are not checked, because this reads them.

        Raises:
            DataError: the checksum differs, or the file cannot be read.
        """
        size = math.prod(self.shape) * self.dtype.itemsize
        if not self.member or size > MAX_CHECKED:
            return
        try:
            with zipfile.ZipFile(self.path) as file, file.open(self.member) as member:
                while member.read(BLOCK):
                    pass  # the last read compares the checksum
        except Exception as error:  # the reader of a damaged file may raise anything
            raise _unreadable(self.path, error) from error

    def map(self) -> NDArray[Any]:
        """Return the values, read from the file when they are used.

        Raises:
            DataError: the file cannot be opened, or is shorter than its header says.
        """
        if 0 in self.shape:  # a map of no bytes is an error
            return np.empty(self.shape, self.dtype)
        assert self.offset is not None
        order: Literal["F", "C"] = "F" if self.fortran else "C"
        try:
            values = np.memmap(self.path, self.dtype, "r", self.offset, self.shape, order)
        except (OSError, ValueError) as error:
            raise _unreadable(self.path, error) from error
        return np.asarray(values)


class StoredArray:
    """The values of an array, which several processes can read.

    A map of a file is opened again in each process. Values in memory are a tensor, which worker
    processes share.

    Args:
        header: the array.
    """

    def __init__(self, header: ArrayHeader) -> None:
        self.header = header
        self._tensor = None if header.offset is not None else _as_tensor(header.read())
        self._map: NDArray[Any] | None = None
        if self._tensor is None:
            header.check()
            self._map = header.map()

    def __getitem__(self, index: int) -> NDArray[Any]:
        if self._tensor is not None:
            values = self._tensor[index].numpy().view(self.header.dtype)
            return values.reshape(self.header.shape[1:])
        if self._map is None:
            self._map = self.header.map()
        return np.asarray(self._map[index])

    @property
    def timestamps(self) -> str:
        """The result of `hash_times` for the file."""
        return hash_times([str(self.header.path)])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_map": None}  # pickle would copy all values


def read_headers(path: Path) -> list[ArrayHeader]:
    """Return the arrays of an .npy or .npz file; read no values.

    Raises:
        DataError: the file is damaged, or of another kind.
    """
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                header = _read_header(path, "", file, 0)
                _check_size(header, path.stat().st_size - file.tell())
                return [header]
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            names = Counter(info.filename.removesuffix(".npy") for info in infos)
            if repeated := [name for name, count in names.items() if count > 1]:
                # NumPy reads the last one, or the one without the ending, and others the first.
                raise DataError(
                    f"{path} holds the array {repeated[0][:80]!r} twice. Write the file again."
                )
            members = [info for info in infos if info.filename.endswith(".npy")]
            return [_read_member(path, archive, member) for member in members]
    except DataError:
        raise
    except Exception as error:  # the reader of a damaged file may raise anything
        raise _unreadable(path, error) from error


def _read_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> ArrayHeader:
    with path.open("rb") as file:
        content = find_member(file, info)
    is_stored = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1
    offset = content if is_stored else None
    with archive.open(info) as member:
        header = _read_header(path, info.filename, member, offset)
        _check_size(header, info.file_size - member.tell())
    return header


def _check_size(header: ArrayHeader, present: int) -> None:
    """Raise an error if a file has not as many bytes of values as the header of an array says."""
    size = math.prod(header.shape) * header.dtype.itemsize
    if size != present and not header.dtype.hasobject:
        raise DataError(
            f"cannot read {header.where}: its header declares {size:,} bytes of values, and it has "
            f"{present:,}. Write the file again."
        )


def _read_header(path: Path, member: str, file: Any, offset: int | None) -> ArrayHeader:
    stream: BinaryIO = file
    version = npy.read_magic(stream)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise DataError(
            f"{path} has an array in version {version[0]}.{version[1]} of the .npy format, which "
            "only arrays of named fields need. Save the images as an array of uint8."
        )
    shape, fortran, dtype = read(stream)
    if any(type(side) is not int or side < 0 for side in shape):
        raise ValueError(f"its shape is {shape}")
    start = None if offset is None else offset + stream.tell()
    return ArrayHeader(path, member, start, shape, dtype, fortran)


def _as_tensor(values: NDArray[Any]) -> torch.Tensor:
    """Return the bytes of each image; torch lacks some types of NumPy."""
    rows = np.ascontiguousarray(values).reshape(len(values), -1)
    return torch.from_numpy(rows.view(np.uint8))


def _unreadable(path: Path, error: Exception) -> DataError:
    try:
        pointer = explain_pointer(path)
    except OSError:
        pointer = ""
    reason = " ".join(str(error).split()).removesuffix(".") or type(error).__name__
    return DataError(pointer or f"cannot read {path}: {reason}. Write the file again.")
