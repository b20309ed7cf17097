"""Readers of the binary files of datasets. None of them unpickles or runs anything of a file."""

from __future__ import annotations

import bz2
import gzip
import math
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.builtin.image_files.stored_arrays import ArrayHeader, StoredArray
from ganzoo.builtin.vision_sets.sets import Arrays
from ganzoo.errors import quantity
from ganzoo.importers.unpickle import Unpickler
from ganzoo.importers.values import StoredTensor

MAX_TEXT = 2**28  # bytes of USPS, decompressed; its training set has 2**24
MAX_IDX = 2**30  # bytes of a file, decompressed; the largest of EMNIST has 547,178,704
MAX_ARRAY = 2**33  # bytes of an array in a .mat file
USPS_SIDE, CIFAR_SIDE, STL_SIDE = 16, 32, 96

_PAIR = re.compile(r"([0-9]{1,3}):(-?[0-9.eE+-]{1,20})")


def read_mnist(folder: Path, split: str, subset: str = "") -> Arrays:
    """Read a dataset in MNIST's format: two files of a magic number, sizes and bytes."""
    return _read_pair(folder, {"train": "train", "test": "t10k"}[split])


def read_emnist(folder: Path, split: str, subset: str) -> Arrays:
    """Read a subset of EMNIST, whose images are stored with rows and columns exchanged."""
    pair = _read_pair(folder, f"emnist-{subset}-{split}")
    assert pair.labels is not None
    first = 1 if subset == "letters" else 0
    images = np.ascontiguousarray(pair.images.transpose(0, 1, 3, 2))
    return Arrays(images, pair.labels - first)


def _read_pair(folder: Path, prefix: str) -> Arrays:
    images = read_idx(_find_idx(folder, f"{prefix}-images-idx3-ubyte"), 3)[:, None]
    labels = read_idx(_find_idx(folder, f"{prefix}-labels-idx1-ubyte"), 1)
    return Arrays(images, labels.astype(np.int64))


def _find_idx(folder: Path, name: str) -> Path:
    """Return the path of a file: servers send it compressed, and some with a dot in its name."""
    names = [name, name.replace("-idx", ".idx")]
    files = [folder / f"{each}{ending}" for ending in ("", ".gz") for each in names]
    return next((file for file in files if file.is_file()), files[0])


def read_idx(file: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array of a file in MNIST's format, which may be compressed by gzip.

    Raises:
        ValueError: the file is damaged or too large, or has other dimensions or another type.
        OSError, EOFError, zlib.error: the file cannot be read or decompressed.
    """
    if file.suffix == ".gz":
        with gzip.open(file) as opened:
            content = np.frombuffer(bytearray(opened.read(MAX_IDX + 1)), np.uint8)  # writable
        if len(content) > MAX_IDX:
            raise ValueError(f"{file.name} has more than {MAX_IDX:,} bytes")
    else:
        content = np.fromfile(file, np.uint8)
    start = 4 * (dimensions + 1)
    if len(content) < start or content[:4].tolist() != [0, 0, 8, dimensions]:
        raise ValueError(f"{file.name} is no array of uint8 with {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", content[4:start].tobytes())
    if len(content) - start != math.prod(shape):
        raise ValueError(f"{file.name} has {len(content) - start:,} values, not {shape}")
    return content[start:].reshape(shape)


def read_cifar(folder: Path, split: str, subset: str = "") -> Arrays:
    """Read CIFAR-10: its binary files if they are there, else its pickles, without executing them.

    The files of one form are ``cifar-10-batches-bin/data_batch_1.bin`` to 5 and ``test_batch.bin``,
    those of the other ``cifar-10-batches-py/data_batch_1`` to 5 and ``test_batch``.
    """
    names = ["test_batch"] if split == "test" else [f"data_batch_{k}" for k in range(1, 6)]
    binary = folder / "cifar-10-batches-bin"
    if binary.is_dir():
        parts = [_read_cifar_binary(binary / f"{name}.bin") for name in names]
    else:
        parts = [_read_cifar_pickle(folder / "cifar-10-batches-py" / name) for name in names]
    images, labels = (np.concatenate(values) for values in zip(*parts, strict=True))
    return Arrays(images.reshape(-1, 3, CIFAR_SIDE, CIFAR_SIDE), labels)


def _read_cifar_binary(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    content, length = np.fromfile(file, np.uint8), 3 * CIFAR_SIDE**2 + 1
    if len(content) % length:
        raise ValueError(f"{file.name} has {len(content):,} bytes, which are no whole images")
    rows = content.reshape(-1, length)
    return rows[:, 1:], rows[:, 0].astype(np.int64)


def _read_cifar_pickle(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    with file.open("rb") as opened:
        table = Unpickler().read(opened)
    images = table.get("data") if isinstance(table, dict) else None
    labels = table.get("labels") if isinstance(table, dict) else None
    if not isinstance(images, StoredTensor) or not isinstance(labels, list):
        raise ValueError(f"{file.name} holds no array 'data' and list 'labels'")
    pixels = images.read()
    if pixels.dtype != np.uint8 or pixels.shape != (len(labels), 3 * CIFAR_SIDE**2):
        raise ValueError(
            f"{file.name} holds {pixels.dtype} {pixels.shape} and {quantity(len(labels), 'label')}"
        )
    if not all(type(label) is int and 0 <= label < 10 for label in labels):
        raise ValueError(f"{file.name} holds labels that are not 0 to 9")
    return pixels, np.array(labels, np.int64)


def read_svhn(folder: Path, split: str, subset: str = "") -> Arrays:
    """Read SVHN's cropped digits; their label 10 is the digit 0."""
    file = folder / f"{split}_32x32.mat"
    images = read_mat(file, "X", "uint8", (32, 32, 3, None))
    labels = read_mat(file, "y", "uint8", (None, 1))[:, 0].astype(np.int64)
    labels[labels == 10] = 0
    return Arrays(np.ascontiguousarray(images.transpose(3, 2, 0, 1)), labels)


def read_mat(file: Path, name: str, dtype: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return an array of numbers of a MATLAB file, up to version 7.2.

    Its type and shape are checked before its values are read; the file's other variables are not.

    Args:
        file: the file.
        name: name of the variable.
        dtype: its type, such as ``uint8``, or ``uint16`` for any unsigned integers of up to 16 bits
            and doubles.
        shape: its dimensions; None for any.

    Raises:
        ValueError: the file has no such array.
    """
    from scipy.io import loadmat, whosmat

    with file.open("rb") as opened:  # by its path, scipy would try other endings
        variables = {variable: (size, kind) for variable, size, kind in whosmat(opened)}
    size, kind = variables.get(name, ((), "absent"))
    kinds = {"uint8", dtype} | ({"double"} if dtype == "uint16" else set())
    fits = len(size) == len(shape) and all(
        expected in (None, side) for side, expected in zip(size, shape, strict=True)
    )
    if kind not in kinds or not fits or math.prod(size) > MAX_ARRAY:
        expected = tuple("n" if side is None else side for side in shape)
        raise ValueError(f"{file.name}: the variable {name!r} is {kind} {size}, not {expected}")
    with file.open("rb") as opened:
        return np.asarray(loadmat(opened, variable_names=[name])[name])


def read_usps(folder: Path, split: str, subset: str = "") -> Arrays:
    """Read USPS: lines of a label, 1 to 10, and 256 grey levels from -1 to 1."""
    file = folder / {"train": "usps.bz2", "test": "usps.t.bz2"}[split]
    with bz2.open(file, "rb") as opened:
        text = opened.read(MAX_TEXT + 1)
    if len(text) > MAX_TEXT:
        raise ValueError(f"{file.name} holds more than {MAX_TEXT:,} bytes")
    labels, rows = [], []
    for number, line in enumerate(text.decode("ascii").splitlines(), 1):
        label, *pairs = line.split()
        matches = [_PAIR.fullmatch(pair) for pair in pairs]
        places = [match and int(match[1]) for match in matches]
        if places != list(range(1, USPS_SIDE**2 + 1)) or not 1 <= int(label) <= 10:
            raise ValueError(f"{file.name}: line {number:,} is not a label and 256 levels")
        labels.append(int(label) - 1)
        rows.append([float(match[2]) for match in matches if match])
    values = np.array(rows, np.float32).reshape(-1, 1, USPS_SIDE, USPS_SIDE)
    if not (np.abs(values) <= 1).all():
        raise ValueError(f"{file.name} has levels that are not from -1 to 1")
    return Arrays(np.rint((values + 1) * 127.5).astype(np.uint8), np.array(labels, np.int64))


def read_stl(folder: Path, split: str, subset: str = "") -> Arrays:
    """Read STL-10; its images are read from the file when they are used."""
    file = folder / f"{split}_X.bin"
    size, length = file.stat().st_size, 3 * STL_SIDE**2
    if size % length:
        raise ValueError(f"{file.name} has {size:,} bytes, which are no whole images")
    labels = None
    if split != "unlabeled":
        labels = np.fromfile(folder / f"{split}_y.bin", np.uint8).astype(np.int64) - 1
    shape = (size // length, 3, STL_SIDE, STL_SIDE)  # columns before rows
    return Arrays(StoredArray(ArrayHeader(file, "", 0, shape, np.dtype("u1"), False)), labels)
