"""Handwritten digits that come with scikit-learn and need no download."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import TensorDataset

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError


def digits(root: Path | None, *, size: int = 16) -> tuple[TensorDataset, DataSpec]:
    """1,797 handwritten digits of 8x8 pixels that come with scikit-learn, enlarged.

    "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998),
    https://doi.org/10.24432/C50P49, CC BY 4.0.

    Args:
        root: not used.
        size: height and width of the images in pixels, 8 to 256. The default, 16, suits every
            architecture.

    Returns:
        uint8 images (1797, 1, size, size) and int64 labels (1797,).

    Raises:
        DataError: the size is not in 8 to 256.
    """
    if not 8 <= size <= 256:
        raise DataError(
            f"dataset 'digits' cannot resize images to {size} pixels. Use --dataset.size 8 to 256."
        )
    images, labels = _enlarge(size)
    spec = DataSpec(
        ImageSpec(size, size, 1),
        classes=10,
        labels=tuple("0123456789"),
        license="cc-by-4.0",
        origin="Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998)",
        extractor="pixels",
    )
    return TensorDataset(torch.tensor(images), torch.tensor(labels)), spec


digits.needs_data = False  # type: ignore[attr-defined]


@functools.lru_cache(maxsize=1)
def _enlarge(size: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return uint8 images (1797, 1, size, size) and labels (1797,)."""
    levels, labels = _read()
    small = np.rint(levels * (255 / 16)).astype(np.uint8)
    large = [Image.fromarray(i).resize((size, size), Image.Resampling.BICUBIC) for i in small]
    return np.stack([np.asarray(image) for image in large])[:, None], labels


def _read() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return grey levels, 0 to 16, (1797, 8, 8), and labels, (1797,).

    Read scikit-learn's data file directly if it is at its usual path, because the import of
    scikit-learn is slow.
    """
    package = find_spec("sklearn")
    for folder in (package.submodule_search_locations or ()) if package else ():
        file = Path(folder, "datasets", "data", "digits.csv.gz")
        if file.is_file():
            table = np.loadtxt(file, delimiter=",")
            return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits

    raw = load_digits()
    return raw.images, raw.target
