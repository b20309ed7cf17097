"""Import libraries that would write to the home folder, use the network or change the process."""

from __future__ import annotations

import contextlib
import functools
import glob
import os
import random
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ganzoo.errors import no_temporary_folder
from ganzoo.system.cache import cache_folder
from ganzoo.system.quiet import is_of_one_thread

_COMPILER_FOLDER = "TORCHINDUCTOR_CACHE_DIR"
# Variables that scikit-learn and OpenCV set when they are imported, and torch's compiler at its
# first use.
_SET = (
    *("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"),
    *("LD_LIBRARY_PATH", "QT_QPA_FONTDIR", "QT_QPA_PLATFORM_PLUGIN_PATH"),
    _COMPILER_FOLDER,
)

_LOCK = threading.Lock()
_HELD: dict[str, tuple[int, str | None]] = {}  # by variable: its users and its former value


@contextlib.contextmanager
def quiet_imports() -> Iterator[None]:
    """Import onnxruntime, matplotlib, umap or what imports them in this block.

    - From version 1.29, onnxruntime writes an identifier of the machine to the home folder and
      looks up a host on the network, unless ORT_DISABLE_TELEMETRY is set during its import. Its
      function `disable_telemetry_events` comes too late.
    - matplotlib writes a list of fonts to the home folder. Here it goes to ganzoo's cache folder,
      unless the user has a folder of matplotlib's.
    - numba, which umap imports, writes compiled code to the home folder if it cannot write beside
      the code. Then it goes to ganzoo's cache folder, too.
    - Some libraries set variables of the environment, filters of warnings or draw random numbers of
      Python. Afterwards these are as before, also if another thread changed them meanwhile.

    Raises:
        OutputError: matplotlib finds no folder that is writable.
    """
    variables: dict[str, str | None] = {"ORT_DISABLE_TELEMETRY": "1", **dict.fromkeys(_SET)}
    with contextlib.suppress(RuntimeError):  # the user has no home folder
        if not ("matplotlib" in sys.modules or _uses_matplotlib()):
            variables["MPLCONFIGDIR"] = str(cache_folder() / "matplotlib")
        if "umap" not in sys.modules and _umap_is_read_only():
            variables["NUMBA_CACHE_DIR"] = str(cache_folder() / "numba")
    with (
        environment(**{name: os.environ.get(name, value) for name, value in variables.items()}),
        _unchanged(),
        _without_compiler_folder(),
    ):
        try:
            yield
        except OSError as error:
            if "temporary directory" not in str(error):
                raise
            raise no_temporary_folder() from error  # matplotlib's folder is not writable either


@contextlib.contextmanager
def _unchanged() -> Iterator[None]:
    """Remove filters of warnings and take back random numbers of Python if modules are new."""
    has_sklearn, filters = "sklearn" in sys.modules, warnings.filters[:]
    # New modules are the last ones. To compare all names would take longer than most factories.
    modules = _newest_module()
    numbers = random.getstate()
    try:
        yield
    finally:
        if not has_sklearn and "sklearn" in sys.modules:
            # OpenMP's libraries read scikit-learn's variables when they start, which this does.
            from threadpoolctl import threadpool_info

            threadpool_info()
        if modules != _newest_module():
            for entry in [entry for entry in warnings.filters if entry not in filters]:
                if not is_of_one_thread(entry):
                    with contextlib.suppress(ValueError):
                        warnings.filters.remove(entry)  # type: ignore[attr-defined]
            if random.getstate() != numbers:
                random.setstate(numbers)


def _newest_module() -> tuple[int, str]:
    """Return the number of modules, and the name of the newest one."""
    names = list(sys.modules)  # at once, since another thread may import
    return len(names), names[-1]


@contextlib.contextmanager
def kept_random_numbers() -> Iterator[None]:
    """Give Python's random generator, which all threads share, back as it was before the block."""
    numbers = random.getstate()
    try:
        yield
    finally:
        random.setstate(numbers)


@contextlib.contextmanager
def kept_variables() -> Iterator[None]:
    """Restore the variables that libraries set in the block, and remove torch's empty folder."""
    variables = {name: os.environ.get(name) for name in _SET}
    with environment(**variables), _without_compiler_folder():
        yield


@contextlib.contextmanager
def _without_compiler_folder() -> Iterator[None]:
    """Remove the temporary folder that torch's compiler creates when it is imported.

    The first step of an optimizer imports the compiler, and so do some libraries. A folder with
    files, or one that existed before the block, stays.
    """
    folders = _compiler_folders()
    try:
        yield
    finally:
        folder = os.environ.get(_COMPILER_FOLDER)
        if folder and folder in _compiler_folders() - folders:
            with contextlib.suppress(OSError):  # it has files
                os.rmdir(folder)


def _compiler_folders() -> set[str]:
    """Return the folders of torch's compiler among the temporary files."""
    try:
        return set(glob.glob(os.path.join(glob.escape(tempfile.gettempdir()), "torchinductor_*")))
    except OSError:  # there is no folder for temporary files
        return set()


@contextlib.contextmanager
def environment(**variables: str | None) -> Iterator[None]:
    """Set variables of the environment while the block runs.

    A variable whose value is None stays as it is, and the block may set it. If several threads set
    a variable at once, it gets its former value back after the last of them.
    """
    with _LOCK:
        for name, value in variables.items():
            users, before = _HELD.get(name, (0, os.environ.get(name)))
            _HELD[name] = users + 1, before
            if value is not None:
                os.environ[name] = value
    try:
        yield
    finally:
        with _LOCK:
            for name in variables:
                users, before = _HELD.pop(name)
                if users > 1:
                    _HELD[name] = users - 1, before
                elif before is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = before


@functools.cache
def _umap_is_read_only() -> bool:
    """Return whether umap is installed in a folder that is not writable."""
    umap = find_spec("umap")
    return bool(umap and umap.origin and not os.access(Path(umap.origin).parent, os.W_OK))


def _uses_matplotlib() -> bool:
    """Return whether the user has a folder of matplotlib's."""
    home = Path.home()
    parents = [
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config"),
        Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache"),
    ]
    folders = [*(parent / "matplotlib" for parent in parents), home / ".matplotlib"]
    return any(folder.is_dir() for folder in folders)
