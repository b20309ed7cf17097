"""Extractors under test, and their checks."""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ganzoo import nn
from ganzoo.errors import ConformanceError, ExtractorError
from ganzoo.evaluation.extraction import Features, extract
from ganzoo.registry import extractors
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, prerequisite
from ganzoo.testing.imports import imports_quietly

IMAGES = 6
SIZE = (32, 32)  # of images for an extractor that reads any size
TOLERANCE = 1e-3  # relative, of features in another batch: kernels round differently


def builds(subject: Extractor) -> None:
    """It builds a ganzoo.Extractor, with the digest of its weights."""
    if not isinstance(subject.network, nn.Extractor):
        raise ConformanceError(
            f"{subject.label} returns {type(subject.network).__name__}, but must return a "
            "ganzoo.Extractor: derive its class from ganzoo.Extractor."
        )
    if not re.fullmatch("[0-9a-f]{64}", str(subject.network.sha256)):
        raise ConformanceError(
            f"{subject.label} has sha256={subject.network.sha256!r}: pass the SHA-256 of its "
            "weights, 64 hexadecimal digits, or of its definition if it has no weights."
        )


def extracts(subject: Extractor) -> None:
    """It returns finite features, and logits for its classes, in the declared shapes."""
    with prerequisite("builds"):
        network = subject.network
    features, logits = subject.extract(subject.images)
    if features.ndim != 2 or len(features) != IMAGES:
        raise ConformanceError(
            f"{subject.label} returns features of shape {features.shape} for {IMAGES} images: "
            "return one row per image."
        )
    if network.dim not in (None, features.shape[1]):
        raise ConformanceError(
            f"{subject.label} declares dim={network.dim}, but returns {features.shape[1]} features "
            "per image: declare their number."
        )
    expected = (IMAGES, len(network.classes)) if network.classes else None
    if (logits.shape if logits is not None else None) != expected:
        shape = "no logits" if logits is None else f"logits of shape {logits.shape}"
        raise ConformanceError(
            f"{subject.label} has {len(network.classes)} classes, but returns {shape}: return one "
            "logit per class, and None without classes."
        )
    if not np.isfinite(features).all():
        raise ConformanceError(f"{subject.label} returns features that are not finite.")


def is_batch_independent(subject: Extractor) -> None:
    """The features of an image depend on nothing but this image."""
    with prerequisite("extracts"):
        together = subject.extract(subject.images).features
        alone = np.concatenate([subject.extract(image[None]).features for image in subject.images])
    if not np.allclose(together, alone, rtol=TOLERANCE, atol=TOLERANCE * np.abs(together).max()):
        raise ConformanceError(
            f"{subject.label} returns other features for an image alone than in a batch: use no "
            "statistics of the batch and no random numbers."
        )


class Extractor(CheckedPlugin):
    """An extractor under test."""

    registry = extractors
    checks = (
        registration.loads,
        registration.takes_named_arguments,
        imports_quietly,
        builds,
        extracts,
        is_batch_independent,
    )

    @cached_property
    def network(self) -> nn.Extractor:
        """The extractor, in eval mode.

        Raises:
            NotChecked: its weights are not available.
        """
        try:
            network: nn.Extractor = extractors.make(self.entry)
        except ExtractorError as error:
            raise NotChecked(f"it is not available: {error}") from error
        return network.eval() if isinstance(network, torch.nn.Module) else network

    @cached_property
    def images(self) -> Tensor:
        """Random images of a size that it reads, uint8 (n, channels, height, width)."""
        shape = (self.network.channels or 3, *(self.network.size or SIZE))
        rng = torch.Generator().manual_seed(0)
        return torch.randint(0, 256, (IMAGES, *shape), dtype=torch.uint8, generator=rng)

    def extract(self, images: Tensor) -> Features:
        """Return the features and logits of images."""
        return extract(self.network, images)
