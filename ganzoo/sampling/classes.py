"""Classes of images by name or number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError, did_you_mean
from ganzoo.spec import ModelSpec, find_class
from ganzoo.spec.parsing import shorten

Label = int | str

MAX_NAMED = 100  # classes that an error message names


def choose_classes(
    spec: ModelSpec, n: int, label: Label | Sequence[Label] | None, start: int = 0
) -> NDArray[np.int64] | None:
    """Return the class of each image; None if the model has no classes.

    Args:
        spec: the config.
        n: number of images.
        label: name or index of the class of all images, or a list with one per image; by default
            image k has class k modulo the number of classes.
        start: number of the first image.

    Raises:
        SampleError: a label does not exist, or there is not one per image.
    """
    if "y" not in spec.inputs:
        refuse_labels(spec, label)
        return None
    if label is None:
        return np.arange(start, start + n) % spec.data.classes
    if isinstance(label, int | np.integer | str):
        return np.full(n, _index(spec, label))
    y = np.array([_index(spec, item) for item in _as_list(label)], np.int64)
    if len(y) != n:
        raise SampleError(f"{len(y)} labels were given for {n} images. Pass one label per image.")
    return y


def refuse_labels(spec: ModelSpec, label: Any) -> None:
    """Raise a SampleError if there is a label, which the model does not read."""
    if label is not None:
        raise SampleError(f"{spec.name!r} has no classes. Omit the label.")


def _index(spec: ModelSpec, label: Label) -> int:
    names = spec.data.class_names
    if isinstance(label, bool) or not isinstance(label, int | np.integer | str):
        raise SampleError(f"{label!r} is not a label. Pass the name or index of a class.")
    index = find_class(label if isinstance(label, str) else int(label), names)
    if index is None:
        text = shorten(str(label), 80)
        if not isinstance(label, str) and not spec.data.labels:
            raise SampleError(
                f"{spec.name!r} has no class {text}: labels are 0 to {len(names) - 1}."
            )
        more = ", ..." * (len(names) > MAX_NAMED)
        raise SampleError(
            f"{spec.name!r} has no class {text!r}.{did_you_mean(text, names)} "
            f"Classes: {', '.join(names[:MAX_NAMED])}{more}."
        )
    return index


def _as_list(label: Any) -> list[Any]:
    try:
        if isinstance(label, bytes | bytearray | Set | Mapping):
            raise TypeError  # numbers of characters, or labels without an order
        return list(label)
    except TypeError as error:
        raise SampleError(
            f"{label!r} is not a label. Pass the name or index of a class, or a list with one per "
            "image."
        ) from error
