"""Distances of images to one photo, with gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganzoo.errors import SampleError, describe
from ganzoo.nn import in_eval_mode
from ganzoo.registry import extractors

Distance = Callable[[Tensor], Tensor]  # images (n, channels, height, width) in [-1, 1] -> (n,)

COARSEST = 4  # pixels of the shorter side up to which images are pooled


def pixel_distance(photo: Tensor) -> Distance:
    """Return the mean squared error of pixels, averaged over images of 1/1, 1/2, 1/4, ... size.

    Args:
        photo: (1, channels, height, width) in [-1, 1].
    """
    levels = list(_pyramid(photo))

    def distance(images: Tensor) -> Tensor:
        pairs = zip(_pyramid(images), levels, strict=True)
        return torch.stack([(a - b).square().mean((1, 2, 3)) for a, b in pairs]).mean(0)

    return distance


def feature_distance(photo: Tensor, name: str) -> Distance:
    """Return the squared distance of an extractor's features, relative to those of the photo.

    Args:
        photo: (1, channels, height, width) in [-1, 1].
        name: registered name of the extractor.

    Raises:
        SampleError: the extractor has no gradients, for example because it reads whole numbers.
        UnknownNameError, ExtractorError, ...: as `make_extractor`.
    """
    from ganzoo.evaluation.extraction import fit, make_extractor  # imports torchvision

    extractor = in_eval_mode(make_extractor(name).to(photo.device)).requires_grad_(False)

    def features(images: Tensor) -> Tensor:
        levels = fit((images + 1) * 127.5, extractor.channels, extractor.size)
        return extractor(levels).features.float()  # type: ignore[no-any-return]

    reason = "its features have no gradients"
    try:
        of_photo = features(photo.clone().requires_grad_())
    except Exception as error:  # noqa: BLE001 - a plugin's extractor may raise anything
        of_photo, reason = photo, describe(error)
    if of_photo is photo or not of_photo.requires_grad:
        usable = ", ".join(other for other in extractors.names() if other != name)
        raise SampleError(
            f"cannot invert with {extractors.cite(name)}: {reason}. Inversion needs gradients of "
            f"features. Use another --extractor ({usable}), or none to compare pixels."
        )
    of_photo = of_photo.detach()
    length = of_photo.square().sum().clamp_min(1e-12)
    return lambda images: (features(images) - of_photo).square().sum(1) / length


def _pyramid(images: Tensor) -> Iterator[Tensor]:
    yield images
    while min(images.shape[2:]) >= 2 * COARSEST:
        images = avg_pool2d(images, 2)
        yield images
