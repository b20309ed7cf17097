"""Datasets under test, and their checks."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from functools import cached_property
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset as Items

from ganzoo.data.reading import read_items
from ganzoo.data.workers import ReadAhead
from ganzoo.errors import ConformanceError, DataNotFoundError
from ganzoo.registry import datasets
from ganzoo.registry.signatures import bind
from ganzoo.spec import DataSpec
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, prerequisite
from ganzoo.testing.imports import imports_quietly

SAMPLE = 32  # items to check, evenly spread from the first to the last

Opened = tuple[Items[tuple[Tensor, ...]], DataSpec]


def opens(subject: Dataset) -> None:
    """It opens, and returns a dataset with at least one item and a DataSpec."""
    opened = subject.open()
    if not isinstance(opened, tuple) or len(opened) != 2 or not isinstance(opened[1], DataSpec):
        raise ConformanceError(
            f"{subject.label} returns {type(opened).__name__}, but must return a torch dataset "
            "and its DataSpec: return dataset, spec."
        )
    if not len(opened[0]):  # type: ignore[arg-type]
        raise ConformanceError(f"{subject.label} has no items: raise a DataNotFoundError instead.")


def has_items_as_specified(subject: Dataset) -> None:
    """Its items are uint8 images of the size in its DataSpec, with valid labels."""
    dataset, spec = subject.opened
    parts = 2 if spec.condition is None else 3
    item = dataset[0]
    if not isinstance(item, tuple) or len(item) != parts:
        actual = f"{len(item)} parts" if isinstance(item, tuple) else type(item).__name__
        raise ConformanceError(
            f"{subject.label} has items of {actual}, but its DataSpec needs tuples of {parts}: "
            f"image, label{', condition' * (parts - 2)}."
        )
    subject.read(dataset)


def names_its_origin(subject: Dataset) -> None:
    """Its DataSpec names the origin of the images. A missing licence gives a warning."""
    _, spec = subject.opened
    if not spec.origin.strip():
        raise ConformanceError(
            f"{subject.label} has no origin, which the card of each trained model must name: "
            'DataSpec(..., origin="MNIST (LeCun et al., 1998)").'
        )
    if spec.license is None:
        warnings.warn(f"{subject.label} has no licence: DataSpec(..., license=...)", stacklevel=2)


def is_the_same_twice(subject: Dataset) -> None:
    """Its items are the same if they are read again, and if it is opened again."""
    first = subject.read(subject.opened[0])
    with prerequisite("opens"):
        reopened = subject.open()[0]
    for action, dataset in (("read again", subject.opened[0]), ("opened again", reopened)):
        if not _same(first, subject.read(dataset)):
            raise ConformanceError(
                f"{subject.label} has other items when it is {action}: item k must always be the "
                "same. Random augmentation belongs to the loss (--loss.augmentation)."
            )


def is_read_by_workers(subject: Dataset) -> None:
    """It can be pickled for worker processes, which read the same items."""
    dataset, spec = subject.opened
    try:
        ForkingPickler.dumps(dataset)
    except Exception as error:  # pickling may raise anything
        raise ConformanceError(
            f"{subject.label} cannot be pickled for worker processes: {error}; keep no open file, "
            "lambda or nested function in it."
        ) from error
    places = subject.places(dataset)
    reads = ReadAhead(dataset, spec, [(places, places)], workers=1)
    if not _same(subject.read(dataset), tuple(next(reads))):
        raise ConformanceError(
            f"{subject.label} has other items in worker processes: item k must depend only on k "
            "and on the files."
        )


def reports_missing_files(subject: Dataset) -> None:
    """If its files are missing, it raises a DataNotFoundError."""
    with prerequisite("opens"):
        arguments = subject.bound
    with tempfile.TemporaryDirectory() as empty:
        for root, description in (
            (Path(empty), "an empty folder"),
            (Path(empty) / "none", "a folder that does not exist"),
        ):
            try:
                dataset, _ = subject.thing(root, **arguments)
                dataset[0]
            except DataNotFoundError:
                continue
            except Exception as error:
                raise ConformanceError(
                    f"{subject.label}, opened in {description}, raises {type(error).__name__} "
                    f"({error}): raise a ganzoo.errors.DataNotFoundError that names the folder and "
                    "what to type, as ganzoo.sampling.image_folders.find_folder does."
                ) from error


class Dataset(CheckedPlugin):
    """A dataset with its arguments, under test.

    Args:
        name: its registered name.
        arguments: arguments of its factory; None for the defaults.
        root: folder with its files.
        distribution: the distribution that registers it, if several register the name.
    """

    registry = datasets
    checks = (
        registration.loads,
        registration.has_matching_name,
        registration.takes_named_arguments,
        imports_quietly,
        opens,
        has_items_as_specified,
        names_its_origin,
        is_the_same_twice,
        is_read_by_workers,
        reports_missing_files,
    )

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        root: Path | None = None,
        distribution: str | None = None,
    ) -> None:
        super().__init__(name, distribution)
        self.arguments = arguments or {}
        self.root = root

    @cached_property
    def bound(self) -> dict[str, Any]:
        """All arguments of its factory, with defaults.

        Raises:
            RecipeError: an argument is unknown or missing.
        """
        return bind("dataset", self.name, self.thing, self.arguments)

    def open(self) -> Opened:
        """Return the torch dataset and its DataSpec.

        Raises:
            NotChecked: its files are missing and no folder is set.
            RecipeError, DataError, ...: its arguments, or its files, are invalid.
        """
        try:
            opened: Opened = self.thing(self.root, **self.bound)
        except DataNotFoundError as error:
            if self.root is None:
                raise NotChecked(
                    "its files are not found: pass their folder with --data DIR, or as `root`."
                ) from error
            raise
        return opened

    @cached_property
    def opened(self) -> Opened:
        """The result of `open`.

        Raises:
            NotChecked: it does not open.
        """
        with prerequisite("opens"):
            opens(self)
            return self.open()

    def places(self, dataset: Items[tuple[Tensor, ...]]) -> list[int]:
        """Return the indices of the items to check."""
        last = len(dataset) - 1  # type: ignore[arg-type]
        return sorted({last * k // (SAMPLE - 1) for k in range(SAMPLE)})

    def read(self, dataset: Items[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        """Return the images, labels and conditions of the items to check.

        Raises:
            DataError: an item does not match the DataSpec.
        """
        places = self.places(dataset)
        return tuple(read_items(dataset, self.opened[1], places, places))


def _same(a: tuple[Tensor | None, ...], b: tuple[Tensor | None, ...]) -> bool:
    return all(
        x is y is None or (x is not None and y is not None and torch.equal(x, y))
        for x, y in zip(a, b, strict=True)
    )
