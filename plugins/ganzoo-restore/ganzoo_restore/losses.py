"""Losses of enlarged images: a distance from the true ones, alone or with an adversarial term."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

import ganzoo
from ganzoo import DataSpec
from ganzoo.games import (
    AdversarialLoss,
    AdversarialOptions,
    Batch,
    Criterion,
    Loss,
    Player,
    Turn,
    check_weight,
    with_adversarial_options,
)
from ganzoo.nn import at_least_fp32, generate, inputs_of

Distance = Literal["l1", "mse"]


def distance(output: Tensor, target: Tensor, kind: Distance) -> Tensor:
    """Return the mean absolute or squared difference of each sample, (n,)."""
    difference = (output - target).flatten(1)
    return (difference.abs() if kind == "l1" else difference.square()).mean(1)


def check_pairs(nets: Mapping[str, nn.Module], data: DataSpec) -> None:
    """Check that the data has pairs and that the generator reads conditions.

    Raises:
        ValueError: they do not.
    """
    if data.condition is None or not data.paired:
        raise ValueError(
            "it compares images with true ones, but this data has no pairs. Use --dataset degraded"
        )
    if "condition" not in inputs_of(nets["generator"]):
        raise ValueError(
            "it needs a generator that reads images. Use --architecture rrdbnet or srresnet"
        )


class Regression(Loss):
    """The distance of a generator's images from the true ones, see `regression`."""

    players = (Player("generator", trains=("generator",), reads_real=True),)

    def __init__(self, kind: Distance) -> None:
        super().__init__()
        self.kind = kind

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Raise a ValueError if the data has no pairs, or the generator reads no images."""
        check_pairs(nets, data)
        if "z" in inputs_of(nets["generator"]):
            raise ValueError(
                "it compares one image with each true one, but this generator reads latents. Use "
                "--architecture rrdbnet or srresnet"
            )

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the distance."""
        images = generate(nets["generator"], y=batch.labels, condition=batch.condition)
        return {self.kind: distance(at_least_fp32(images), batch.images, self.kind)}


class SuperResolution(AdversarialLoss):
    """An adversarial loss plus distances of pixels and of features, see `srgan` and `esrgan`.

    Args:
        options: options of adversarial losses.
        criterion: the losses of both players.
        kind: the distance of pixels and features.
        weights: weights of the terms ``adversarial``, the kind of the pixels, and ``features``.
        extractor: registered name of the extractor of the features; used if their weight is not 0.
    """

    generator_reads_real = True

    def __init__(
        self,
        options: AdversarialOptions,
        criterion: Criterion,
        kind: Distance,
        weights: Mapping[str, float],
        extractor: str,
    ) -> None:
        for name, weight in weights.items():
            check_weight(f"{name}_weight", weight)
        super().__init__(criterion, options)
        self.kind = kind
        self.weights = dict(weights)
        self.extractor = extractor if weights["features"] else None
        self._features: Callable[[Tensor], Tensor] | None = None

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Check the data and the generator, and load the extractor.

        Raises:
            ValueError: the data has no pairs, or the generator reads no images.
            ExtractorError: the extractor has no gradients, or its weights are missing.
        """
        check_pairs(nets, data)
        super().check(nets, data)
        if self.extractor:
            from ganzoo.evaluation import features_with_gradients  # imports torchvision

            example = torch.zeros(1, *data.image.shape)
            self._features = features_with_gradients(self.extractor, example)

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial term, and the distances of pixels and of features."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        adversarial, _ = self.generator_terms(nets["discriminator"], fake, batch, turn)
        terms = {"adversarial": adversarial}
        if self.weights[self.kind]:
            terms[self.kind] = distance(fake, batch.images, self.kind)
        if self._features is not None:
            with torch.no_grad():
                target = self._features(batch.images)
            terms["features"] = distance(self._features(fake), target, self.kind)
        return {name: turn.weigh(name, self.weights[name], term) for name, term in terms.items()}


def _criterion(loss: str) -> Criterion:
    """Return the criterion of an adversarial loss of ganzoo."""
    built: Any = ganzoo.losses.get(loss)()
    criterion: Criterion = built.criterion
    return criterion


def regression(*, kind: Distance = "l1") -> Loss:
    """The distance from the true image alone, as for networks that GANs start from.

    "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks" (Wang et al., 2018),
    section 4.1, https://arxiv.org/abs/1809.00219, has L1; SRResNet (Ledig et al., 2017,
    https://arxiv.org/abs/1609.04802) the mean squared error. Both give blurred images, with the
    best PSNR.

    Args:
        kind: ``l1``, the mean absolute difference of images in [-1, 1], or ``mse``, the mean
            squared one.
    """
    return Regression(kind)


@with_adversarial_options()
def srgan(
    options: AdversarialOptions,
    *,
    adversarial_weight: float = 1e-3,
    mse_weight: float = 1.0,
    feature_weight: float = 0.0,
    extractor: str = "colour-64@1",
) -> Loss:
    """SRGAN: non-saturating adversarial loss plus mean squared errors of pixels or features.

    "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network" (Ledig et
    al., 2017), equations 3 to 6, https://arxiv.org/abs/1609.04802. The defaults are its SRGAN-MSE.

    Args:
        adversarial_weight: weight of the adversarial term.
        mse_weight: weight of the mean squared difference of images in [-1, 1]; the paper has 0
            where it compares features.
        feature_weight: weight of the mean squared difference of features.
        extractor: registered extractor of the features; the paper has VGG-19.
    """
    weights = {"adversarial": adversarial_weight, "mse": mse_weight, "features": feature_weight}
    return SuperResolution(options, _criterion("nonsaturating"), "mse", weights, extractor)


@with_adversarial_options()
def esrgan(
    options: AdversarialOptions,
    *,
    adversarial_weight: float = 5e-3,
    l1_weight: float = 5e-3,
    feature_weight: float = 1.0,
    extractor: str = "colour-64@1",
) -> Loss:
    """ESRGAN: relativistic average loss plus L1 distances of features and of pixels.

    "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks" (Wang et al., 2018),
    equations 1 to 3, https://arxiv.org/abs/1809.00219.

    Args:
        adversarial_weight: lambda, the weight of the relativistic average term.
        l1_weight: weight of the mean absolute difference of images in [-1, 1]; half of the paper's
            eta, which is for images in [0, 1].
        feature_weight: weight of the mean absolute difference of features.
        extractor: registered extractor of the features; the paper has VGG-19 before its last
            activation.
    """
    weights = {"adversarial": adversarial_weight, "l1": l1_weight, "features": feature_weight}
    return SuperResolution(options, _criterion("ragan"), "l1", weights, extractor)
