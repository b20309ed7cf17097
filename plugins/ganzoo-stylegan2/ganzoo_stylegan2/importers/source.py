"""A network in a checkpoint: its shapes and options, with an error for each that does not fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo.errors import ImportFileError
from ganzoo.importers import Checkpoint, count_parts, shape_of

WITHOUT_DISCRIMINATOR = "Import the generator alone with --without-discriminator."
GROUPS = (
    "The discriminator compares consecutive samples by their standard deviation; the original "
    "program compares samples at equal distances in the batch."
)
HALF_PRECISION = (
    "All layers compute in float32. On a GPU, the original program computes the largest maps in "
    "half precision."
)

# The filter of `architectures.resampling`.
FILTER = np.outer((1.0, 3.0, 3.0, 1.0), (1.0, 3.0, 3.0, 1.0)) / 64

_PLAIN = (bool, int, float, str, tuple, type(None))


def options_below(checkpoint: Checkpoint, path: str) -> dict[str, Any]:
    """Return the plain values below a path, by their path from there; names and bytes as text."""
    start = f"{path}."
    return {
        name.removeprefix(start): value if isinstance(value, _PLAIN) else str(value)
        for name, value in checkpoint.values.items()
        if name.startswith(start)
    }


def check_truncation(truncation: float) -> float:
    """Return a truncation.

    Raises:
        ImportFileError: it is not in [0, 1].
    """
    if not 0 <= truncation <= 1:
        raise ImportFileError(
            f"truncation is {truncation}, but must be in [0, 1]. Use --truncation 0.7, for example."
        )
    return truncation


@dataclass(frozen=True)
class Source:
    """A network in a checkpoint.

    Attributes:
        checkpoint: the checkpoint.
        name: path of the network.
        remedy: what to do if the network cannot be imported.
        architecture: registered name of the architecture that it becomes.
    """

    checkpoint: Checkpoint
    name: str
    remedy: str
    architecture: str = "stylegan2"

    def path(self, name: str) -> str:
        """Return the path of a tensor or option of the network in the checkpoint."""
        return f"{self.name}.{name}"

    def paths(self, *names: str) -> tuple[str, ...]:
        """Return the paths of several tensors."""
        return tuple(map(self.path, names))

    def has(self, name: str) -> bool:
        """Return whether the network has a tensor."""
        return self.path(name) in self.checkpoint.tensors

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """Return the shape of a tensor, as `ganzoo.importers.shape_of`."""
        return shape_of(self.checkpoint, self.path(name), rank)

    def check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Raise an ImportFileError unless a tensor has this shape."""
        if (own := self.shape(name, len(shape))) != shape:
            raise ImportFileError(f"{self.path(name)} has shape {own}, not {shape}. {self.remedy}")

    def count(self, pattern: str, start: int = 0) -> int:
        """Return how many tensors there are of consecutive names, such as ``fc{}.weight``."""
        return count_parts(self.checkpoint, self.path(pattern), start)

    def refuse(self, option: str, value: Any, supported: str) -> ImportFileError:
        """Return the error for an option that the architecture does not have."""
        return ImportFileError(
            f"{self.name} has {option} = {value!r}, and the architecture {self.architecture!r} has "
            f"{supported}. {self.remedy}"
        )

    def value(self, option: str, names: Iterable[str]) -> Any:
        """Return the value that the modules `names` have of an option in common.

        Raises:
            ImportFileError: a module does not state it, or two have different ones.
        """
        modules = {name: self.path(f"{name}.{option}") for name in names}
        values = {name: self.checkpoint.values.get(path, ...) for name, path in modules.items()}
        for name, value in values.items():
            if value is ...:
                raise ImportFileError(
                    f"the option {modules[name]!r} is missing, and the network depends on it. "
                    f"{self.remedy}"
                )
        if len(set(values.values())) != 1:
            several = tuple(dict.fromkeys(values.values()))
            raise self.refuse(option, several, "one value for all layers")
        return next(iter(values.values()))

    def number(self, option: str, names: Iterable[str]) -> float | None:
        """Return the number that the modules `names` have of an option in common, or None."""
        value = self.value(option, names)
        if value is not None and not isinstance(value, int | float):
            raise self.refuse(option, value, "a number")
        return None if value is None else float(value)

    def expect(self, option: str, names: Iterable[str], expected: Any) -> None:
        """Raise an ImportFileError unless the modules `names` have this value of an option."""
        if (value := self.value(option, names)) != expected:
            raise self.refuse(option, value, repr(expected))

    def check_filters(self, suffix: str, gain: int = 1) -> None:
        """Raise an ImportFileError unless filters are those of the architecture, times `gain`."""
        for path, tensor in self.checkpoint.tensors.items():
            if path.startswith(f"{self.name}.") and path.endswith(suffix):
                fits = tensor.shape == FILTER.shape
                if not fits or not np.allclose(tensor.read(), gain * FILTER, rtol=1e-4, atol=0):
                    name = path.removeprefix(f"{self.name}.")
                    raise self.refuse(name, "another filter", "the filter (1, 3, 3, 1)")
