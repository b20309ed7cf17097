"""Write files and folders atomically: under a temporary name that is then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ganzoo.bundle import leftovers
from ganzoo.errors import GanzooError, OutputError, no_temporary_folder
from ganzoo.system.temporary import TEMPORARY, lock, locked, remove_temporary


@contextlib.contextmanager
def reporting_output(path: Path) -> Iterator[None]:
    """Convert an OSError raised while writing `path` to an `OutputError`."""
    try:
        yield
    except GanzooError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}. "
            "Choose a folder that is writable and has free space, then run the command again."
        ) from error


def find_foreign(run: Path) -> str | None:
    """Return what a run's folder contains that no run writes, such as a pipe; None if nothing."""
    for parent, folders, names in os.walk(run):
        for path in (Path(parent, name) for name in (*folders, *names)):
            if kind := describe_foreign(path, run):
                return f"{path} is {kind}"
    return None


def describe_foreign(path: Path, run: Path) -> str:
    """Return the kind of a path in a run's folder that no run writes; empty for files and folders.

    A link may lead outside, and a pipe waits for a writer.
    """
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(run)):
        return "a link that leads out of the run's folder"
    try:
        mode = path.stat().st_mode
    except OSError:  # the run has just removed it
        return ""
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "neither a file nor a folder"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_hash(content: bytes) -> str:
    """Return the SHA-1 that git assigns to a file of this content, in hexadecimal."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def write_file(path: Path, content: bytes | str) -> None:
    """Write a file atomically; create its parent folders.

    Raises:
        OutputError: the file cannot be written (read-only folder, full disk).
    """
    with new_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def temporary_folder(prefix: str = "ganzoo-") -> Iterator[Path]:
    """Yield a folder that is removed afterwards, as are those that killed processes left behind.

    Raises:
        OutputError: no folder for temporary files is writable.
    """
    try:
        remove_temporary(Path(tempfile.gettempdir()))
        folder = tempfile.TemporaryDirectory(prefix=prefix, suffix=TEMPORARY)
    except FileNotFoundError as error:
        raise no_temporary_folder() from error
    with folder as path, locked(Path(path)):
        yield Path(path)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Yield an empty file that replaces `path` if the block ends without an error.

    First, this removes what killed processes left when they wrote the same file.

    Raises:
        OutputError: the file cannot be written (read-only folder, full disk).
    """
    with reporting_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        leftovers.remove(path)
        temporary = _temporary(path)
        try:
            with temporary.open("xb") as file:
                lock(file.fileno())
                yield file
                file.flush()
                os.fsync(file.fileno())
            _keep_permissions(path, temporary)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces `path` if the block ends without an error.

    First, this undoes what killed processes left when they wrote the same folder.

    Raises:
        OutputError: the folder cannot be written.
    """
    with reporting_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        leftovers.remove(path)
        temporary = _temporary(path)
        temporary.mkdir()
        try:
            with locked(temporary):
                yield temporary
                _replace_folder(path, temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    """Return a new name beside a path."""
    return path.with_name(f"{leftovers.prefix(path)}{secrets.token_hex(4)}")


def _keep_permissions(path: Path, temporary: Path) -> None:
    """Give what replaces a path its permissions; what is new has those of the user's umask."""
    if path.exists() and not path.is_symlink():
        shutil.copymode(path, temporary)


def _replace_folder(path: Path, temporary: Path) -> None:
    _keep_permissions(path, temporary)
    old = leftovers.former(temporary)
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(temporary, path)
    except BaseException:
        if old.exists():
            os.replace(old, path)
        raise
    if old.is_symlink():
        old.unlink()  # what it leads to stays
    shutil.rmtree(old, ignore_errors=True)
