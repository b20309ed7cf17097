"""The file of a dataset that is one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ganzoo.errors import DataError, DataNotFoundError, shell_word

_MAX_NAMES = 5  # in an error message


def find_file(dataset: str, root: Path | None, endings: Sequence[str]) -> Path:
    """Return a dataset's file: the path itself, or the only such file of a folder.

    Args:
        dataset: registered name of the dataset.
        root: the file or the folder.
        endings: the endings of such files, in lower case.

    Raises:
        DataNotFoundError: no path is given, it does not exist, or the folder has no such file.
        DataError: the folder has several such files, or the path is neither a file nor a folder.
    """
    kinds = " or ".join(endings)
    if root is None:
        raise DataNotFoundError(
            f"dataset {dataset!r} needs a {kinds} file, but none is given. Pass --data FILE or set "
            "GANZOO_DATA=FILE."
        )
    if root.is_file():
        return root
    if not root.exists():
        raise DataNotFoundError(f"file not found: {root}. Pass its location with --data FILE.")
    if not root.is_dir():  # to open a pipe would wait for a writer
        raise DataError(f"{root} is neither a file nor a folder. Pass a {kinds} file with --data.")
    files = sorted(
        path
        for path in root.iterdir()
        if path.suffix.lower() in endings and path.is_file() and not path.name.startswith(".")
    )
    if not files:
        raise DataNotFoundError(
            f"{root} contains no {kinds} file. Pass its location with --data FILE. For a folder of "
            "image files use --dataset folder."
        )
    if len(files) > 1:
        names = ", ".join(path.name for path in files[:_MAX_NAMES])
        raise DataError(
            f"{root} contains {len(files):,} files of this kind: {names}"
            f"{', ...' * (len(files) > _MAX_NAMES)}. Pass one of them: --data "
            f"{shell_word(files[0])}"
        )
    return files[0]
