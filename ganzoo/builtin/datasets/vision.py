"""Datasets in the file layouts that torchvision downloads, such as MNIST and CIFAR-10."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch.utils.data import Dataset, TensorDataset

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.datasets.folder import ImageFolder
from ganzoo.builtin.image_files.array_images import ArrayImages
from ganzoo.builtin.image_files.stored_arrays import StoredArray
from ganzoo.builtin.vision_sets import table
from ganzoo.builtin.vision_sets.sets import Arrays, Files, VisionSet
from ganzoo.errors import DataError, DataNotFoundError, GanzooError
from ganzoo.sampling.image_fits import Fitting, Size, parse_size
from ganzoo.spec import MAX_IMAGE_SIZE
from ganzoo.spec.downloads import Downloads
from ganzoo.spec.lfs import explain_pointer

Opened = tuple[Dataset[tuple[torch.Tensor, ...]], DataSpec]

SIZE = 64  # pixels of the images of files, by default

_ARGUMENTS = {
    "split": "part of the dataset.",
    "subset": "version of the dataset.",
    "size": "side of square images in pixels, or HEIGHTxWIDTH, such as 48x64.",
    "channels": "3 for colour, 1 for grey.",
    "skip_corrupt": "replace an image that cannot be read by the next one that can, and warn.",
}


def _make_factory(row: VisionSet) -> Callable[..., Opened]:
    """Return the factory of a dataset, with the arguments that its row has."""
    defaults: dict[str, tuple[Any, Any]] = {"split": (Literal[row.splits], row.splits[0])}
    if row.subsets:
        defaults["subset"] = (Literal[row.subsets], row.subsets[0])
    if isinstance(row.image, int):
        defaults["size"] = (Size, SIZE)
        defaults["skip_corrupt"] = (bool, False)

    def factory(root: Path | None, **arguments: Any) -> Opened:
        return _open(
            row, root, **{key: default for key, (_, default) in defaults.items()} | arguments
        )

    keyword, positional = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("root", positional, annotation=Path | None)]
    parameters += [
        inspect.Parameter(key, keyword, annotation=kind, default=default)
        for key, (kind, default) in defaults.items()
    ]
    factory.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    downloads = Downloads(row.origin, row.license, row.downloads)
    factory.downloads = downloads  # type: ignore[attr-defined]
    factory.__name__ = factory.__qualname__ = row.name.replace("-", "_")
    factory.__doc__ = _document(row, list(defaults))
    return factory


def _document(row: VisionSet, names: list[str]) -> str:
    place = f"``{row.folder}``" if row.folder else "its files"
    return "\n".join(
        [
            row.summary,
            "",
            row.citation,
            "",
            "Args:",
            f"    root: folder that contains {place}. Nothing is written to it.",
            *(f"    {name}: {_ARGUMENTS[name]}" for name in names),
            "",
            "Raises:",
            "    DataNotFoundError: the folder or some of its files are missing.",
            "    DataError: its files are damaged, or an argument is not valid.",
        ]
    )


def _open(
    row: VisionSet,
    root: Path | None,
    *,
    split: str,
    subset: str = "",
    size: Size = SIZE,
    skip_corrupt: bool = False,
) -> Opened:
    if split not in row.splits or subset not in (row.subsets or ("",)):
        raise DataError(
            f"dataset {row.name!r} has no part {split} {subset}. Use --dataset.split "
            f"{', '.join(row.splits)}."
        )
    fitting = Fitting(*parse_size(row.name, size, 1, MAX_IMAGE_SIZE))
    folder = (root if root is not None else Path()) / row.folder
    try:
        content = row.read(folder, split, subset)
    except FileNotFoundError as error:
        missing = f" {Path(error.filename).name} is missing." if error.filename else ""
        raise DataNotFoundError(
            f"{row.title} not found or not complete: {folder.resolve()}.{missing} Pass its "
            "location with --data DIR or GANZOO_DATA=DIR, or download it: ganzoo data download "
            f"{row.name} --data DIR"
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
        return _open_arrays(row, content, split, subset)
    return _open_files(row, content, fitting, skip_corrupt)


def _open_arrays(row: VisionSet, content: Arrays, split: str, subset: str) -> Opened:
    assert isinstance(row.image, ImageSpec)
    classes = row.classes(split, subset) if row.classes else ()
    images, labels = content.images, content.labels
    n = images.header.shape[0] if isinstance(images, StoredArray) else len(images)
    if labels is None:
        labels = np.zeros(n, np.int64)
    elif len(labels) != n or (n and not 0 <= labels.min() <= labels.max() < len(classes)):
        raise DataError(
            f"cannot read {row.title}: it has {n:,} images and {len(labels):,} labels, which must "
            f"be 0 to {len(classes) - 1}. Download it again."
        )
    spec = _describe(row, row.image, classes)
    if isinstance(images, StoredArray):
        side = (row.image.height, row.image.width)
        return ArrayImages(
            images, "ncwh", side, labels, None, row.image.channels,
            name=images.header.where, facts=(images.header.name, images.header.shape),
        ), spec  # fmt: skip
    if images.shape[1:] != row.image.shape:
        raise DataError(
            f"cannot read {row.title}: its images are {images.shape[1:]}, not {row.image.shape}. "
            "Download it again."
        )
    return TensorDataset(torch.from_numpy(images), torch.from_numpy(labels)), spec


def _open_files(row: VisionSet, content: Files, fitting: Fitting, skip_corrupt: bool) -> Opened:
    assert isinstance(row.image, int)
    dataset = ImageFolder(
        content.folder, content.names, content.labels, fitting, row.image, skip_corrupt=skip_corrupt
    )
    dataset.file_counts = f"{len(content.names):,} image files in {len(content.classes):,} classes"
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
        extractor=row.extractor,
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
