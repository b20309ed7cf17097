"""Labels of images, from files and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import DataError, quantity
from ganzoo.spec import MAX_CLASSES
from ganzoo.spec.json_text import read_json
from ganzoo.spec.parsing import shorten


def read_labels(content: bytes, where: str) -> dict[str, int] | None:
    """Return the class number of each image that a dataset.json names.

    The file is that of StyleGAN's dataset_tool: ``{"labels": [["00000/img00000000.png", 3], ...]}``
    or ``{"labels": null}``.

    Args:
        content: the file.
        where: its name in error messages.

    Returns:
        The class numbers by name, or None for null.

    Raises:
        DataError: the file has another form, a label is not a class number, or a name has several.
    """
    try:
        table = read_json(content)
    except ValueError as error:
        raise DataError(f"{where} is not JSON: {error}. Write it again.") from error
    if not isinstance(table, dict) or "labels" not in table:
        raise DataError(
            f'{where} has no "labels". The form is {{"labels": [["00000/img00000000.png", 3], '
            '...]} or {"labels": null}.'
        )
    rows = table["labels"]
    if rows is None:
        return None
    if not isinstance(rows, list):
        raise DataError(f'{where}: "labels" is {_brief(rows)}, but must be a list or null.')
    labels: dict[str, int] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != 2 or not isinstance(row[0], str):
            raise DataError(
                f"{where}: entry {number:,} of the labels is {_brief(row)}, but must be a name and "
                'a class number, such as ["00000/img00000000.png", 3].'
            )
        name, label = row[0].replace("\\", "/"), row[1]
        if type(label) is not int or not 0 <= label < MAX_CLASSES:
            raise DataError(
                f"{where}: the label of {shorten(name, 80)!r} is {_brief(label)}, but must be a "
                f"class number, 0 to {MAX_CLASSES - 1:,}. Labels that are vectors are not "
                "supported: use --dataset.labels none."
            )
        if name in labels:
            raise DataError(f"{where} has several labels of {shorten(name, 80)!r}. Write it again.")
        labels[name] = label
    return labels


def check_form(shape: tuple[int, ...], dtype: np.dtype[Any], images: int, where: str) -> None:
    """Check that an array can hold one class number for each image, as a list or a column.

    Args:
        shape: shape of the array.
        dtype: type of its values.
        images: number of images.
        where: its place in error messages.

    Raises:
        DataError: it cannot.
    """
    if shape not in ((images,), (images, 1)):
        raise DataError(
            f"{where} has the shape {shape}, but must have one class number for each of the "
            f"{quantity(images, 'image')}: ({images},)."
        )
    if dtype.kind not in "iu":
        raise DataError(f"{where} has values of type {dtype}, but class numbers are integers.")


def check_labels(labels: NDArray[Any], images: int, where: str) -> NDArray[np.int64]:
    """Return class numbers of images as int64 (n,).

    Args:
        labels: the labels, (n,) or a column (n, 1), as MedMNIST has them.
        images: number of images.
        where: their place in error messages.

    Raises:
        DataError: there is not one class number for each image.
    """
    check_form(labels.shape, labels.dtype, images, where)
    low, high = (int(labels.min()), int(labels.max())) if images else (0, 0)
    if low < 0 or high >= MAX_CLASSES:
        raise DataError(
            f"{where} has the class numbers {low} to {high}, but they must be 0 to "
            f"{MAX_CLASSES - 1:,}."
        )
    return labels.astype(np.int64).reshape(images)


def _brief(value: Any) -> str:
    return shorten(repr(value), 80) if isinstance(value, str | int | float) else _kind(value)


def _kind(value: Any) -> str:
    return {list: "a list", dict: "a table", type(None): "null"}.get(type(value), "another value")
