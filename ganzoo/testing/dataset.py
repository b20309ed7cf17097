"""A dataset that is checked, and the checks that are its own."""

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
from ganzoo.testing.checks import NotChecked, after
from ganzoo.testing.imports import imports_quietly

LOOKED_AT = 32  # items, evenly spread from the first to the last

Opened = tuple[Items[tuple[Tensor, ...]], DataSpec]


def opens(subject: Dataset) -> None:
    """It opens, and says what it holds."""
    opened = subject.open()
    if not isinstance(opened, tuple) or len(opened) != 2 or not isinstance(opened[1], DataSpec):
        raise ConformanceError(
            f"{subject.label} returns {type(opened).__name__}, and must return a torch dataset "
            "and its DataSpec: return dataset, spec."
        )
    if not len(opened[0]):  # type: ignore[arg-type]
        raise ConformanceError(f"{subject.label} holds no item: raise a DataNotFoundError instead.")


def has_items_as_specified(subject: Dataset) -> None:
    """Its items are uint8 images of the size its DataSpec says, with labels that exist."""
    dataset, spec = subject.opened
    parts = 2 if spec.condition is None else 3
    item = dataset[0]
    if not isinstance(item, tuple) or len(item) != parts:
        shown = len(item) if isinstance(item, tuple) else type(item).__name__
        raise ConformanceError(
            f"{subject.label} has items of {shown} parts, and its DataSpec asks for {parts}: "
            f"image, label{', and the image it is made from' * (parts - 2)}."
        )
    subject.read(dataset)


def says_its_origin(subject: Dataset) -> None:
    """Its DataSpec says where the images come from; that no licence is known is warned of."""
    _, spec = subject.opened
    if not spec.origin.strip():
        raise ConformanceError(
            f"{subject.label} says no origin, which every card of a model trained on it must name: "
            'DataSpec(..., origin="MNIST (LeCun et al., 1998)").'
        )
    if spec.license is None:
        warnings.warn(f"{subject.label} says no licence: DataSpec(..., license=...)", stacklevel=2)


def is_the_same_twice(subject: Dataset) -> None:
    """Its items are the same when they are read again, and when it is opened again."""
    first = subject.read(subject.opened[0])
    with after("opens"):
        anew = subject.open()[0]
    for how, dataset in (("read again", subject.opened[0]), ("opened again", anew)):
        if not _same(first, subject.read(dataset)):
            raise ConformanceError(
                f"{subject.label} has other items when it is {how}: item k is always the same; "
                "random changes to images are the game's (--loss.augmentation)."
            )


def is_read_by_workers(subject: Dataset) -> None:
    """Other processes can be handed it, and read the same items."""
    dataset, spec = subject.opened
    try:
        ForkingPickler.dumps(dataset)
    except Exception as error:  # whatever it holds may raise anything
        raise ConformanceError(
            f"{subject.label} cannot be handed to the processes that read ahead: {error}; hold no "
            "open file, lambda or function inside a function."
        ) from error
    places = subject.places(dataset)
    reads = ReadAhead(dataset, spec, [(places, places)], workers=1)
    if not _same(subject.read(dataset), tuple(next(reads))):
        raise ConformanceError(
            f"{subject.label} has other items in the processes that read ahead: let item k depend "
            "on k and on the files alone."
        )


def says_where_it_is_missing(subject: Dataset) -> None:
    """Where its files are not, it says so with a DataNotFoundError."""
    with after("opens"):
        arguments = subject.bound
    with tempfile.TemporaryDirectory() as empty:
        for root, where in (
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
                    f"{subject.label}, asked for data in {where}, raises {type(error).__name__} "
                    f"({error}): raise a ganzoo.errors.DataNotFoundError that says where it looked "
                    "and what to type, as ganzoo.sampling.image_files.find_folder does."
                ) from error


class Dataset(CheckedPlugin):
    """A dataset at some arguments.

    Args:
        name: its registered name.
        arguments: of its factory; None for its defaults.
        root: where its files lie.
        distribution: who registers it, where that must be said.
    """

    registry = datasets
    checks = (
        registration.loads,
        registration.is_named_alike,
        registration.takes_named_arguments,
        imports_quietly,
        opens,
        has_items_as_specified,
        says_its_origin,
        is_the_same_twice,
        is_read_by_workers,
        says_where_it_is_missing,
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
        """All its arguments.

        Raises:
            RecipeError: one that it does not have, or lacks.
        """
        return bind("dataset", self.name, self.thing, self.arguments)

    def open(self) -> Opened:
        """Open it.

        Raises:
            NotChecked: nobody has said where its files lie.
            RecipeError, DataError, ...: its arguments, or its files, are wrong.
        """
        try:
            opened: Opened = self.thing(self.root, **self.bound)
        except DataNotFoundError as error:
            if self.root is None:
                raise NotChecked(
                    "its files are not here: say where with --data, or as `root`."
                ) from error
            raise
        return opened

    @cached_property
    def opened(self) -> Opened:
        """What `open` returned.

        Raises:
            NotChecked: it does not open.
        """
        with after("opens"):
            opens(self)
            return self.open()

    def places(self, dataset: Items[tuple[Tensor, ...]]) -> list[int]:
        """The items that are looked at."""
        last = len(dataset) - 1  # type: ignore[arg-type]
        return sorted({last * k // (LOOKED_AT - 1) for k in range(LOOKED_AT)})

    def read(self, dataset: Items[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        """Read these items: images, labels, conditions.

        Raises:
            DataError: they are not as specified.
        """
        places = self.places(dataset)
        return tuple(read_items(dataset, self.opened[1], places, places))


def _same(a: tuple[Tensor | None, ...], b: tuple[Tensor | None, ...]) -> bool:
    return all(
        x is y is None or (x is not None and y is not None and torch.equal(x, y))
        for x, y in zip(a, b, strict=True)
    )
