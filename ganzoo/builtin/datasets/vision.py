"""MNIST and Fashion-MNIST in torchvision's folder layout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from torch.utils.data import TensorDataset

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError, DataNotFoundError
from ganzoo.spec.lfs import explain_pointer

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
PREFIX = {"train": "train", "test": "t10k"}  # prefixes of MNIST's file names


def mnist(
    root: Path | None, *, split: Literal["train", "test"] = "train"
) -> tuple[TensorDataset, DataSpec]:
    """MNIST: 60,000 handwritten digits for training and 10,000 for tests, 28x28 pixels.

    "Gradient-Based Learning Applied to Document Recognition" (LeCun et al., 1998),
    https://doi.org/10.1109/5.726791, CC BY-SA 3.0.

    Args:
        root: folder that contains ``MNIST/raw``. Nothing is written to it.
        split: part of the dataset.

    Returns:
        uint8 images (n, 1, 28, 28) and int64 labels (n,).

    Raises:
        DataNotFoundError: the folder does not exist.
        DataError: its files are damaged.
    """
    spec = DataSpec(
        ImageSpec(28, 28, 1),
        classes=10,
        labels=DIGITS,
        license="cc-by-sa-3.0",
        origin="MNIST (LeCun et al., 1998)",
        extractor="lenet-mnist@1",
        hub="ylecun/mnist",
    )
    return _read("MNIST", root, split), spec


def fashion_mnist(
    root: Path | None, *, split: Literal["train", "test"] = "train"
) -> tuple[TensorDataset, DataSpec]:
    """Fashion-MNIST: 60,000 images of clothes for training and 10,000 for tests, 28x28 pixels.

    "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms" (Xiao et
    al., 2017), https://arxiv.org/abs/1708.07747, MIT.

    Args:
        root: folder that contains ``FashionMNIST/raw``. Nothing is written to it.
        split: part of the dataset.

    Returns:
        uint8 images (n, 1, 28, 28) and int64 labels (n,).

    Raises:
        DataNotFoundError: the folder does not exist.
        DataError: its files are damaged.
    """
    spec = DataSpec(
        ImageSpec(28, 28, 1),
        classes=10,
        labels=CLOTHES,
        license="mit",
        origin="Fashion-MNIST (Xiao et al., 2017)",
        extractor="lenet-fashion@1",
        hub="zalando-datasets/fashion_mnist",
    )
    return _read("FashionMNIST", root, split), spec


def _read(name: str, root: Path | None, split: str) -> TensorDataset:
    from torchvision import datasets

    folder = root if root is not None else Path()
    raw_files = folder / name / "raw"
    try:
        raw = getattr(datasets, name)(folder, train=split == "train", download=False)
    except Exception as error:
        for file in raw_files.glob("*-ubyte*"):
            if text := explain_pointer(file):
                raise DataError(text) from error
        if any(raw_files.glob(f"{PREFIX[split]}-*-ubyte")):
            raise DataError(
                f"cannot read {name} in {raw_files}: {error}. Download it again."
            ) from error
        raise DataNotFoundError(
            f"{name} not found: {raw_files.resolve()}. Pass its location with --data DIR or "
            'GANZOO_DATA=DIR, or download it: python -c "import torchvision; '
            f"torchvision.datasets.{name}('DIR', download=True)\""
        ) from error
    return TensorDataset(raw.data[:, None], raw.targets)
