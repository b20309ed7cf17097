"""What a pickle holds besides plain Python values: names, inert records, storages and tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import ImportFileError

Persistent = Callable[[Any], Any]  # returns the value of a persistent id
ReadNested = Callable[[BinaryIO, Persistent], Any]  # reads one pickle from a stream

MAX_RANK = 16
MAX_SIDE = 2**31  # of a dimension


class Dtype(NamedTuple):
    """A dtype of a file.

    Attributes:
        name: as in torch, such as ``bfloat16``.
        raw: the NumPy dtype of its bytes.
    """

    name: str
    raw: str

    @property
    def size(self) -> int:
        """Bytes of one number."""
        return np.dtype(self.raw).itemsize

    @property
    def is_read(self) -> bool:
        """Whether weights can have it. Numbers of other dtypes are never read."""
        return DTYPES.get(self.name) == self


DTYPES = {
    dtype.name: dtype
    for dtype in (
        Dtype("float64", "<f8"),
        Dtype("float32", "<f4"),
        Dtype("float16", "<f2"),
        Dtype("bfloat16", "<u2"),  # NumPy has no bfloat16
        Dtype("int64", "<i8"),
        Dtype("int32", "<i4"),
        Dtype("int16", "<i2"),
        Dtype("int8", "<i1"),
        Dtype("uint8", "<u1"),
        Dtype("bool", "|b1"),
    )
}
# Dtypes that weights do not have, but other parts of a file can, by their size in bytes.
OTHERS = {
    name: Dtype(name, f"V{size}")
    for size, names in {
        1: ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu")
        + ("qint8", "quint8"),
        2: ("uint16",),
        4: ("uint32", "complex32", "qint32"),
        8: ("uint64", "complex64"),
        16: ("complex128",),
    }.items()
    for name in names
}


@dataclass(frozen=True)
class Name:
    """A class or function that the file names. It is never imported.

    Attributes:
        module: its module.
        name: its name in the module, which may hold dots.
    """

    module: str
    name: str

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, repr=False)
class Record:
    """An object that the file would build, kept as its parts. Nothing is called.

    Attributes:
        callable: the class or function that the file would call.
        args: its arguments.
        state: the state that the file would set, or None.
        items: values that the file would append or add.
        entries: keys and values that the file would set.
    """

    callable: Name
    args: tuple[Any, ...] = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)
    entries: list[tuple[Any, Any]] = field(default_factory=list)


class Entries(dict[Any, Any]):
    """A dictionary, with the attributes that the file would set on it.

    Attributes:
        state: the attributes, or None.
    """

    state: Any = None


class Storage(NamedTuple):
    """The numbers of one or more tensors.

    Attributes:
        dtype: their dtype; None for bytes whose tensors say it.
        length: how many numbers, or bytes without a dtype.
        read: returns their bytes.
    """

    dtype: Dtype | None
    length: int
    read: Callable[[], memoryview]


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A tensor of the file, whose numbers are read when they are needed.

    Attributes:
        dtype: the dtype in the file.
        shape: its dimensions.
        read: returns its numbers: float32 for bfloat16, else in the dtype of the file.
    """

    dtype: Dtype
    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


def view_storage(
    storage: Storage,
    offset: Any,
    shape: Any,
    strides: Any,
    dtype: Dtype | None = None,
) -> StoredTensor:
    """Return the tensor of a storage with these strides, after a check of its bounds.

    Args:
        storage: the storage.
        offset: index of the first number.
        shape: the dimensions.
        strides: numbers between neighbours, by dimension.
        dtype: the dtype, for a storage of bytes.

    Raises:
        ImportFileError: a value has the wrong type or sign, or the tensor exceeds its storage. A
            tensor that repeats numbers raises when it is read.
    """
    dtype = storage.dtype or dtype
    if dtype is None:
        raise ImportFileError("a tensor of the file states no dtype. Get the file again.")
    count = storage.length if storage.dtype else storage.length // dtype.size
    shape, strides = check_shape(shape), check_shape(strides)
    if not is_count(offset) or len(shape) != len(strides):
        raise ImportFileError(
            f"a tensor has offset {brief(offset)}, {len(shape)} dimensions and {len(strides)} "
            "strides. The file is damaged: get it again."
        )
    if not dtype.is_read:
        return unread(dtype, shape)
    size = math.prod(shape)
    reach = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + 1
    if size and reach > count:
        raise ImportFileError(
            f"a tensor of shape {shape} reaches beyond the {count:,} numbers of its storage. The "
            "file is damaged: get it again."
        )

    def read() -> NDArray[Any]:
        if size > count:  # a small file could fill the memory
            raise ImportFileError(
                f"a tensor of shape {shape} repeats the {count:,} numbers of its storage, as "
                "`expand` does. Save tensor.contiguous() in its place."
            )
        flat = np.frombuffer(storage.read(), dtype.raw, count=count)
        if not size:
            return widen(np.empty(shape, dtype.raw), dtype)
        view = np.lib.stride_tricks.as_strided(
            flat[offset:], shape, [step * dtype.size for step in strides], writeable=False
        )
        return widen(np.array(view, order="C"), dtype)

    return StoredTensor(dtype, shape, read)


def unread(dtype: Dtype, shape: tuple[int, ...]) -> StoredTensor:
    """Return a tensor of a dtype that weights do not have. To read it is an error."""

    def read() -> NDArray[Any]:
        raise ImportFileError(
            f"the file holds numbers of type {dtype.name}, which ganzoo does not read. Save them "
            "as float32."
        )

    return StoredTensor(dtype, shape, read)


def widen(array: NDArray[Any], dtype: Dtype) -> NDArray[Any]:
    """Return the numbers of an array of raw bytes; bfloat16 becomes float32."""
    if dtype.name != "bfloat16":
        return array
    return (array.astype("<u4") << 16).view("<f4")


def brief(value: Any) -> str:
    """Return a value of a file for a message: at most 80 characters.

    Lists that hold lists are not written out: a file of some bytes can hold 10**40 of them.
    """
    if isinstance(value, str):
        return repr(value[:60])
    if type(value) is int:
        return str(value) if abs(value) < 2**64 else "a number of more than 64 bits"
    if value is None or isinstance(value, bool | float | Name):
        return str(value)[:80]
    if isinstance(value, list | tuple) and all(type(item) in (int, float) for item in value):
        return f"({', '.join(brief(item) for item in value[:6])}{', ...' * (len(value) > 6)})"
    return type(value).__name__


def is_count(value: Any) -> bool:
    """Return whether a value is a whole number from 0 to 2**63 - 1."""
    return type(value) is int and 0 <= value < 2**63


def check_shape(value: Any) -> tuple[int, ...]:
    """Return a shape or strides as a tuple.

    Raises:
        ImportFileError: it is no tuple or list of at most 16 numbers from 0 to 2**31 - 1.
    """
    if not isinstance(value, tuple | list) or len(value) > MAX_RANK:
        raise ImportFileError(
            "a tensor has no valid shape or strides. The file is damaged: get it again."
        )
    if not all(is_count(side) and side < MAX_SIDE for side in value):
        raise ImportFileError(
            f"a tensor has the shape or strides {brief(value)}. Each must be a whole "
            "number from 0 to 2**31 - 1. The file is damaged: get it again."
        )
    return tuple(value)


def check_key(key: Any) -> Any:
    """Return a dictionary's key.

    Raises:
        ImportFileError: it is not text, bytes, a float, a bool, None or a number of 64 bits, or a
            tuple of at most 16 of these. Other keys can make a dictionary slow.
    """
    if type(key) is tuple and len(key) <= MAX_RANK and tuple not in map(type, key):
        return tuple(map(check_key, key))
    if type(key) is int and -(2**63) <= key < 2**64:
        return key
    if key is None or type(key) in (str, bytes, float, bool) or isinstance(key, Name):
        return key
    raise ImportFileError(
        f"the pickle has a dictionary with a key of type {type(key).__name__}. Keys of a "
        "checkpoint are text or numbers."
    )
