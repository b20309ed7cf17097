"""Pointers of git-lfs, which a clone without git-lfs has in place of large files."""

from __future__ import annotations

import shlex
from pathlib import Path

_POINTER = b"version https://git-lfs.github.com/spec/"
_MAX_POINTER = 1024  # bytes, as in the specification of git-lfs


def explain_pointer(file: Path, folder: Path | None = None) -> str:
    """Return what a file is and what to type if it is a pointer of git-lfs; empty if it is not.

    Args:
        file: the file. A pipe or a missing file is no pointer.
        folder: a folder of the git repository, by default the file's.

    Raises:
        OSError: the file cannot be read.
    """
    if not file.is_file() or file.stat().st_size > _MAX_POINTER:
        return ""
    with file.open("rb") as opened:
        if opened.read(len(_POINTER)) != _POINTER:
            return ""
    return (
        f"{file} is a git-lfs pointer, not the file itself: the repository was cloned without "
        "git-lfs. Install git-lfs, then run `git lfs install` and "
        f"`git -C {shlex.quote(str(folder or file.parent))} lfs pull`."
    )
