"""The image files of a zip, as the dataset ``zip`` uses them."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganzoo.data.datasets import find_dataset
from ganzoo.errors import DataError, shell_word
from ganzoo.sampling.image_folders import FILE_DATASETS, ImageList, Labels
from ganzoo.sampling.zip_files import index_zip, read_member

if TYPE_CHECKING:
    from ganzoo.data.survey.summary import DataSummary

ENDING = ".zip"


def is_zip(path: Path) -> bool:
    """Return whether a path is a zip.

    Raises:
        DataError: it is a file of another kind.
    """
    if not path.is_file():
        return False
    ending = path.suffix.lower()
    if ending == ENDING:
        return True
    dataset = FILE_DATASETS.get(ending)
    advice = (
        f"A training reads it with --dataset {dataset}, and checks it when it starts: ganzoo train "
        f"RECIPE --dataset {dataset} --data {shell_word(path)} --dry-run"
        if dataset
        else "Pass a folder or a zip."
    )
    raise DataError(f"only folders and zips of image files are described, not {path}. {advice}")


def list_zip(path: Path, labels: Labels) -> tuple[ImageList, dict[str, int], str]:
    """Return the image files of a zip, the number of each class, and the line about the files.

    Raises:
        DataNotFoundError, DataError: as for the dataset ``zip``.
    """
    opened, spec = find_dataset("zip", {"labels": labels, "skip_corrupt": True}, path)
    dataset: Any = opened
    classes: dict[str, int] = {}
    if spec.classes:
        numbers = np.bincount(dataset.labels, minlength=spec.classes).tolist()
        classes = dict(zip(spec.class_names, numbers, strict=True))
    return ImageList(path, dataset.names, dataset.counts), classes, dataset.file_counts


def explain_refusal(summary: DataSummary) -> str:
    """Return why a training refuses a zip without ``skip_corrupt``; empty if it does not."""
    path = Path(summary.folder)
    if path.suffix.lower() != ENDING or not path.is_file():
        return ""
    try:
        find_dataset("zip", {"labels": summary.labels}, path)
    except DataError as error:
        return str(error)
    return ""


def read_zipped(path: str) -> bytes | None:
    """Return the content of an image file in a zip, such as ``a.zip/b.png``; None for a file.

    Raises:
        DataError, ImageFileError: as for `read_member`.
    """
    if os.path.lexists(path):
        return None
    archive = next((parent for parent in Path(path).parents if parent.is_file()), None)
    if archive is None:
        return None
    name = path[len(os.path.join(archive, "")) :]
    entries = _entries(archive, archive.stat().st_mtime_ns)
    return read_member(archive, f"{name} of the zip {archive}", entries[name])


@functools.lru_cache(maxsize=1)  # each process reads the list of members once
def _entries(archive: Path, changed: int) -> dict[str, np.void]:
    index = index_zip(archive, skip_corrupt=True)
    return dict(zip(index.names, index.entries, strict=True))
