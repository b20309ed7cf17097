"""A generator -> its figures and the protocol that they hold under."""

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
from ganzoo.evaluation.figures import compute_figures
from ganzoo.evaluation.images import ImageSet, ImageSets
from ganzoo.machine import describe_hardware, describe_versions
from ganzoo.sampling.generator import Generator
from ganzoo.spec import DataSpec, Direction

SAMPLED_AT_ONCE = 1024  # images between two steps of the progress line
PACKAGES = ("torchmetrics", "torch-fidelity", "scikit-learn", "scipy")


@dataclass(frozen=True)
class Evaluation:
    """Figures, and all that they depend on.

    Attributes:
        metrics: figures by name; infinite ones are left out.
        protocol: data, split, extractor and its hash, numbers of images, resizing, seed, hardware,
            versions. Free-form JSON.
    """

    metrics: dict[str, float]
    protocol: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return both as JSON."""
        return asdict(self)


class Evaluator:
    """Compares generators with one set of real images, always in the same way.

    Args:
        images: the real ones, uint8 (n, channels, height, width).
        labels: int64 (n,), or None.
        data: what they are.
        said: what the protocol says of them: dataset, split, sha256.
        extractor: registered name of the extractor.
        samples: how many images are generated.
        seed: of the samples, and of whatever a metric draws.
        metrics: registered names; by default all that fit and are computed by default.
        resize: whether images may be resized for the extractor.
        shown: whether to show progress on a terminal.

    Raises:
        UnknownNameError: no metric has this name.
        MetricError: a metric that does not fit; images that would have to be resized.
        ExtractorError: the extractor's weights cannot be had.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor | None,
        data: DataSpec,
        said: dict[str, Any],
        extractor: str,
        *,
        samples: int = 10_000,
        seed: int = 0,
        metrics: Sequence[str] = (),
        resize: bool = False,
        shown: bool = False,
    ) -> None:
        if samples < 1:
            raise MetricError(f"{samples} samples cannot be measured: --samples is 1 or more.")
        self.extractor = make_extractor(extractor)
        self.data = data
        self.samples = samples
        self.seed = seed
        self.shown = shown
        self.resizing = describe_resizing(extractor, self.extractor, data.image, resize)
        self.metrics = choose_metrics(metrics, self.extractor, data)
        self._said = said | {"extractor": extractor}
        key = {"data": said["sha256"], "extractor": [extractor, self.extractor.sha256]} | {
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

    def __call__(self, generator: Generator) -> Evaluation:
        """Measure a generator.

        Raises:
            MetricError: its images are not of the data's size, or too few for a metric.
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
        figures, settings = compute_figures(self.metrics, comparison)
        device = next(self.extractor.parameters(), torch.zeros(())).device
        return Evaluation(
            figures,
            self._said
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

    def direction(self, figure: str) -> Direction | None:
        """Return which values of a figure are better, None if none of its metrics has it."""
        directions = (metric.direction(figure) for metric in self.metrics.values())
        return next(filter(None, directions), None)

    def _extract(self, images: Tensor, what: str) -> Features:
        return extract(self.extractor, images, what if self.shown else "")

    def _sample(self, generator: Generator) -> Tensor:
        spec = generator.spec.data.image
        if spec != self.data.image:
            raise MetricError(
                f"{generator.spec.name!r} makes images of {spec}, the data has {self.data.image}."
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
