"""Temporary files and folders, and those that killed processes left behind.

Processes hold a lock on their temporary files, which the system releases when it ends them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

TEMPORARY = ".ganzoo-temporary"  # end of the names of folders among the system's temporary files

_GRACE = 60  # seconds


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


def keep_folder() -> Path:
    """Return a new temporary folder, locked as long as this process lives.

    Raises:
        FileNotFoundError: no folder for temporary files is writable.
    """
    remove_temporary(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix="ganzoo-", suffix=TEMPORARY))
    if sys.platform != "win32":
        lock(os.open(folder, os.O_RDONLY))
    return folder


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
            if is_old and is_own and is_abandoned(path):
                delete(path)


def is_abandoned(temporary: Path) -> bool:
    """Return whether no process holds the lock of a temporary file or folder."""
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


def delete(path: Path) -> None:
    """Delete a file, a link or a folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
