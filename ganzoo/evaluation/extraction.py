"""Extract features from images with a named extractor."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.errors import BrokenPluginError, ExtractorError, MetricError, describe
from ganzoo.nn import Extractor, at_least_fp32, exact_inference, in_eval_mode, torch_defaults
from ganzoo.nn.random_numbers import own_random_numbers
from ganzoo.registry import extractors
from ganzoo.spec import DataSpec, ImageSpec
from ganzoo.system.bars import progress_bar
from ganzoo.system.dependencies import quiet_imports

with quiet_imports():  # it imports torch's compiler
    from torchvision.transforms.v2 import functional

BATCH = 256  # images that go through an extractor at once
COLOUR = "colour-64@1"  # reads colour images of any size, and needs no download


class Features(NamedTuple):
    """Outputs of an extractor for a set of images.

    Attributes:
        features: float32 (n, dim).
        logits: float32 (n, classes), or None if the extractor has no classes.
    """

    features: NDArray[np.float32]
    logits: NDArray[np.float32] | None


def name_extractor(name: str, spec: DataSpec) -> str:
    """Return the name of the extractor for a dataset.

    Args:
        name: requested name; if empty, the extractor of the dataset, and ``colour-64@1`` for
            colour images whose dataset names none. The default depends on the data alone, not on
            the weights that a machine has downloaded.
        spec: spec of the dataset.

    Raises:
        MetricError: no name is requested, and there is no default for such images.
    """
    name = name or spec.extractor or (COLOUR if spec.image.channels == 3 else "")
    if not name:
        raise MetricError(
            f"there is no default extractor for images of {spec.image}. "
            f"Choose with --extractor: {', '.join(extractors.names())}."
        )
    return name


@torch_defaults()
def make_extractor(name: str) -> Extractor:
    """Build a registered extractor, on the GPU if there is one.

    Raises:
        ExtractorError: the weights of the extractor are not available.
        UnknownNameError, BrokenPluginError, ...: as `Registry.make`.
    """
    with own_random_numbers(wait=False):  # networks draw weights before they get their own
        extractor = extractors.make(name)
    if not isinstance(extractor, Extractor):
        raise BrokenPluginError(
            f"{extractors.cite(name)} returned {type(extractor).__name__}, not a ganzoo.Extractor. "
            "Report this to the plugin's author."
        )
    return extractor.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def features_with_gradients(name: str, example: Tensor) -> Callable[[Tensor], Tensor]:
    """Return a function that extracts features of images, with gradients.

    The function takes images (n, channels, height, width) in [-1, 1] on any device, and returns
    features, float32 (n, dim). The extractor has fixed weights, which are no part of a loss that
    calls the function.

    Args:
        name: registered name of the extractor.
        example: images to try it on.

    Raises:
        ExtractorError: the features have no gradients, for example because the extractor reads
            whole numbers; or its weights are missing or damaged.
        UnknownNameError, BrokenPluginError, ...: as `Registry.make`.
    """
    extractor = in_eval_mode(make_extractor(name)).requires_grad_(False)

    def features(images: Tensor) -> Tensor:
        levels = fit((at_least_fp32(images) + 1) * 127.5, extractor.channels, extractor.size)
        with torch.autocast(images.device.type, enabled=False):
            result: Tensor = extractor.to(images.device)(levels).features.float()
        return result

    reason = "its features have no gradients"
    try:
        with torch_defaults():  # in the caller's inference mode, tensors have no gradients
            has_gradients = features(example.detach().clone().requires_grad_()).requires_grad
    except Exception as error:  # noqa: BLE001 - a plugin's extractor may raise anything
        has_gradients, reason = False, describe(error)
    if not has_gradients:
        usable = ", ".join(other for other in extractors.names() if other != name)
        raise ExtractorError(
            f"cannot compute gradients of {extractors.cite(name)}: {reason}. Use another extractor "
            f"({usable}), or none to compare pixels."
        )
    return features


def describe_resizing(name: str, extractor: Extractor, image: ImageSpec, allowed: bool) -> str:
    """Return a description of how images are resized for an extractor, for the protocol.

    Args:
        name: name of the extractor in the error message.
        extractor: the extractor.
        image: spec of the images.
        allowed: whether the images may be converted and resized.

    Raises:
        MetricError: the images need a change, and `allowed` is False.
    """
    changes = []
    if extractor.channels not in (None, image.channels):
        changes.append("made grey" if extractor.channels == 1 else "repeated in three channels")
    if extractor.size is not None and extractor.size != (image.height, image.width):
        height, width = extractor.size
        changes.append(f"resized to {height}x{width}, bilinear with antialiasing")
    if not changes:
        return extractor.resizing
    if not allowed:
        raise MetricError(
            f"extractor {name!r} does not read images of {image}. They would be "
            f"{' and '.join(changes)}. Pass --resize to do so, or choose another --extractor."
        )
    return ", ".join(changes + [extractor.resizing] * (extractor.resizing != "none"))


def fit(images: Tensor, channels: int | None, size: tuple[int, int] | None) -> Tensor:
    """Convert images to a number of channels and a size.

    Args:
        images: uint8 (n, channels, height, width).
        channels: 1 or 3; None keeps the number of channels.
        size: height and width; None keeps the size.
    """
    if channels == 1 and images.shape[1] == 3:
        images = functional.rgb_to_grayscale(images)
    elif channels == 3 and images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    if size is not None and tuple(images.shape[2:]) != size:
        images = functional.resize(images, list(size), antialias=True)
    return images


def extract(extractor: Extractor, images: Tensor, shown: str = "") -> Features:
    """Run an extractor on uint8 images (n, channels, height, width), in batches.

    Args:
        extractor: the extractor.
        images: images of any size; they are converted with `fit`.
        shown: title of the progress bar on a terminal; if empty, there is no progress bar.
    """
    device = next((p.device for p in extractor.parameters()), torch.device("cpu"))
    parts = progress_bar(torch.split(images, BATCH), shown, unit="batch", visible=bool(shown))
    network = in_eval_mode(extractor)
    with exact_inference(device):
        outputs = [
            network(fit(part, extractor.channels, extractor.size).to(device)) for part in parts
        ]
    logits = [output.logits.float().cpu() for output in outputs if output.logits is not None]
    return Features(
        torch.cat([output.features.float().cpu() for output in outputs]).numpy(),
        torch.cat(logits).numpy() if logits else None,
    )
