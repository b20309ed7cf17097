"""Measure a generator, and record the protocol of the measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.errors import MetricError
from ganzoo.evaluation.cache import cached_features
from ganzoo.evaluation.extraction import Features, extract
from ganzoo.evaluation.images import ImageSet, ImageSets
from ganzoo.evaluation.plan import EvaluationPlan
from ganzoo.evaluation.values import compute_values
from ganzoo.nn import torch_defaults
from ganzoo.sampling.generator import Generator
from ganzoo.spec import UNIFORM_LABELS
from ganzoo.system.bars import progress_bar
from ganzoo.system.machine import describe_hardware, describe_versions

SAMPLED_AT_ONCE = 1024  # images between two updates of the progress bar
PACKAGES = ("torchmetrics", "torch-fidelity", "scikit-learn", "scipy")


@dataclass(frozen=True)
class Evaluation:
    """Values of metrics, and the protocol that they depend on.

    Attributes:
        metrics: values by name; infinite values are left out.
        protocol: dataset, split, extractor and its hash, numbers of images, resizing, seed,
            hardware and versions. Free-form JSON.
    """

    metrics: dict[str, float]
    protocol: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the values and the protocol as a dictionary for JSON."""
        return asdict(self)


class Evaluator:
    """Compares generators with one set of real images under one protocol.

    Args:
        images: the real images, uint8 (n, channels, height, width).
        labels: classes of the real images, int64 (n,), or None.
        plan: the metrics and the settings, see `plan_evaluation`.
        origin: fields of the protocol that identify the real images: dataset, split, sha256.
        shown: whether to show progress on a terminal.
    """

    @torch_defaults()
    def __init__(
        self,
        images: Tensor,
        labels: Tensor | None,
        plan: EvaluationPlan,
        origin: dict[str, Any],
        *,
        shown: bool = False,
    ) -> None:
        self.plan = plan
        self.shown = shown
        self._origin = origin | {"extractor": plan.extractor_name}
        key = {
            "data": origin["sha256"],
            "extractor": [plan.extractor_name, plan.extractor.sha256],
            "resizing": plan.resizing,
            "image": str(plan.data.image),
            "torch": torch.__version__,
            "device": self._device.type,
        }
        self.real = ImageSet(
            images.numpy(),
            cached_features(key, lambda n: self._extract(images[:n], "real images")),
            None if labels is None else labels.numpy(),
        )

    @torch_defaults()
    def __call__(self, generator: Generator) -> Evaluation:
        """Measure a generator.

        Raises:
            MetricError: the generated images differ from the real ones in size, or a metric needs
                more images.
            BrokenPluginError: a metric fails.
        """
        plan, fake = self.plan, self._sample(generator)
        labels = generator.labels(plan.samples)
        classes = _renumber(labels, generator.spec.data.class_names, plan.data.class_names)
        comparison = ImageSets(
            self.real,
            ImageSet(fake.numpy(), self._extract(fake, "samples"), classes),
            plan.seed,
            plan.extractor.classes,
            plan.data.labels,
        )
        values, settings, failed = compute_values(plan.metrics, comparison, named=plan.named)
        protocol = self._origin | {
            "extractor_sha256": plan.extractor.sha256,
            "resizing": plan.resizing,
            "real_images": len(self.real),
            "samples": plan.samples,
            "seed": plan.seed,
        }
        if labels is not None:
            protocol["labels"] = UNIFORM_LABELS
        if left_out := {**plan.left_out, **failed}:
            protocol["left_out"] = left_out
        return Evaluation(
            values,
            protocol
            | {
                "settings": settings,
                "hardware": describe_hardware(self._device),
                "versions": describe_versions(*PACKAGES),
            },
        )

    @property
    def _device(self) -> torch.device:
        return next(self.plan.extractor.parameters(), torch.zeros(())).device

    def _extract(self, images: Tensor, title: str) -> Features:
        return extract(self.plan.extractor, images, title if self.shown else "")

    def _sample(self, generator: Generator) -> Tensor:
        spec = generator.spec.data.image
        if spec != self.plan.data.image:
            raise MetricError(
                f"{generator.spec.name!r} generates images of {spec}, but the data has images of "
                f"{self.plan.data.image}. Use a dataset of the same image size."
            )
        starts = range(0, self.plan.samples, SAMPLED_AT_ONCE)
        parts = [
            generator.sample(
                min(SAMPLED_AT_ONCE, self.plan.samples - start), self.plan.seed, start=start
            ).numpy()
            for start in progress_bar(starts, "samples", unit="k", visible=self.shown)
        ]
        return torch.from_numpy(np.concatenate(parts).transpose(0, 3, 1, 2).copy())


def _renumber(
    labels: NDArray[np.int64] | None, own: Sequence[str], others: Sequence[str]
) -> NDArray[np.int64] | None:
    """Return class numbers of a model as those of the classes of the same names in the data.

    Args:
        labels: class numbers of the model; None without classes.
        own: names of its classes.
        others: names of the classes of the data.

    Returns:
        None if the data lacks a class of the model.
    """
    if labels is None or not set(own) <= set(others):
        return None
    return np.array([others.index(name) for name in own])[labels]
