"""Temporary files and folders that killed processes left behind, and the former folders.

A temporary file of ``name`` is ``.name.ganzoo-`` and random characters, beside it. While a process
writes a folder, the former one is for a moment called like the temporary one with ``.old``.
Processes hold a lock on their temporary files, which the system releases when it ends them.
"""

from __future__ import annotations

import contextlib
import glob
import os
from pathlib import Path

from ganzoo.system.temporary import delete, is_abandoned

_MARK = ".ganzoo-"
_OLD = ".old"


def prefix(path: Path) -> str:
    """Return how the names of temporary files of `path` begin."""
    return f".{path.name}{_MARK}"


def former(temporary: Path) -> Path:
    """Return where the former folder is while a temporary one replaces it."""
    return temporary.with_name(f"{temporary.name}{_OLD}")


def remove(path: Path) -> None:
    """Remove the leftovers of writing `path`; put its former folder back if `path` is missing."""
    for temporary in _of(path):
        old = former(temporary)
        if is_abandoned(temporary):
            if os.path.lexists(old) and not os.path.lexists(path):
                os.replace(old, path)
            delete(temporary)
    for old in find_former(path):
        if not os.path.lexists(old.with_name(old.name.removesuffix(_OLD))):
            if os.path.lexists(path):
                delete(old)
            else:
                os.replace(old, path)


def remove_all(folder: Path) -> None:
    """Remove the leftovers of everything in a folder that no other process writes."""
    with contextlib.suppress(FileNotFoundError):
        names = {p.name[1:].partition(_MARK)[0] for p in folder.glob(f".*{_MARK}*")}
        for name in names:
            remove(folder / name)


def find_former(path: Path) -> list[Path]:
    """Return the former folders of `path` that killed processes left behind."""
    return sorted(path.parent.glob(f"{glob.escape(prefix(path))}*{_OLD}"))


def _of(path: Path) -> list[Path]:
    temporaries = path.parent.glob(f"{glob.escape(prefix(path))}*")
    return sorted(p for p in temporaries if not p.name.endswith(_OLD))
