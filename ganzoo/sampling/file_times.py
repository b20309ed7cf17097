"""Modification times of files, which tell that an edit kept the size of a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from ganzoo.errors import DataError


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
