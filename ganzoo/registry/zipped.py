"""Files of plugins that Python imports from a zip archive, such as a wheel on its path."""

from __future__ import annotations

import atexit
import functools
import shutil
import zipfile
from pathlib import Path

from ganzoo.errors import no_temporary_folder
from ganzoo.system.temporary import keep_folder


def on_disk(path: Path) -> Path:
    """Return a path outside of archives.

    A file or folder in a zip archive is extracted to a folder that this process removes at its end.
    If the process is killed, the next one that needs a temporary folder removes it.
    Any other path is returned unchanged, whether it exists or not.

    Raises:
        OutputError: no folder for temporary files is writable.
    """
    if path.exists():
        return path
    archive = next((parent for parent in path.parents if parent.is_file()), None)
    if archive is None or not zipfile.is_zipfile(archive):
        return path
    return _extract(archive, path.relative_to(archive).as_posix())


@functools.cache
def _extract(archive: Path, name: str) -> Path:
    try:
        folder = keep_folder()
    except FileNotFoundError as error:
        raise no_temporary_folder() from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as opened:
        members = [m for m in opened.namelist() if m == name or m.startswith(f"{name}/")]
        opened.extractall(folder, members)
    return folder / name
