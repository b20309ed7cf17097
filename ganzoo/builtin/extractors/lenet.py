"""A small classifier of handwritten digits, by whose features digits are compared."""

from __future__ import annotations

import hashlib
from pathlib import Path

import safetensors.torch
from torch import Tensor, nn

from ganzoo import Extractor
from ganzoo.errors import BundleError
from ganzoo.nn import Extracted

WEIGHTS = Path(__file__).with_name("lenet-mnist-1.safetensors")
SHA256 = "30e0cf85a207e88d224b0092949263b1b8382faae47e2a7a24906f86c4fd3f2b"


class LeNet(Extractor):
    """Two convolutions, a layer of 128 features, ten digits.

    After "Gradient-Based Learning Applied to Document Recognition" (LeCun et al., 1998), section
    II.B, https://doi.org/10.1109/5.726791, with ReLU and maximum pooling.

    Args:
        sha256: of the weights it is going to have.
    """

    def __init__(self, sha256: str) -> None:
        super().__init__(
            channels=1, size=(28, 28), dim=128, classes=tuple("0123456789"), sha256=sha256
        )
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
        self.head = nn.Linear(128, 10)

    def forward(self, images: Tensor) -> Extracted:
        """Extract from uint8 images (n, 1, 28, 28)."""
        features = self.trunk(images.float() / 255)
        return Extracted(features, self.head(features))


def lenet_mnist_1() -> LeNet:
    """Return the classifier as `tools/train_lenet.py` trained it on MNIST's 60,000 images.

    Raises:
        BundleError: the file of its weights is damaged.
    """
    content = WEIGHTS.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise BundleError(
            f"{WEIGHTS} is damaged: its SHA-256 is {found}, not {SHA256}. Install ganzoo again: "
            "pip install --force-reinstall torch-ganzoo"
        )
    network = LeNet(SHA256)
    network.load_state_dict(safetensors.torch.load(content), strict=True)
    return network.eval().requires_grad_(False)
