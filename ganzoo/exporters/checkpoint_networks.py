"""Build the networks of a converted checkpoint, and give them their weights."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ganzoo.errors import MALFORMED, BrokenPluginError, ImportFileError, enumerate_names
from ganzoo.importers import Checkpoint, Computed, Conversion, Match
from ganzoo.importers.conversion import SHOWN, some
from ganzoo.nn.uninitialised import Uninitialised
from ganzoo.registry import architectures
from ganzoo.registry.entries import Entry
from ganzoo.registry.signatures import bind


def build(conversion: Conversion) -> tuple[Entry, dict[str, Any], dict[str, nn.Module]]:
    """Return the architecture, its arguments, and networks without memory for their weights.

    Raises:
        ImportFileError: the conversion has no generator.
        UnknownNameError, MissingPluginError, BrokenPluginError, ArchitectureError, RecipeError: the
            architecture is not installed, or cannot be built.
    """
    entry = architectures.entry(conversion.architecture)
    factory = architectures.load(entry)
    arguments = bind("architecture", entry.name, factory, conversion.arguments)
    with torch.device("meta"), Uninitialised():
        built = architectures.make(entry, conversion.data, **arguments)
    if missing := conversion.weights.keys() - built.keys():
        raise BrokenPluginError(
            f"architecture {entry.name!r} builds no {enumerate_names(missing)}, which the importer "
            "gives weights of. Report this to its author."
        )
    if "generator" not in conversion.weights:
        raise ImportFileError("the file holds no generator. Import the file of the generator.")
    arguments = json.loads(json.dumps(arguments))  # with lists for tuples, as config.json has them
    return entry, arguments, {role: built[role] for role in conversion.weights}


def load(match: Match, conversion: Conversion, networks: Mapping[str, nn.Module]) -> None:
    """Give networks their weights.

    Raises:
        ImportFileError: a weight is missing, unknown, of another shape or kind or not finite, or
            cannot be computed.
    """
    for role, network in networks.items():
        expected, weights = network.state_dict(), conversion.weights[role]
        if weights.keys() != expected.keys():
            raise ImportFileError(
                f"{match.checkpoint.file} does not fit the {role} of {conversion.architecture!r}: "
                f"missing {some(expected.keys() - weights.keys())}; unknown "
                f"{some(weights.keys() - expected.keys())}."
            )
        arrays = {name: _read(match.checkpoint, name, weight) for name, weight in weights.items()}
        _check(match, role, arrays, expected)
        tensors = {k: torch.from_numpy(v).to(expected[k].dtype) for k, v in arrays.items()}
        network.load_state_dict(tensors, strict=True, assign=True)
        network.eval().requires_grad_(False)


def _read(checkpoint: Checkpoint, name: str, weight: str | Computed) -> NDArray[Any]:
    if not isinstance(weight, Computed):
        return np.array(_numbers(checkpoint, weight), order="C")  # a copy, for torch to own
    # In half precision, the result would be rounded again.
    arrays = [_widen(_numbers(checkpoint, path)) for path in weight.paths]
    try:
        return np.array(weight.compute(*arrays), order="C")
    except MALFORMED as error:
        shapes = ", ".join(
            f"{path} ({_size(array.shape)})"
            for path, array in zip(weight.paths, arrays, strict=True)
        )
        raise ImportFileError(
            f"{checkpoint.file}: {name} cannot be computed from {shapes}: "
            f"{textwrap.shorten(str(error), 200)}. Look at it with --inspect."
        ) from error


def _widen(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _numbers(checkpoint: Checkpoint, path: str) -> NDArray[Any]:
    try:
        return checkpoint.tensors[path].read()
    except ImportFileError as error:
        raise ImportFileError(f"{checkpoint.file}: {path}: {error}") from error


def _check(
    match: Match, role: str, arrays: Mapping[str, NDArray[Any]], expected: Mapping[str, Tensor]
) -> None:
    """Raise if an array has another shape than its weight or is of integers in place of fractions
    or the reverse, or has a number that is not finite.
    """
    wrong = [
        f"{name} is {_size(array.shape)}, not {_size(expected[name].shape)}"
        for name, array in arrays.items()
        if array.shape != tuple(expected[name].shape)
    ]
    if wrong:
        raise ImportFileError(
            f"{match.checkpoint.file} does not fit its {role}: {'; '.join(wrong[:SHOWN])}. "
            "Choose another format with --as FORMAT, or look at it with --inspect."
        )
    types = [
        f"{name} is {array.dtype}, not {str(expected[name].dtype).removeprefix('torch.')}"
        for name, array in arrays.items()
        if (array.dtype.kind == "f") != expected[name].is_floating_point()
    ]
    if types:
        raise ImportFileError(
            f"{match.checkpoint.file} has numbers of another kind in its {role}: "
            f"{'; '.join(types[:SHOWN])}. If it is quantised, import the file before that."
        )
    if infinite := [k for k, array in arrays.items() if not _is_finite(array, expected[k].dtype)]:
        raise ImportFileError(
            f"{match.checkpoint.file} has NaN or infinite weights: {some(infinite)} of the "
            f"{role}. Such a network makes no images. Use an earlier checkpoint."
        )


def _is_finite(array: NDArray[Any], dtype: torch.dtype) -> bool:
    """Return whether all numbers are finite, also in the dtype of the weight."""
    if not np.isfinite(array).all():
        return False
    return array.dtype != np.float64 or bool(torch.from_numpy(array).to(dtype).isfinite().all())


def _size(shape: Iterable[int]) -> str:
    return "x".join(map(str, shape)) or "a number"
