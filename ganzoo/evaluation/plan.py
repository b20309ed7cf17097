"""The settings of an evaluation, checked before images are read or generated."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_integers
from ganzoo.evaluation.choice import choose_metrics
from ganzoo.evaluation.extraction import describe_resizing, extract, make_extractor
from ganzoo.nn import Extractor
from ganzoo.spec import Better, DataSpec, Metric, SetSizes


@dataclass(frozen=True)
class EvaluationPlan:
    """What an evaluation computes, and with which settings. See `plan_evaluation`.

    Attributes:
        data: spec of the real images.
        extractor_name: registered name of the extractor.
        extractor: the extractor.
        resizing: description of how images are resized for the extractor.
        metrics: the metrics by registered name.
        left_out: the reason for each default metric that needs more images, by registered name.
        samples: number of generated images.
        seed: seed of the samples, and of random choices in a metric.
        named: whether the user named the metrics.
    """

    data: DataSpec
    extractor_name: str
    extractor: Extractor
    resizing: str
    metrics: Mapping[str, Metric]
    left_out: Mapping[str, str]
    samples: int
    seed: int
    named: bool = False

    def better_of(self, name: str) -> Better | None:
        """Return whether higher or lower values are better, None if no metric declares the name."""
        declared = (metric.better_of(name) for metric in self.metrics.values())
        return next(filter(None, declared), None)


def plan_evaluation(
    extractor: str,
    data: DataSpec,
    real: int,
    *,
    samples: int = 10_000,
    seed: int = 0,
    metrics: Sequence[str] = (),
    defaults: Sequence[str] = (),
    resize: bool = False,
) -> EvaluationPlan:
    """Choose metrics and check that they can be computed.

    Warns of each default metric that needs more images, and leaves it out.

    Args:
        extractor: registered name of the extractor.
        data: spec of the real images.
        real: number of real images.
        samples: number of generated images.
        seed: seed of the samples, and of random choices in a metric, 0 to 2**64 - 1.
        metrics: registered names; by default every default metric that can be computed.
        defaults: names of the default metrics, if they are not all registered ones.
        resize: whether images may be resized for the extractor.

    Raises:
        UnknownNameError: there is no metric of that name.
        MetricError: a named metric cannot be computed, `samples` or `seed` is out of range, or the
            images need resizing and `resize` is False.
        ExtractorError: the weights of the extractor are not available.
    """
    samples, seed = check_numbers(samples, seed, "samples")
    network = make_extractor(extractor)
    resizing = describe_resizing(extractor, network, data.image, resize)
    sizes = SetSizes(real, samples, _dimensions(network, data))
    chosen, left_out = choose_metrics(metrics, network, data, sizes, defaults)
    warn_left_out(left_out)
    return EvaluationPlan(
        data, extractor, network, resizing, chosen, left_out, samples, seed, named=bool(metrics)
    )


def warn_left_out(left_out: Mapping[str, str]) -> None:
    """Warn about metrics that are not computed, with their reasons."""
    for name, reason in left_out.items():
        warnings.warn(f"metric {name!r} is left out: {reason}", stacklevel=3)


def check_numbers(samples: int, seed: int, counted: str) -> tuple[int, int]:
    """Return the number of samples and the seed of an evaluation as integers.

    Args:
        samples: at least 1.
        seed: 0 to 2**64 - 1.
        counted: what `samples` counts, for the error message.

    Raises:
        MetricError: a number is no integer, or out of range.
    """
    samples, seed = as_integers(samples=samples, seed=seed)
    if samples < 1:
        raise MetricError(f"cannot measure {samples} {counted}. Use --samples 1 or more.")
    if not 0 <= seed < 2**64:
        raise MetricError(f"seed is {seed}. Use --seed 0 to {2**64 - 1}.")
    return samples, seed


def _dimensions(extractor: Extractor, data: DataSpec) -> int:
    """Return the number of features of an image."""
    if extractor.dim is not None:
        return extractor.dim
    blank = torch.zeros((1, *data.image.shape), dtype=torch.uint8)
    return int(extract(extractor, blank).features.shape[1])
