"""Inception-v3 of 2015, the feature extractor of most published FID values."""

from __future__ import annotations

import hashlib
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from ganzoo import Extractor
from ganzoo.errors import ExtractorError
from ganzoo.evaluation.download import find_weights
from ganzoo.nn import Extracted
from ganzoo.nn.uninitialised import Uninitialised


class Inception(Extractor):
    """torch-fidelity's port of Inception-v3.

    Args:
        weights: the file of the weights.
    """

    def __init__(self, weights: Path) -> None:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        super().__init__(
            channels=3,
            size=None,
            dim=2048,
            classes=tuple(map(str, range(1008))),
            sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
            resizing="to 299x299, bilinear as TensorFlow 1 does it",
        )
        # torch-fidelity unpickles any object. This raises if the file holds more than tensors.
        state = torch.load(weights, weights_only=True)

        class Port(FeatureExtractorInceptionV3):  # type: ignore[misc]
            """Draws no random numbers before it gets its weights."""

            def load_state_dict(self, *_: Any) -> Any:
                return super().load_state_dict(state, assign=True)

        outputs = ["2048", "logits_unbiased"]
        with torch.device("meta"), Uninitialised():
            self.network = Port(
                "inception-v3", outputs, feature_extractor_weights_path=str(weights)
            )

    def forward(self, images: Tensor) -> Extracted:
        """Return the features and logits of uint8 images (n, 3, height, width) of any size."""
        return Extracted(*self.network(images))


def inception_v3() -> Inception:
    """Return the extractor that defines FID. Its weights are downloaded once into torch's cache.

    "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (Heusel et
    al., 2017), https://arxiv.org/abs/1706.08500; the network is that of "Rethinking the Inception
    Architecture for Computer Vision" (Szegedy et al., 2015), https://arxiv.org/abs/1512.00567.

    Raises:
        ExtractorError: the weights are damaged, or not in the cache and the download failed.
        OutputError: the cache cannot be written.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    file = find_weights("inception-v3", URL_INCEPTION_V3)
    try:
        network = Inception(file)
    except (RuntimeError, OSError, EOFError, ValueError, UnpicklingError) as error:
        raise ExtractorError(
            f"{file} does not contain the weights of 'inception-v3': {str(error).splitlines()[0]} "
            "Delete the file to download it again."
        ) from error
    return network.eval().requires_grad_(False)
