"""Datasets in the file layouts that torchvision downloads, such as MNIST and CIFAR-10."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch.utils.data import Dataset, TensorDataset

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.datasets.folder import ImageFolder
from ganzoo.builtin.image_files.array_images import ArrayImages, MemoryArray
from ganzoo.builtin.image_files.stored_arrays import StoredArray
from ganzoo.builtin.vision_sets import table
from ganzoo.builtin.vision_sets.sets import Arrays, Files, VisionSet
from ganzoo.errors import DataError, DataNotFoundError, GanzooError, quantity, shell_word
from ganzoo.sampling.image_fits import Fitting, SizeOption
from ganzoo.sampling.image_options import (
    ImageOptions,
    describe_options,
    format_arguments,
    option_parameters,
)
from ganzoo.spec.downloads import Downloads
from ganzoo.spec.lfs import explain_pointer

Opened = tuple[Dataset[tuple[torch.Tensor, ...]], DataSpec]

_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_OPTIONS = tuple(field.name for field in fields(ImageOptions))
_ARGUMENTS = {
    "split": "part of the dataset.",
    "subset": "version of the dataset.",
    "skip_corrupt": "replace an image that cannot be read by the next one that can, and warn.",
}
_KEPT_SIZE = "; 0 keeps the size of the files"


def _make_factory(row: VisionSet) -> Callable[..., Opened]:
    """Return the factory of a dataset, with the arguments that its row has."""
    parameters = _parameters(row)
    defaults = {parameter.name: parameter.default for parameter in parameters}

    def factory(root: Path | None, **arguments: Any) -> Opened:
        chosen = defaults | arguments
        options = {name: chosen.pop(name) for name in _OPTIONS if name in chosen}
        return _open(row, root, ImageOptions(**options), **chosen)

    root = inspect.Parameter(
        "root", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Path | None
    )
    factory.__signature__ = inspect.Signature([root, *parameters])  # type: ignore[attr-defined]
    downloads = Downloads(row.origin, row.license, row.downloads)
    factory.downloads = downloads  # type: ignore[attr-defined]
    factory.__name__ = factory.__qualname__ = row.name.replace("-", "_")
    factory.__doc__ = _document(row, list(defaults))
    return factory


def _parameters(row: VisionSet) -> list[inspect.Parameter]:
    """Return the keyword-only parameters of a dataset."""
    choices = {"split": row.splits, "subset": row.subsets}
    parameters = [
        inspect.Parameter(name, _KEYWORD, annotation=Literal[values], default=values[0])
        for name, values in choices.items()
        if values
    ]
    if isinstance(row.image, ImageSpec):
        return [*parameters, inspect.Parameter("size", _KEYWORD, annotation=SizeOption, default=0)]
    size, *others = option_parameters()
    skip = inspect.Parameter("skip_corrupt", _KEYWORD, annotation=bool, default=False)
    return [*parameters, size, skip, *others]


def _document(row: VisionSet, names: list[str]) -> str:
    place = f"``{row.folder}``" if row.folder else "its files"
    sides = _KEPT_SIZE if isinstance(row.image, ImageSpec) else ""
    texts = _ARGUMENTS | describe_options(sides=sides)
    return "\n".join(
        [
            row.summary,
            "",
            row.citation,
            "",
            "Args:",
            f"    root: folder that contains {place}. Nothing is written to it.",
            *format_arguments({name: texts[name] for name in names}),
            "",
            "Raises:",
            "    DataNotFoundError: the folder or some of its files are missing.",
            "    DataError: its files are damaged, or an argument is not valid.",
        ]
    )


def _open(
    row: VisionSet,
    root: Path | None,
    options: ImageOptions,
    *,
    split: str,
    subset: str = "",
    skip_corrupt: bool = False,
) -> Opened:
    if split not in row.splits or subset not in (row.subsets or ("",)):
        raise DataError(
            f"dataset {row.name!r} has no part {split} {subset}. Use --dataset.split "
            f"{', '.join(row.splits)}."
        )
    fitting = options.fitting(row.name) if options.size else None
    folder = (root if root is not None else Path()) / row.folder
    try:
        content = row.read(folder, split, subset)
    except FileNotFoundError as error:
        missing = f" {Path(error.filename).name} is missing." if error.filename else ""
        above = _folder_above(folder, row.folder)
        advice = (
            f"Pass the folder that contains {row.folder}: --data {shell_word(above)}"
            if above
            else "Pass its location with --data DIR or GANZOO_DATA=DIR, or download it: "
            f"ganzoo data download {row.name} --data DIR"
        )
        raise DataNotFoundError(
            f"{row.title} not found or not complete: {folder.resolve()}.{missing} {advice}"
        ) from error
    except Exception as error:  # a reader of damaged files may raise anything
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            if text := explain_pointer(file):
                raise DataError(text) from error
        if isinstance(error, GanzooError) and not isinstance(error, ValueError):
            raise
        reason = " ".join(str(error).split()).removesuffix(".") or type(error).__name__
        raise DataError(
            f"cannot read {row.title} in {folder}: {reason}. Download it again."
        ) from error
    if isinstance(content, Arrays):
        return _open_arrays(row, content, fitting, split, subset)
    return _open_files(row, content, options, skip_corrupt=skip_corrupt)


def _folder_above(folder: Path, inner: str) -> Path | None:
    """Return the folder that contains the dataset's, if the user named a folder inside of it.

    Args:
        folder: the place where the files were expected, such as ``data/MNIST/raw/MNIST/raw``.
        inner: the end of its path, such as ``MNIST/raw``.
    """
    if not inner or folder.is_dir():
        return None
    return next((p for p in folder.resolve().parents if (p / inner).is_dir()), None)


def _open_arrays(
    row: VisionSet, content: Arrays, fitting: Fitting | None, split: str, subset: str
) -> Opened:
    assert isinstance(row.image, ImageSpec)
    classes = row.classes(split, subset) if row.classes else ()
    images, labels = content.images, content.labels
    n = images.header.shape[0] if isinstance(images, StoredArray) else len(images)
    if labels is None:
        labels = np.zeros(n, np.int64)
    elif len(labels) != n or (n and not 0 <= labels.min() <= labels.max() < len(classes)):
        raise DataError(
            f"cannot read {row.title}: it has {quantity(n, 'image')} and "
            f"{quantity(len(labels), 'label')}, which must be 0 to {len(classes) - 1}. Download it "
            "again."
        )
    side, channels = (row.image.height, row.image.width), row.image.channels
    height, width = (fitting.height, fitting.width) if fitting else side
    spec = _describe(row, ImageSpec(height, width, channels), classes)
    if isinstance(images, StoredArray):
        return ArrayImages(
            images, "ncwh", side, labels, fitting, channels,
            name=images.header.where, facts=(images.header.name, images.header.shape),
        ), spec  # fmt: skip
    if images.shape[1:] != row.image.shape:
        raise DataError(
            f"cannot read {row.title}: its images are {images.shape[1:]}, not {row.image.shape}. "
            "Download it again."
        )
    if fitting:
        values = MemoryArray(images)
        return ArrayImages(
            values, "nchw", side, labels, fitting, channels,
            name=row.title, facts=(values.sha256,),
        ), spec  # fmt: skip
    return TensorDataset(torch.from_numpy(images), torch.from_numpy(labels)), spec


def _open_files(
    row: VisionSet, content: Files, options: ImageOptions, *, skip_corrupt: bool
) -> Opened:
    assert isinstance(row.image, int)
    fitting = options.fitting(row.name)
    dataset = ImageFolder(
        content.folder,
        content.names,
        content.labels,
        fitting,
        row.image,
        skip_corrupt=skip_corrupt,
        flip=options.flip,
    )
    dataset.file_counts = (
        f"{quantity(len(content.names), 'image file')} in "
        f"{quantity(len(content.classes), 'class')}{options.flipped}"
    )
    return dataset, _describe(
        row, ImageSpec(fitting.height, fitting.width, row.image), content.classes
    )


def _describe(row: VisionSet, image: ImageSpec, classes: tuple[str, ...]) -> DataSpec:
    return DataSpec(
        image,
        classes=len(classes),
        labels=classes,
        license=row.license,
        origin=row.origin,
        extractor=row.extractor if image == row.image else "",
        hub=row.hub,
    )


mnist = _make_factory(table.MNIST)
fashion_mnist = _make_factory(table.FASHION_MNIST)
kmnist = _make_factory(table.KMNIST)
emnist = _make_factory(table.EMNIST)
usps = _make_factory(table.USPS)
cifar_10 = _make_factory(table.CIFAR_10)
svhn = _make_factory(table.SVHN)
stl_10 = _make_factory(table.STL_10)
omniglot = _make_factory(table.OMNIGLOT)
flowers_102 = _make_factory(table.FLOWERS_102)
oxford_pets = _make_factory(table.OXFORD_PETS)
