"""The classes of images, by the extractor of the data where it was trained to tell them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganzoo.errors import GanzooError
from ganzoo.nn import Extractor
from ganzoo.registry import extractors
from ganzoo.spec import DataSpec


def classifier_of(data: DataSpec, device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """Return what tells the class of images of some data; None where nothing does.

    Returns:
        uint8 images (n, channels, height, width) -> int64 (n,), on the CPU.
    """
    if not data.labels or not data.extractor:
        return None
    try:
        extractor = extractors.make(extractors.entry(data.extractor))
    except GanzooError:  # not installed, or its weights are not to be had: a training goes on
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
