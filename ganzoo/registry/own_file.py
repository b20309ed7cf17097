"""Import a user's own Python file, which registers components in this process.

The file is executed like any script of the user. It is the only code of ganzoo that runs a file by
its path, and it does so only for a path that the user passes.
"""

from __future__ import annotations

import importlib
import shlex
import sys
import warnings
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path

from ganzoo.errors import BrokenPluginError, describe
from ganzoo.registry.registry import REGISTRIES
from ganzoo.system.dependencies import quiet_imports

IMPORT = "--import"  # option of every command

# The files of the command that runs, as the user passed them.
own_files: ContextVar[tuple[str, ...]] = ContextVar("own_files", default=())


def repeat_imports() -> str:
    """Return the `IMPORT` options of the running command, for the text of the next command.

    Each begins with a space. The text is empty if there are none.
    """
    return "".join(f" {IMPORT} {shlex.quote(file)}" for file in own_files.get())


def import_own_file(file: str | Path) -> None:
    """Import a Python file under its name, so that processes that read the data can import it too.

    The folder of the file is appended to `sys.path`. Warns if the file registers nothing.

    Args:
        file: path of the file, ``NAME.py``.

    Raises:
        BrokenPluginError: there is no such file, its name is that of another module, or it raises
            an error.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise BrokenPluginError(
            f"cannot import {str(file) or 'nothing'}: no such file. Pass one with --import FILE.py"
        )
    name = path.stem
    if path.suffix != ".py" or "." in name:
        raise BrokenPluginError(
            f"cannot import {path}: its name is not that of a Python file. Rename it to NAME.py, "
            "with no other dot."
        )
    path = path.resolve()
    _check_name(name, path)
    before = _registered()
    sys.path.append(str(path.parent))
    try:
        with quiet_imports():
            importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise BrokenPluginError(f"cannot import {path}: {_explain(error)}. Correct it.") from error
    if _registered() == before:
        warnings.warn(
            f"{path} registers nothing. Decorate a function or class of it, for example with "
            '@ganzoo.architectures.register("NAME")',
            stacklevel=2,
        )


def _check_name(name: str, path: Path) -> None:
    """Raise an error if the name of a file is that of another module."""
    try:
        spec = find_spec(name)
    except ValueError:  # such as __main__
        other = name
    else:
        other = str(spec.origin or name) if spec else str(path)
    if Path(other).resolve() != path:
        raise BrokenPluginError(
            f"cannot import {path}: there is another module {name!r} ({other}). Rename the file."
        )


def _registered() -> dict[str, frozenset[str]]:
    return {registry.group: registry.own_names() for registry in REGISTRIES}


def _explain(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.msg} in line {error.lineno}" if error.lineno else error.msg
    return describe(error).removesuffix(".")
