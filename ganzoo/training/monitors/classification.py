"""The classifier of generated images: the extractor of the data, if it knows the classes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganzoo.errors import GanzooError
from ganzoo.nn import Extractor
from ganzoo.registry import extractors
from ganzoo.spec import DataSpec


def classifier_of(data: DataSpec, device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """Return a classifier for the images of some data, or None if there is none.

    Returns:
        uint8 images (n, channels, height, width) -> int64 (n,), on the CPU.
    """
    if not data.labels or not data.extractor:
        return None
    try:
        extractor = extractors.make(extractors.entry(data.extractor))
    except GanzooError:  # the extractor or its weights are not available: train without it
        return None
    size = (data.image.height, data.image.width)
    if (
        not isinstance(extractor, Extractor)
        or extractor.classes != data.labels
        or extractor.channels not in (None, data.image.channels)
        or extractor.size not in (None, size)
    ):
        return None
    extractor = extractor.to(device).eval()

    def classify(images: Tensor) -> Tensor:
        logits: Tensor = extractor(images.to(device)).logits
        return logits.argmax(1).cpu()

    return classify
