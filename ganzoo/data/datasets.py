"""Where data lies, and a dataset by its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.errors import BrokenPluginError, DataNotFoundError
from ganzoo.registry import datasets
from ganzoo.spec import DataSpec

DATA_VARIABLE = "GANZOO_DATA"

_SEQUENCE = ("__len__", "__getitem__")


def find_root(data: str | Path | None) -> Path | None:
    """Return the folder that was named, else the one that GANZOO_DATA names, else None.

    Raises:
        DataNotFoundError: a ``~user`` that does not exist.
    """
    where = data if data is not None else os.environ.get(DATA_VARIABLE)
    try:
        return Path(where).expanduser() if where else None
    except RuntimeError as error:
        raise DataNotFoundError(f"no folder {where}: {error}") from error


def find_dataset(
    name: str, arguments: Mapping[str, Any], root: Path | None
) -> tuple[Dataset[tuple[Tensor, ...]], DataSpec]:
    """Open a registered dataset.

    Args:
        name: its registered name.
        arguments: those of its factory.
        root: where it lies.

    Raises:
        UnknownNameError, BrokenPluginError, ...: no such dataset, as `Registry.make`.
        DataNotFoundError, DataError: it is not there, or cannot be used.
    """
    made = datasets.make(name, root, **arguments)
    match made:
        case (dataset, DataSpec() as spec) if all(hasattr(dataset, name) for name in _SEQUENCE):
            return dataset, spec
    parts = made if isinstance(made, tuple) else (made,)
    kinds = " and ".join(type(part).__name__ for part in parts) or "nothing"
    raise BrokenPluginError(
        f"{datasets.cite(name)} made {kinds}, not a torch dataset with a length and its DataSpec: "
        "its author must mend that."
    )
