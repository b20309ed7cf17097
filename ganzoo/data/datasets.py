"""Dataset lookup by name, and the data folder."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.errors import BrokenPluginError, DataNotFoundError, shell_word
from ganzoo.registry import datasets, needs_data
from ganzoo.spec import DataSpec
from ganzoo.system.terminal import print_error

DATA_VARIABLE = "GANZOO_DATA"

_SEQUENCE = ("__len__", "__getitem__")


def find_root(dataset: str, data: str | Path | None) -> Path | None:
    """Return the data folder: `data` if it is not None, else GANZOO_DATA if it is set, else None.

    Warns if the user names a folder for a dataset that reads none.

    Args:
        dataset: the registered name. If its factory has an attribute `needs_data`, False, it reads
            no folder, and there is none.
        data: folder that the user names, or None.

    Raises:
        UnknownNameError, BrokenPluginError, ...: there is no such dataset, see `Registry.get`.
        DataNotFoundError: the path starts with the ``~user`` of an unknown user.
    """
    if not needs_data(dataset):
        if data is not None:
            warnings.warn(
                f"dataset {dataset!r} comes with its package and reads no data folder, so "
                f"--data {shell_word(data)} is not used. To use files, name a dataset of files, "
                "such as --dataset folder",
                stacklevel=3,
            )
        return None
    path = data if data is not None else os.environ.get(DATA_VARIABLE)
    try:
        return Path(path).expanduser() if path else None
    except RuntimeError as error:
        raise DataNotFoundError(
            f"folder not found: {path}. {error} Pass its location with --data DIR."
        ) from error


def find_dataset(
    name: str, arguments: Mapping[str, Any], root: Path | None
) -> tuple[Dataset[tuple[Tensor, ...]], DataSpec]:
    """Open a registered dataset.

    Args:
        name: the registered name.
        arguments: keyword arguments of the dataset's factory.
        root: folder that contains the data.

    Returns:
        The torch dataset and its spec.

    Raises:
        UnknownNameError, BrokenPluginError, ...: there is no such dataset, see `Registry.make`.
        DataNotFoundError, DataError: the data is missing or cannot be used.
    """
    result = datasets.make(name, root, **arguments)
    match result:
        case (dataset, DataSpec() as spec) if all(hasattr(dataset, name) for name in _SEQUENCE):
            return dataset, spec
    parts = result if isinstance(result, tuple) else (result,)
    types = " and ".join(type(part).__name__ for part in parts) or "nothing"
    raise BrokenPluginError(
        f"{datasets.cite(name)} returned {types}, not a torch dataset with a length and its "
        "DataSpec. Report this to the plugin's author."
    )


def show_file_counts(dataset: Dataset[tuple[Tensor, ...]]) -> None:
    """Print one line about the files of a dataset to standard error, if it counts them.

    Datasets of files have an attribute `file_counts` (a str) about the files in use and those that
    are skipped.
    """
    if counts := getattr(dataset, "file_counts", ""):
        print_error(f"data: {counts}")
