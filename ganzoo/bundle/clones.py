"""Folders that git or the Hub's client wrote: links to blobs, pointers of git-lfs, line endings."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from pathlib import Path

from ganzoo.errors import BundleError
from ganzoo.spec.lfs import explain_pointer

ATTRIBUTES = ".gitattributes"
KEEP_BYTES = "* -text"  # the line that tells git not to change line endings

_COMMIT = re.compile(r"[0-9a-f]{40}")
_MAX_TEXT = 2**24  # bytes of a file whose line endings are compared


def is_inside(folder: Path, file: Path) -> bool:
    """Return whether a path leads into a bundle's folder, or to a blob of its snapshot."""
    real = Path(os.path.realpath(file))
    return real.is_relative_to(os.path.realpath(folder)) or real.parent == find_blobs(folder)


def find_blobs(folder: Path) -> Path | None:
    """Return the folder of blobs that a snapshot of the Hub's client links to.

    The client's cache is ``models--org--name/snapshots/COMMIT``, whose files are links into
    ``models--org--name/blobs``.

    Returns:
        None if the folder is not a snapshot.
    """
    real = Path(os.path.realpath(folder))
    repository = real.parent.parent
    is_snapshot = (
        _COMMIT.fullmatch(real.name)
        and real.parent.name == "snapshots"
        and repository.name.startswith("models--")
    )
    return repository / "blobs" if is_snapshot else None


def check_own(folder: Path) -> None:
    """Raise an error for a snapshot of the Hub's client: its files are shared and must not change.

    Raises:
        BundleError: the folder is a snapshot.
    """
    if find_blobs(folder):
        raise BundleError(
            f"cannot change {folder}: it is a snapshot in the cache of the Hub's client, which "
            f"other programs share. Copy it first: cp -rL {shlex.quote(str(folder))} ./copy"
        )


def check_pointer(folder: Path, file: Path) -> None:
    """Raise an error for a pointer that git-lfs leaves in place of a file.

    Raises:
        BundleError: the file is a pointer.
    """
    if text := explain_pointer(file, folder):
        raise BundleError(text)


def check_line_endings(file: Path, expected: str) -> None:
    """Raise an error if a file has its checksum once git's CRLF line endings are LF again.

    Args:
        file: a file that does not match its checksum.
        expected: the checksum.

    Raises:
        BundleError: only the line endings differ.
    """
    if file.stat().st_size > _MAX_TEXT:
        return
    if hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest() == expected:
        raise BundleError(
            f"{file} differs from its checksum only in its line endings, which git changed to CRLF "
            "(core.autocrlf). Clone the repository again: git clone -c core.autocrlf=false URL"
        )
