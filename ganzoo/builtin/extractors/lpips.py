"""LPIPS, the perceptual distance of most inversions, as squared distance of features."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, normalize

from ganzoo import Extractor
from ganzoo.errors import ExtractorError
from ganzoo.evaluation.download import find_weights
from ganzoo.nn import Extracted
from ganzoo.nn.uninitialised import Uninitialised

ENDS = (0, 4, 9, 16, 23, 30)  # of the five parts of VGG-16, each up to a ReLU
LARGEST = 256  # pixels of the shorter side; StyleGAN's projector reduces larger images too
# In [-1, 1], of the images that VGG-16 was trained on.
MEAN, DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class Lpips(Extractor):
    """VGG-16 whose squared distance of features is LPIPS, version 0.1.

    Args:
        vgg: the weights of torchvision's VGG-16; those of its classifier are ignored.
        scales: a weight for each channel of the five parts.
        sha256: SHA-256 of the weights.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, vgg: dict[str, Tensor], scales: list[Tensor], sha256: str) -> None:
        from torchvision.models import vgg16

        super().__init__(
            channels=3,
            size=None,
            dim=None,
            sha256=sha256,
            resizing=f"images of {2 * LARGEST} pixels or more reduced by averages",
        )
        with torch.device("meta"), Uninitialised():
            layers = vgg16(weights=None).features
        prefix = "features."
        own = {key.removeprefix(prefix): vgg[key] for key in vgg if key.startswith(prefix)}
        layers.load_state_dict(own, strict=True, assign=True)
        for layer in layers:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # the output of a part has a gradient
        self.parts = nn.ModuleList(layers[start:end] for start, end in pairwise(ENDS))
        for k, scale in enumerate(scales):
            channels = own[f"{ENDS[k + 1] - 2}.bias"].shape
            self.register_buffer(f"scale{k}", scale.reshape(*channels, 1, 1).sqrt())
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None])

    def forward(self, images: Tensor) -> Extracted:
        """Return the features of uint8 images (n, 3, height, width) of 16 pixels or more."""
        images = (images.float() / 127.5 - 1 - self.mean) / self.deviation
        images = avg_pool2d(images, max(1, min(images.shape[2:]) // LARGEST))
        features = []
        for k, part in enumerate(self.parts):
            images = part(images)
            scale = getattr(self, f"scale{k}") / (images.shape[2] * images.shape[3]) ** 0.5
            features.append((normalize(images, eps=1e-10) * scale).flatten(1))
        return Extracted(torch.cat(features, 1), None)


def lpips() -> Lpips:
    """Return the extractor whose squared distance is LPIPS with VGG-16, for inversion.

    "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (Zhang et al., 2018),
    https://arxiv.org/abs/1801.03924. The weights of VGG-16 (528 MB) are downloaded once into
    torch's cache; those of the channels are part of torchmetrics.

    Raises:
        ExtractorError: the weights are damaged, or not in the cache and the download failed.
        OutputError: the cache cannot be written.
    """
    import torchmetrics
    from torchvision.models import VGG16_Weights

    file = find_weights("lpips", VGG16_Weights.IMAGENET1K_V1.url)
    own = Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models" / "vgg.pth"
    try:
        # This raises if a file holds more than tensors.
        vgg, heads = (
            torch.load(path, map_location="cpu", weights_only=True) for path in (file, own)
        )
        scales = [heads[f"lin{k}.model.1.weight"] for k in range(len(ENDS) - 1)]
        digest = hashlib.sha256(file.read_bytes() + own.read_bytes()).hexdigest()
        network = Lpips(vgg, scales, digest)
    except (RuntimeError, OSError, EOFError, KeyError, ValueError, UnpicklingError) as error:
        raise ExtractorError(
            f"{file} does not contain the weights of 'lpips': {str(error).splitlines()[0]} "
            "Delete the file to download it again."
        ) from error
    return network.eval().requires_grad_(False)
