"""A small convolutional network that extracts features of colour images of any size."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo import Extractor
from ganzoo.builtin.weights import load_network
from ganzoo.nn import Extracted

SIDE = 64  # height and width of the images that the network reads, in pixels
DIMENSIONS = 64  # the Fréchet distance needs more images than dimensions
WEIGHTS = Path(__file__).with_name("colour-64-1.safetensors")
SHA256 = "f6d99fea2c6bbf1fed7878c4fea80f76df135d98762a965a8bb8b6ca74abcbb0"


class Colour64(Extractor):
    """Four strided convolutions and a linear layer with 64 features.

    The positions of the last convolution are not averaged, so features depend on where things are.
    The last normalisation has no parameters: it standardises the features.

    Args:
        sha256: SHA-256 of the weights.
    """

    def __init__(self, sha256: str) -> None:
        super().__init__(
            channels=3,
            size=None,
            dim=DIMENSIONS,
            sha256=sha256,
            resizing=f"to {SIDE}x{SIDE}, bilinear with antialiasing",
        )
        self.trunk = nn.Sequential(
            *_halve(3, 32),
            *_halve(32, 64),
            *_halve(64, 128),
            *_halve(128, 128),
            nn.Flatten(),
            nn.Linear(128 * (SIDE // 16) ** 2, DIMENSIONS),
        )
        self.standardise = nn.BatchNorm1d(DIMENSIONS, affine=False)

    def forward(self, images: Tensor) -> Extracted:
        """Return the features of uint8 images (n, 3, height, width) of any size."""
        images = images.float() / 127.5 - 1
        if images.shape[2:] != (SIDE, SIDE):
            images = interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)
        return Extracted(self.standardise(self.trunk(images)), None)


def colour_64_1() -> Colour64:
    """Return the extractor that `tools/train_colour.py` trained on emoji, photographs and shapes.

    It is no Inception, and its distances are not comparable with published ones. docs/measuring.md
    lists its training data and measures its distances.

    Raises:
        BundleError: the file of the weights is damaged.
    """
    return load_network(lambda: Colour64(SHA256), WEIGHTS, SHA256)


def _halve(channels: int, features: int) -> tuple[nn.Module, ...]:
    """Return layers that halve the height and width."""
    return (
        nn.Conv2d(channels, features, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(features),
        nn.ReLU(),
    )
