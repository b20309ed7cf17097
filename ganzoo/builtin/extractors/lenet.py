"""LeNet classifiers of 28x28 images, used as feature extractors."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from ganzoo import Extractor
from ganzoo.builtin.vision_sets.table import CLOTHES, DIGITS
from ganzoo.builtin.weights import load_network
from ganzoo.nn import Extracted

MNIST = Path(__file__).with_name("lenet-mnist-1.safetensors")
MNIST_SHA256 = "30e0cf85a207e88d224b0092949263b1b8382faae47e2a7a24906f86c4fd3f2b"
FASHION = Path(__file__).with_name("lenet-fashion-1.safetensors")
FASHION_SHA256 = "5c84667acd33452e68f4ffdac04e5e7cbeceec5e05a22df60f6ec9980f194301"


class LeNet(Extractor):
    """Two convolutions, a layer of 128 features, and a classification layer.

    After "Gradient-Based Learning Applied to Document Recognition" (LeCun et al., 1998), section
    II.B, https://doi.org/10.1109/5.726791, with ReLU and maximum pooling.

    Args:
        classes: names of the classes.
        sha256: SHA-256 of the weights.
    """

    def __init__(self, classes: tuple[str, ...], sha256: str) -> None:
        super().__init__(channels=1, size=(28, 28), dim=128, classes=classes, sha256=sha256)
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 128),
            nn.ReLU(),
        )
        self.head = nn.Linear(128, len(classes))

    def forward(self, images: Tensor) -> Extracted:
        """Return the features and logits of uint8 images (n, 1, 28, 28)."""
        features = self.trunk(images.float() / 255)
        return Extracted(features, self.head(features))


def lenet_mnist_1() -> LeNet:
    """Return the classifier that `tools/train_lenet.py` trained on MNIST's 60,000 images.

    Raises:
        BundleError: the file of the weights is damaged.
    """
    return _read(MNIST, MNIST_SHA256, DIGITS)


def lenet_fashion_1() -> LeNet:
    """Return the classifier that `tools/train_lenet.py` trained on Fashion-MNIST's 60,000 images.

    Raises:
        BundleError: the file of the weights is damaged.
    """
    return _read(FASHION, FASHION_SHA256, CLOTHES)


def _read(weights: Path, sha256: str, classes: tuple[str, ...]) -> LeNet:
    return load_network(lambda: LeNet(classes, sha256), weights, sha256)
