"""What an importer is, and what it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo.importers.checkpoint import Checkpoint
from ganzoo.spec import DataSpec


class Computed(NamedTuple):
    """A weight that is computed from tensors of a checkpoint, or from none.

    Attributes:
        compute: returns the weight for the tensors' arrays, in the order of `paths`. Numbers of
            half precision are float32 there.
        paths: paths of the tensors.
    """

    compute: Callable[..., NDArray[np.floating[Any]]]
    paths: tuple[str, ...] = ()


Weights = dict[str, str | Computed]
"""The weights of a network by their name in its ``state_dict()``: the path of a tensor in the
checkpoint, or a `Computed` weight."""


class License(NamedTuple):
    """The licence of a model.

    Attributes:
        id: the Hub's identifier, such as ``mit`` or ``other``.
        name: its name, if the identifier is ``other``.
        link: URL of its text, if the identifier is ``other``.
    """

    id: str
    name: str = ""
    link: str = ""


@dataclass(frozen=True)
class Conversion:
    """The networks of a checkpoint, in the terms of a registered architecture.

    `ganzoo.import_checkpoint` checks it: every tensor of the checkpoint is used or ignored for a
    reason, every weight of the architecture is there with its shape, all numbers are finite, and
    both runtimes agree.

    Attributes:
        architecture: registered name of the architecture.
        arguments: its arguments that differ from their defaults.
        data: the images that the generator makes, with their classes and condition.
        weights: `Weights` by role. All roles but the generator are kept for further training.
        ignored: the reason why tensors are not used, by path; ``*`` stands for any characters.
        options: options of the original program, for the card.
        network: the part of the file that is imported, such as ``G_ema``; empty if it has one part.
        deviations: in which ways the result differs from the original program.
        license: the licence; None if the format does not fix it.
    """

    architecture: str
    arguments: Mapping[str, Any]
    data: DataSpec
    weights: Mapping[str, Mapping[str, str | Computed]]
    ignored: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    network: str = ""
    deviations: tuple[str, ...] = ()
    license: License | None = None


class Importer(ABC):
    """Converts the checkpoints of one project.

    A plugin registers the class under ``ganzoo.importers``; it is created without arguments.
    Keyword-only parameters of `convert` with a default are options of ``ganzoo import``. Neither
    torch nor code of the project is imported.

    Attributes:
        project: name and URL of the original program.
        marks: paths of tensors that each file of this format has. The error for an unknown file
            names the formats of which it has the most.
        is_general: whether it is tried only on files that no other importer recognises, such as
            one that imports a library to look at a file.
    """

    project: ClassVar[str]
    marks: ClassVar[frozenset[str]]
    is_general: ClassVar[bool] = False

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file has this format, by its paths, shapes and class names.

        Args:
            checkpoint: the file, or a part of it that may be one network: `parts` of
                `ganzoo.importers.recognition` says which.
        """
        return self.marks <= checkpoint.tensors.keys()

    def explain(self, checkpoint: Checkpoint) -> str:
        """Return what a file that no importer recognises is not, as a sentence without a period.

        It is part of the error. By default it is empty, and the error names the nearest formats.
        """
        return ""

    @abstractmethod
    def convert(self, checkpoint: Checkpoint) -> Conversion:
        """Convert a recognised file.

        Args:
            checkpoint: the file, or the part of it that `recognises` accepted.

        Raises:
            ImportFileError: an option or a shape has no counterpart in the architecture.
        """
