"""Distances of images to one photo, with gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

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
        UnknownNameError, ExtractorError, ...: as for `features_with_gradients`.
    """
    from ganzoo.evaluation import features_with_gradients  # imports torchvision

    features = features_with_gradients(name, photo)
    of_photo = features(photo).detach()
    length = of_photo.square().sum().clamp_min(1e-12)
    return lambda images: (features(images) - of_photo).square().sum(1) / length


def _pyramid(images: Tensor) -> Iterator[Tensor]:
    yield images
    while min(images.shape[2:]) >= 2 * COARSEST:
        images = avg_pool2d(images, 2)
        yield images
