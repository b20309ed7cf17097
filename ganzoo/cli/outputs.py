"""Files that a command writes: one that -o names is replaced, a default name replaces nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import tyro

from ganzoo.errors import OutputError, shell_word

MaybeOutput = Annotated[Path | None, tyro.conf.arg(aliases=["-o"])]


def choose_output(output: Path | None, default: str) -> Path:
    """Return the file to write, before it is computed.

    Args:
        output: the value of -o, a file that may be replaced.
        default: the name without -o.

    Raises:
        OutputError: there is no -o, and a file has the default name; or its folder is not writable.
    """
    if output is None and os.path.lexists(default):
        raise OutputError(
            f"{default} exists already. Pass -o {shell_word(default)} to replace it, or -o and "
            "another name."
        )
    path = Path(default) if output is None else output
    check_folder(path)
    return path


def check_companion(companion: Path, path: Path) -> None:
    """Check a second file, which is replaced only together with the first.

    Raises:
        OutputError: it exists, and the first file does not.
    """
    if os.path.lexists(companion) and not os.path.lexists(path):
        raise OutputError(
            f"{companion}, which this command writes beside {path}, exists already. Move it, or "
            "choose another name with -o."
        )


def check_folder(path: Path) -> None:
    """Check before a long computation that a file can be written.

    Raises:
        OutputError: its folder, or the one that would contain it, is not writable.
    """
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}: {folder}. Choose a folder that is "
            "writable with -o."
        ) from error
