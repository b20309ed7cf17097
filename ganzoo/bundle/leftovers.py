"""Temporary files and folders that killed processes left behind, and the former folders.

A temporary file of ``name`` is ``.name.ganzoo-`` and random characters, beside it. While a process
writes a folder, the former one is for a moment called like the temporary one with ``.old``.
Processes hold a lock on their temporary files, which the system releases when it ends them.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

TEMPORARY = ".ganzoo-temporary"  # end of the names of folders among the system's temporary files

_MARK = ".ganzoo-"
_OLD = ".old"
_GRACE = 60  # seconds


def prefix(path: Path) -> str:
    """Return how the names of temporary files of `path` begin."""
    return f".{path.name}{_MARK}"


def former(temporary: Path) -> Path:
    """Return where the former folder is while a temporary one replaces it."""
    return temporary.with_name(f"{temporary.name}{_OLD}")


def lock(handle: int) -> bool:
    """Lock an open temporary file or folder; return False if another process holds the lock."""
    if sys.platform == "win32":
        return False  # so that nothing is removed
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a temporary folder while the block runs."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle)
        yield
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove the leftovers of writing `path`; put its former folder back if `path` is missing."""
    for temporary in _of(path):
        old = former(temporary)
        if _is_abandoned(temporary):
            if os.path.lexists(old) and not os.path.lexists(path):
                os.replace(old, path)
            _delete(temporary)
    for old in find_former(path):
        if not os.path.lexists(old.with_name(old.name.removesuffix(_OLD))):
            if os.path.lexists(path):
                _delete(old)
            else:
                os.replace(old, path)


def remove_all(folder: Path) -> None:
    """Remove the leftovers of everything in a folder that no other process writes."""
    with contextlib.suppress(FileNotFoundError):
        names = {p.name[1:].partition(_MARK)[0] for p in folder.glob(f".*{_MARK}*")}
        for name in names:
            remove(folder / name)


def remove_temporary(folder: Path) -> None:
    """Remove this user's temporary folders whose processes were killed."""
    if sys.platform == "win32":
        return
    for path in folder.glob(f"*{TEMPORARY}"):
        with contextlib.suppress(OSError):  # another process has just removed it
            status = path.lstat()
            # Its process creates a folder a moment before it locks it.
            is_old = time.time() - status.st_mtime > _GRACE
            is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
            if is_old and is_own and _is_abandoned(path):
                _delete(path)


def find_former(path: Path) -> list[Path]:
    """Return the former folders of `path` that killed processes left behind."""
    return sorted(path.parent.glob(f"{glob.escape(prefix(path))}*{_OLD}"))


def _of(path: Path) -> list[Path]:
    temporaries = path.parent.glob(f"{glob.escape(prefix(path))}*")
    return sorted(p for p in temporaries if not p.name.endswith(_OLD))


def _is_abandoned(temporary: Path) -> bool:
    try:
        # Without O_NONBLOCK, a pipe of such a name would wait for a writer.
        handle = os.open(temporary, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:  # another process has just renamed or removed it
        return False
    try:
        status = os.fstat(handle)
        # Its process creates a file a moment before it locks it.
        is_new = stat.S_ISREG(status.st_mode) and not status.st_size
        return not (is_new and time.time() - status.st_mtime < _GRACE) and lock(handle)
    finally:
        os.close(handle)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
