"""Measure a generator, and record the protocol of the measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ganzoo.errors import MetricError
from ganzoo.evaluation.cache import cached_features
from ganzoo.evaluation.choice import choose_metrics
from ganzoo.evaluation.extraction import Features, describe_resizing, extract, make_extractor
from ganzoo.evaluation.images import ImageSet, ImageSets
from ganzoo.evaluation.values import compute_values
from ganzoo.machine import describe_hardware, describe_versions
from ganzoo.nn import torch_defaults
from ganzoo.sampling.generator import Generator
from ganzoo.spec import DataSpec, Direction

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
        data: spec of the real images.
        origin: fields of the protocol that identify the real images: dataset, split, sha256.
        extractor: registered name of the extractor.
        samples: number of generated images.
        seed: seed of the samples, and of random choices in a metric.
        metrics: registered names; by default every default metric that can be computed.
        resize: whether images may be resized for the extractor.
        shown: whether to show progress on a terminal.

    Raises:
        UnknownNameError: there is no metric of that name.
        MetricError: a metric cannot be computed, or the images need resizing and `resize` is
            False.
        ExtractorError: the weights of the extractor are not available.
    """

    @torch_defaults()
    def __init__(
        self,
        images: Tensor,
        labels: Tensor | None,
        data: DataSpec,
        origin: dict[str, Any],
        extractor: str,
        *,
        samples: int = 10_000,
        seed: int = 0,
        metrics: Sequence[str] = (),
        resize: bool = False,
        shown: bool = False,
    ) -> None:
        if samples < 1:
            raise MetricError(f"cannot measure {samples} samples. Use --samples 1 or more.")
        self.extractor = make_extractor(extractor)
        self.data = data
        self.samples = samples
        self.seed = seed
        self.shown = shown
        self.resizing = describe_resizing(extractor, self.extractor, data.image, resize)
        self.metrics = choose_metrics(metrics, self.extractor, data)
        self._origin = origin | {"extractor": extractor}
        key = {"data": origin["sha256"], "extractor": [extractor, self.extractor.sha256]} | {
            "resizing": self.resizing,
            "image": str(data.image),
            "torch": torch.__version__,
            "device": str(next(self.extractor.parameters(), torch.zeros(())).device.type),
        }
        self.real = ImageSet(
            images.numpy(),
            cached_features(key, lambda: self._extract(images, "real images")),
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
        fake = self._sample(generator)
        comparison = ImageSets(
            self.real,
            ImageSet(fake.numpy(), self._extract(fake, "samples"), generator.labels(self.samples)),
            self.seed,
            self.extractor.classes,
            self.data.labels,
        )
        values, settings = compute_values(self.metrics, comparison)
        device = next(self.extractor.parameters(), torch.zeros(())).device
        return Evaluation(
            values,
            self._origin
            | {
                "extractor_sha256": self.extractor.sha256,
                "resizing": self.resizing,
                "real_images": len(self.real),
                "samples": self.samples,
                "seed": self.seed,
                "settings": settings,
                "hardware": describe_hardware(device),
                "versions": describe_versions(*PACKAGES),
            },
        )

    def direction(self, name: str) -> Direction | None:
        """Return whether higher or lower values are better, None if no metric declares the name."""
        directions = (metric.direction(name) for metric in self.metrics.values())
        return next(filter(None, directions), None)

    def _extract(self, images: Tensor, title: str) -> Features:
        return extract(self.extractor, images, title if self.shown else "")

    def _sample(self, generator: Generator) -> Tensor:
        spec = generator.spec.data.image
        if spec != self.data.image:
            raise MetricError(
                f"{generator.spec.name!r} generates images of {spec}, but the data has images of "
                f"{self.data.image}. Use a dataset of the same image size."
            )
        starts = range(0, self.samples, SAMPLED_AT_ONCE)
        parts = [
            generator.sample(
                min(SAMPLED_AT_ONCE, self.samples - start), self.seed, start=start
            ).numpy()
            for start in tqdm(
                starts, "samples", unit="k", disable=None if self.shown else True, leave=False
            )
        ]
        return torch.from_numpy(np.concatenate(parts).transpose(0, 3, 1, 2).copy())
