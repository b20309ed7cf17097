"""What a metric is given: checked here, once for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganzoo.errors import MetricError

Floats = NDArray[np.floating[Any]]


def as_floats(what: str, values: ArrayLike) -> Floats:
    """Return finite numbers as float32 or, where that would lose any of them, float64.

    Raises:
        MetricError: no numbers, none at all, or one that is NaN or infinite; names `what`.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise MetricError(f"{what} must be real numbers, and have the dtype {array.dtype}.")
    if not array.size:
        raise MetricError(f"{what} must not be empty, and have the shape {array.shape}.")
    floats = array.astype(np.promote_types(array.dtype, np.float32), copy=False)
    if not np.isfinite(floats).all():
        raise MetricError(f"{what} must be finite, and some are NaN or infinite.")
    return floats


def as_rows(what: str, values: ArrayLike) -> Floats:
    """Return a matrix of finite numbers with a row an image.

    Raises:
        MetricError: it is none; names `what`.
    """
    rows = as_floats(what, values)
    if rows.ndim != 2:
        raise MetricError(
            f"{what} must be a matrix with a row an image, and have the shape {rows.shape}: "
            "x.reshape(len(x), -1) makes one."
        )
    return rows


def as_row_pair(first: str, a: ArrayLike, second: str, b: ArrayLike) -> tuple[Floats, Floats]:
    """Return two such matrices with rows of the same length.

    Raises:
        MetricError: they are none, or their rows differ in length; names both.
    """
    rows = as_rows(first, a), as_rows(second, b)
    if rows[0].shape[1] != rows[1].shape[1]:
        raise MetricError(
            f"{first} have {rows[0].shape[1]} dimensions and {second} {rows[1].shape[1]}: "
            "take both from one extractor."
        )
    return rows


def as_features(real: ArrayLike, fake: ArrayLike) -> tuple[Floats, Floats]:
    """Return the features of real and of fake images, (n, d) and (m, d).

    Raises:
        MetricError: they are none, or cannot be compared.
    """
    return as_row_pair("the real images' features", real, "the fake images' features", fake)
