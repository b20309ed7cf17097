"""Importers under test, and their checks."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo.bundle.files import temporary_folder
from ganzoo.errors import ConformanceError, ImportFileError
from ganzoo.exporters import import_match
from ganzoo.importers import Checkpoint, Match, StoredTensor, convert, open_checkpoint, recognise
from ganzoo.importers.conversion import options_of, used_tensors
from ganzoo.importers.recognition import parts
from ganzoo.importers.values import DTYPES
from ganzoo.registry import importers
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, prerequisite
from ganzoo.testing.imports import imports_quietly

STRANGER = "stranger.weight"  # a tensor that no format has


def needs_no_torch(subject: Importer) -> None:
    """Importing its module does not import torch, which `--inspect` works without."""
    module = subject.entry.target.partition(":")[0]
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    path = [sys.executable, "-P", "-c", code]
    if subject.entry.distribution is None:
        raise NotChecked("it is registered by this process.")
    if subprocess.run(path, check=False, capture_output=True).returncode:
        raise ConformanceError(
            f"{module} cannot be imported without torch: convert with numpy, and name the "
            "architecture instead of importing it."
        )


def has_free_options(subject: Importer) -> None:
    """Its options have names and types, a default, and no name of an option of every format."""
    for argument in options_of(subject.entry, subject.importer).values():
        if argument.default is inspect.Parameter.empty:
            raise ConformanceError(
                f"{subject.label} needs the option {argument.name!r}: give it a default, and raise "
                "an ImportFileError that says what to type."
            )


def converts(subject: Importer) -> None:
    """Its own file is recognised, and becomes a bundle on which both runtimes agree."""
    with temporary_folder() as folder:
        import_match(subject.match, folder / "bundle", subject.options, figures=False)


def accounts_for_all_tensors(subject: Importer) -> None:
    """A file with another tensor, or without one that it uses, is refused."""
    tensors = subject.match.checkpoint.tensors
    changes = {f"with a tensor {STRANGER!r}": {**tensors, STRANGER: _tensor(3)}}
    with prerequisite("converts"):
        used = sorted(used_tensors(convert(subject.match, subject.options)))
    for path in used:
        changes[f"without {path!r}"] = {k: v for k, v in tensors.items() if k != path}
    for change, changed in changes.items():
        if _imports(subject, changed):
            raise ConformanceError(
                f"{subject.label} imports its file {change} as if nothing were wrong: derive the "
                "weights from the architecture's names, and ignore only what is named."
            )


def recognises_no_other_file(subject: Importer) -> None:
    """A file without its tensors is not recognised."""
    checkpoint = subject.checkpoint
    for tensors in ({}, {STRANGER: _tensor(3)}, {"0.weight": _tensor(2), "0.bias": _tensor(2)}):
        other = replace(checkpoint, tensors=tensors, values={}, classes={}, config={})
        if any(subject.importer.recognises(part) for _, part in parts(other)):
            raise ConformanceError(
                f"{subject.label} recognises a file with the tensors {', '.join(tensors) or 'none'}"
                ": compare more names and shapes."
            )


def _imports(subject: Importer, tensors: Mapping[str, StoredTensor]) -> bool:
    from ganzoo.exporters.checkpoint_networks import build, load

    match = replace(subject.match, checkpoint=replace(subject.match.checkpoint, tensors=tensors))
    try:
        if not match.importer.recognises(match.checkpoint):
            return False
        conversion = convert(match, subject.options)
        load(match, conversion, build(conversion)[2])
    except ImportFileError:
        return False
    return True


def _tensor(size: int) -> StoredTensor:
    return StoredTensor(DTYPES["float32"], (size,), lambda: np.ones(size, np.float32))


class Importer(CheckedPlugin):
    """An importer under test.

    Args:
        name: its registered name.
        file: a checkpoint of its format; None for none.
        options: options of the format for this file.
        distribution: the distribution that registers it, if several register the name.
    """

    registry = importers
    checks = (
        registration.loads,
        imports_quietly,
        needs_no_torch,
        has_free_options,
        converts,
        accounts_for_all_tensors,
        recognises_no_other_file,
    )

    def __init__(
        self,
        name: str,
        file: Path | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        distribution: str | None = None,
    ) -> None:
        super().__init__(name, distribution)
        self.file = file
        self.options = dict(options or {})

    @cached_property
    def importer(self) -> Any:
        """The importer."""
        return self.thing()

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """Its own file.

        Raises:
            NotChecked: there is none.
        """
        if self.file is None:
            raise NotChecked(
                "it has no checkpoint; the ImporterSuite of ganzoo.testing is given one."
            )
        return open_checkpoint(self.file)

    @cached_property
    def match(self) -> Match:
        """Its own file, recognised.

        Raises:
            ConformanceError: another importer recognises it, or none.
        """
        with prerequisite("loads"):
            self.importer  # noqa: B018
        match = recognise(self.checkpoint)
        if match.entry != self.entry:
            raise ConformanceError(
                f"{self.label} does not get its own file: {match.entry.name!r} recognises it."
            )
        return match
