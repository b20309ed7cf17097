"""Images -> features, by a named extractor."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.v2 import functional
from tqdm import tqdm

from ganzoo.errors import BrokenPluginError, MetricError
from ganzoo.nn import Extractor
from ganzoo.registry import extractors
from ganzoo.spec import DataSpec, ImageSpec

BATCH = 256  # images that go through an extractor at once


class Features(NamedTuple):
    """What an extractor said of a set of images.

    Attributes:
        features: float32 (n, dim).
        logits: float32 (n, classes), or None where the extractor has no classes.
    """

    features: NDArray[np.float32]
    logits: NDArray[np.float32] | None


def name_extractor(name: str, spec: DataSpec) -> str:
    """Return the name of the extractor for some data: the one asked for, else the data's own.

    Colours of which the data says nothing are compared by ``inception-v3``.

    Raises:
        MetricError: none was asked for, and nothing says which one fits.
    """
    name = name or spec.extractor or ("inception-v3" if spec.image.channels == 3 else "")
    if not name:
        raise MetricError(
            f"nothing says by which features images of {spec.image} are compared. "
            f"Choose with --extractor: {', '.join(extractors.names())}."
        )
    return name


def make_extractor(name: str) -> Extractor:
    """Build a registered extractor, on the GPU where there is one.

    Raises:
        ExtractorError: its weights cannot be had.
        UnknownNameError, BrokenPluginError, ...: as `Registry.make`.
    """
    made = extractors.make(name)
    if not isinstance(made, Extractor):
        raise BrokenPluginError(
            f"{extractors.cite(name)} made {type(made).__name__}, not a ganzoo.Extractor: its "
            "author must mend that."
        )
    return made.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def describe_resizing(name: str, extractor: Extractor, image: ImageSpec, allowed: bool) -> str:
    """Say how images are made to fit an extractor.

    Raises:
        MetricError: they would have to be changed, and that is not allowed.
    """
    changes = []
    if extractor.channels not in (None, image.channels):
        changes.append("made grey" if extractor.channels == 1 else "repeated in three channels")
    if extractor.size is not None and extractor.size != (image.height, image.width):
        height, width = extractor.size
        changes.append(f"resized to {width}x{height}, bilinear with antialiasing")
    if not changes:
        return extractor.resizing
    if not allowed:
        raise MetricError(
            f"extractor {name!r} does not read images of {image}: they would be "
            f"{' and '.join(changes)}. --resize to do so, or choose another --extractor."
        )
    return ", ".join(changes + [extractor.resizing] * (extractor.resizing != "none"))


def fit(images: Tensor, channels: int | None, size: tuple[int, int] | None) -> Tensor:
    """Give uint8 images (n, channels, height, width) another number of channels or another size."""
    if channels == 1 and images.shape[1] == 3:
        images = functional.rgb_to_grayscale(images)
    elif channels == 3 and images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    if size is not None and tuple(images.shape[2:]) != size:
        images = functional.resize(images, list(size), antialias=True)
    return images


@torch.inference_mode()
def extract(extractor: Extractor, images: Tensor, shown: str = "") -> Features:
    """Run an extractor on uint8 images (n, channels, height, width), in batches.

    Args:
        extractor: which.
        images: of any size; they are made to fit.
        shown: what the progress line on a terminal says; none where empty.
    """
    device = next((p.device for p in extractor.parameters()), torch.device("cpu"))
    parts = tqdm(
        torch.split(images, BATCH),
        shown,
        unit="batch",
        disable=None if shown else True,
        leave=False,
    )
    found = [extractor(fit(part, extractor.channels, extractor.size).to(device)) for part in parts]
    logits = [each.logits.float().cpu() for each in found if each.logits is not None]
    return Features(
        torch.cat([each.features.float().cpu() for each in found]).numpy(),
        torch.cat(logits).numpy() if logits else None,
    )
