"""Checks of the arrays that metrics read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganzoo.errors import MetricError
from ganzoo.spec import as_integer

LARGEST = 1e25  # of features: the square of their kernel, a cube of products, is below 1e308

Floats = NDArray[np.floating[Any]]


def as_integers(**values: int) -> list[int]:
    """Return arguments as integers.

    Raises:
        MetricError: an argument is no integer, such as 1.5 or True.
    """
    try:
        return [as_integer(name, value) for name, value in values.items()]
    except ValueError as error:
        raise MetricError(f"{error}.") from error


def as_floats(name: str, values: ArrayLike) -> Floats:
    """Return numbers as float32, or as float64 if their dtype needs it.

    Args:
        name: name of the array in error messages.
        values: finite real numbers of any shape.

    Raises:
        MetricError: the array is not numeric, is empty, or holds NaN or infinity.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise MetricError(
            f"{name} must be real numbers, but the dtype is {array.dtype}. Pass integers or floats."
        )
    if not array.size:
        raise MetricError(
            f"{name} must not be empty, but the shape is {array.shape}. Pass one row per image."
        )
    floats = array.astype(np.promote_types(array.dtype, np.float32), copy=False)
    if not np.isfinite(floats).all():
        raise MetricError(
            f"{name} must be finite, but some values are NaN or infinite. Remove them first."
        )
    return floats


def as_rows(name: str, values: ArrayLike) -> Floats:
    """Return a matrix of finite numbers with one row per image.

    Args:
        name: name of the array in error messages.
        values: finite real numbers (n, d).

    Raises:
        MetricError: the array is not such a matrix, or a number is above 1e25.
    """
    rows = as_floats(name, values)
    if rows.ndim != 2:
        raise MetricError(
            f"{name} must be a matrix with one row per image, but the shape is {rows.shape}. "
            "Use x.reshape(len(x), -1)."
        )
    if (largest := float(np.abs(rows).max())) > LARGEST:
        raise MetricError(
            f"{name} reach {largest:.1e}, and metrics compute powers of them: the limit is "
            f"{LARGEST:.0e}. Divide them by a constant, or use another extractor."
        )
    return rows


def as_row_pair(first: str, a: ArrayLike, second: str, b: ArrayLike) -> tuple[Floats, Floats]:
    """Return two matrices with one row per image and the same number of columns.

    Args:
        first: name of `a` in error messages.
        a: finite real numbers (n, d).
        second: name of `b` in error messages.
        b: finite real numbers (m, d).

    Raises:
        MetricError: an array is not such a matrix, or the numbers of columns differ.
    """
    rows = as_rows(first, a), as_rows(second, b)
    if rows[0].shape[1] != rows[1].shape[1]:
        raise MetricError(
            f"{first} have {rows[0].shape[1]} dimensions and {second} {rows[1].shape[1]}. "
            "Compute both with the same extractor."
        )
    return rows


def as_features(real: ArrayLike, fake: ArrayLike) -> tuple[Floats, Floats]:
    """Return the features of real and of fake images as matrices.

    Args:
        real: features of the real images (n, d).
        fake: features of the fake images (m, d).

    Raises:
        MetricError: an array is not a matrix of finite numbers, or the dimensions differ.
    """
    return as_row_pair("the real images' features", real, "the fake images' features", fake)
