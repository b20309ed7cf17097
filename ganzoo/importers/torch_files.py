"""Files of `torch.save`: zip archives, and the older stream of pickles. No torch is needed."""

from __future__ import annotations

import io
import zipfile
from typing import Any, BinaryIO

from ganzoo.errors import ImportFileError
from ganzoo.importers.values import (
    DTYPES,
    OTHERS,
    Dtype,
    Name,
    ReadNested,
    Storage,
    brief,
    is_count,
)
from ganzoo.sampling.zip_headers import find_member

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older format
PROTOCOL = 1001
MAX_ENTRIES = 100_000

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
}

Kinds = dict[str, tuple[Dtype | None, int]]  # dtype and length of each storage, by key


def read_zip(file: BinaryIO, read_nested: ReadNested) -> Any:
    """Return the value of a zip archive of torch.save; tensors read the open file later.

    Raises:
        ImportFileError: it is damaged, compressed, or not an archive of torch.save.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ImportFileError(
            f"it begins like a zip archive, but is incomplete or damaged ({error}). Get the file "
            "again."
        ) from error
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise ImportFileError(f"the archive has more than {MAX_ENTRIES:,} entries, the limit.")
    if min((info.header_offset for info in infos), default=0):
        # Of two archives in one file, torch reads the first and zipfile the last.
        raise ImportFileError("the archive begins after other bytes. Get the file again.")
    entries = {info.filename: info for info in infos}
    roots = [name.removesuffix("data.pkl") for name in entries if name.endswith("/data.pkl")]
    if not roots:
        raise ImportFileError(
            "it is a zip archive that torch.save did not write: it has no data.pkl. If a "
            "checkpoint is in it, unpack it with `python -m zipfile -e FILE FOLDER`."
        )
    if len(roots) != 1 or len(entries) != len(infos):
        raise ImportFileError(
            f"the archive has {len(roots)} files data.pkl and {len(infos) - len(entries)} repeated "
            "names. A file of torch.save has one data.pkl, and each name once."
        )
    (root,) = roots
    if f"{root}constants.pkl" in entries:
        raise ImportFileError(
            "the file is a TorchScript program, which holds code. Save its state_dict() with "
            "torch.save, and import that file."
        )

    def read(name: str) -> memoryview:
        info = entries.get(root + name)
        if info is None:
            raise ImportFileError(f"the archive has no {name[:80]}. Get the file again.")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise ImportFileError(
                f"{name[:80]} in the archive is compressed, which torch.save never does. Unpack it "
                "and pack it again without compression."
            )
        try:
            find_member(file, info)
            return memoryview(archive.read(info))
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError) as error:
            raise ImportFileError(
                f"{name[:80]} in the archive is damaged: {str(error)[:100]}. Get the file again."
            ) from error

    if f"{root}byteorder" in entries and bytes(read("byteorder")) != b"little":
        raise ImportFileError("the file holds big-endian numbers, which are unusual.")

    kinds: Kinds = {}

    def persistent(pid: Any) -> Storage:
        dtype, key, count = _parse(pid, kinds)
        size = count * (dtype.size if dtype else 1)
        info = entries.get(f"{root}data/{key}")
        if info is None or info.file_size != size:
            actual = f"has {info.file_size:,} bytes" if info else "is missing"
            raise ImportFileError(
                f"the storage {brief(key)} {actual}; its tensors need {size:,}. Get the file again."
            )
        return Storage(dtype, count, lambda: read(f"data/{key}"))

    return read_nested(io.BytesIO(read("data.pkl")), persistent)


def read_legacy(file: BinaryIO, read_nested: ReadNested) -> Any:
    """Return the value of the older format: five pickles, then the bytes of the storages.

    Args:
        file: the stream, at its begin; it must stay open while tensors are read.
        read_nested: reads one pickle of it.

    Raises:
        ImportFileError: it is damaged.
    """

    def refuse(pid: Any) -> Any:
        raise ImportFileError("the file begins with a reference. Get the file again.")

    header = [read_nested(file, refuse) for _ in range(3)]
    if header[0] != MAGIC or header[1] != PROTOCOL or not isinstance(header[2], dict):
        raise ImportFileError("the file has no header of torch.save. Get the file again.")
    if header[2].get("little_endian") is not True:
        raise ImportFileError("the file holds big-endian numbers, which are unusual.")
    places: dict[str, tuple[int, int]] = {}  # key -> first byte, number of bytes
    kinds: Kinds = {}

    def persistent(pid: Any) -> Storage:
        dtype, key, count = _parse(pid, kinds)
        size = count * (dtype.size if dtype else 1)

        def read() -> memoryview:
            start, actual = places.get(key, (0, -1))
            if actual != size:
                raise ImportFileError(
                    f"the storage {brief(key)} has {max(actual, 0):,} bytes; its tensors need "
                    f"{size:,}. Get the file again."
                )
            file.seek(start)
            return memoryview(file.read(size))

        return Storage(dtype, count, read)

    value = read_nested(file, persistent)
    keys = read_nested(file, refuse)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ImportFileError("the file has no list of its storages. Get the file again.")
    end = _end_of(file)
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        dtype, _ = kinds.get(key, (None, 0))
        size = count * (dtype.size if dtype else 1)
        start = file.tell()
        if key in places or start + size > end:
            raise ImportFileError(
                f"the storage {brief(key)} is repeated or cut short. Get the file again."
            )
        places[key] = (start, size)
        file.seek(start + size)
    if file.tell() != end:
        raise ImportFileError(f"the file has {end - file.tell():,} bytes after its last storage.")
    return value


def _end_of(file: BinaryIO) -> int:
    position = file.tell()
    end = file.seek(0, io.SEEK_END) or file.tell()
    file.seek(position)
    return end


def _parse(pid: Any, kinds: Kinds) -> tuple[Dtype | None, str, int]:
    """Return dtype, key and length of a storage from its persistent id.

    Args:
        pid: the id.
        kinds: the storages that were named before, which this one joins.

    Raises:
        ImportFileError: the id has another form, or an earlier one has another dtype or length.
            torch reads a storage once, as the first id says.
    """
    if (
        not isinstance(pid, tuple)
        or len(pid) not in (5, 6)
        or pid[0] != "storage"
        or not isinstance(pid[1], Name)
        or not isinstance(pid[2], str)
        or not is_count(pid[4])
        or (len(pid) == 6 and pid[5] is not None)
    ):
        raise ImportFileError(
            "the file refers to something that is not a storage of torch. Get the file again."
        )
    _, kind, key, _, count, *_ = pid
    if kind.module in ("torch", "torch.storage") and kind.name == "UntypedStorage":
        dtype = None
    elif kind.module == "torch" and kind.name in _STORAGES:
        dtype = (DTYPES | OTHERS)[_STORAGES[kind.name]]
    else:
        raise ImportFileError(
            f"the file holds a {brief(kind)}; weights are stored as real numbers."
        )
    if kinds.setdefault(key, (dtype, count)) != (dtype, count):
        raise ImportFileError(
            f"the storage {brief(key)} has two types or lengths, which torch never writes. Get the "
            "file again."
        )
    return dtype, key, count
