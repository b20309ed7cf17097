"""The set that is always there."""

from __future__ import annotations

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
        root: not used, nothing is read from disk.
        size: side of the images in pixels, 8 or more; 16 by default, so that every architecture
            can make them.

    Returns:
        uint8 images (1797, 1, size, size) and int64 labels (1797,).

    Raises:
        DataError: a size outside 8 to 256.
    """
    if not 8 <= size <= 256:
        raise DataError(f"dataset 'digits' cannot be resized to {size}: its size is 8 to 256.")
    levels, labels = _read()
    small = np.rint(levels * (255 / 16)).astype(np.uint8)
    large = [Image.fromarray(i).resize((size, size), Image.Resampling.BICUBIC) for i in small]
    images = torch.from_numpy(np.stack([np.asarray(image) for image in large]))[:, None]
    spec = DataSpec(
        ImageSpec(size, size, 1),
        classes=10,
        labels=tuple("0123456789"),
        license="cc-by-4.0",
        origin="Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998)",
        extractor="pixels",
    )
    return TensorDataset(images, torch.from_numpy(labels)), spec


def _read() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Levels of 0 to 16, (1797, 8, 8), and labels, (1797,).

    From scikit-learn's file, where it lies where it always has: importing scikit-learn takes longer
    than many a training on digits.
    """
    found = find_spec("sklearn")
    for folder in (found.submodule_search_locations or ()) if found else ():
        file = Path(folder, "datasets", "data", "digits.csv.gz")
        if file.is_file():
            table = np.loadtxt(file, delimiter=",")
            return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits

    raw = load_digits()
    return raw.images, raw.target
