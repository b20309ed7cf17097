"""The set that is always there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
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
    from sklearn.datasets import load_digits

    if not 8 <= size <= 256:
        raise DataError(f"dataset 'digits' cannot be resized to {size}: its size is 8 to 256.")
    raw = load_digits()
    small = np.rint(raw.images * (255 / 16)).astype(np.uint8)
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
    return TensorDataset(images, torch.from_numpy(raw.target)), spec
