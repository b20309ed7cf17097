"""Digests of the sizes and of the modification times of files, which tell of edits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from ganzoo.errors import DataError


def hash_sizes(folder: Path, names: Iterable[str | Path]) -> str:
    """Return the SHA-256 of the names and sizes of files, in their order.

    Args:
        folder: the folder of the files.
        names: their paths from the folder.

    Raises:
        DataError: a file no longer exists.
    """
    digest = hashlib.sha256()
    for name in names:
        try:
            length = (folder / name).stat().st_size
        except OSError as error:
            raise DataError(
                f"cannot read {folder / name}: {error.strerror}. Restore the file."
            ) from error
        digest.update(f"{Path(name).as_posix()}\0{length}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def hash_times(files: Iterable[str]) -> str:
    """Return the SHA-256 of the modification times of files, in their order.

    Raises:
        DataError: a file no longer exists.
    """
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(os.stat(file).st_mtime_ns.to_bytes(8, "little", signed=True))
        except OSError as error:
            raise DataError(f"cannot read {file}: {error.strerror}. Restore the file.") from error
    return digest.hexdigest()
