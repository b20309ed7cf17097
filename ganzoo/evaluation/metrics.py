"""The metrics by name: what each computes, and of what images it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.evaluation.distances import (
    frechet_distance,
    kernel_distance,
    usable_subset_size,
)
from ganzoo.evaluation.images import ImageSets
from ganzoo.evaluation.memorisation import authenticity, nearest_training
from ganzoo.evaluation.modes import gaussian_modes, label_accuracy, mode_coverage, modes_hit
from ganzoo.evaluation.neighbours import density_coverage, precision_recall
from ganzoo.evaluation.scores import inception_score
from ganzoo.nn import Extractor
from ganzoo.spec import DataSpec

SUBSETS = 100  # of images, over which the kernel distance is averaged
SEARCHED = 1_000  # samples whose nearest training image is looked for

HIGHER_IS_BETTER = frozenset(
    {"precision", "recall", "density", "coverage", "inception_score", "modes_hit", "high_quality"}
    | {"authenticity_by_pixels", "authenticity_by_features", "label_accuracy"}
    | {"psnr", "ssim"}
)
"""Figures of which a model wants much; of all others it wants little."""


@dataclass(frozen=True)
class Metric:
    """A named way to compare images.

    Attributes:
        compute: figures by name.
        settings: the numbers that it is computed with, in a few words for the protocol.
        refuses: (extractor, data) -> why it cannot be computed with them, empty if it can.
    """

    compute: Callable[[ImageSets], dict[str, float]]
    settings: Callable[[ImageSets], str]
    refuses: Callable[[Extractor, DataSpec], str] = lambda extractor, data: ""


def _has_no_classes(extractor: Extractor, data: DataSpec) -> str:
    return "" if extractor.classes else "the extractor tells no classes apart"


def _tells_other_classes(extractor: Extractor, data: DataSpec) -> str:
    if data.classes and extractor.classes == data.labels:
        return ""
    return "the extractor does not tell the data's classes apart"


def _is_no_ring(extractor: Extractor, data: DataSpec) -> str:
    points = data.image.shape == (1, 1, 2) and data.classes > 0
    return "" if points else "it is for points with labels, such as the dataset ring's"


def _frechet(of: ImageSets) -> dict[str, float]:
    return {"frechet_distance": frechet_distance(of.real.features, of.fake.features)}


def _kernel(of: ImageSets) -> dict[str, float]:
    found = kernel_distance(of.drawn, of.fake.features, seed=of.seed, subsets=SUBSETS)
    return {"kernel_distance": found.value, "kernel_distance_error": found.error}


def _precision_recall(of: ImageSets) -> dict[str, float]:
    return precision_recall(of.drawn, of.fake.features, k=3)._asdict()


def _density_coverage(of: ImageSets) -> dict[str, float]:
    return density_coverage(of.drawn, of.fake.features, k=5)._asdict()


def _inception_score(of: ImageSets) -> dict[str, float]:
    found = inception_score(of.fake.logits, splits=10, seed=of.seed)
    return {"inception_score": found.value, "inception_score_error": found.error}


def _modes(of: ImageSets) -> dict[str, float]:
    assert of.real.labels is not None  # such data is refused
    found = mode_coverage(of.real.labels, of.fake.logits)
    shares = {
        f"share_of_{label}": count / len(of.fake)
        for label, count in zip(of.classes, found.fake.tolist(), strict=True)
    }
    figures = {"class_kl": found.kl, "classes_missing": len(found.missing)} | shares
    if of.fake.labels is not None:
        figures["label_accuracy"] = label_accuracy(of.fake.labels, of.fake.logits)
    return figures


def _ring_modes(of: ImageSets) -> dict[str, float]:
    assert of.real.labels is not None  # such data is refused
    modes = gaussian_modes(_values(of.real.pixels), of.real.labels)
    found = modes_hit(_values(of.fake.pixels), modes.centres, modes.std)
    return {
        "modes": len(modes.centres),
        "modes_hit": found.hit,
        "high_quality": found.high_quality,
    }


def _memorisation(of: ImageSets) -> dict[str, float]:
    figures = {}
    spaces: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
        "pixels": (of.fake.pixels, of.real.pixels),
        "features": (of.fake.features, of.real.features),
    }
    for space, (fake, real) in spaces.items():
        samples, training = _values(fake[:SEARCHED]), _values(real)
        nearest = nearest_training(samples, training)
        figures[f"nearest_by_{space}"] = float(np.median(nearest.distances))
        figures[f"authenticity_by_{space}"] = authenticity(nearest, training)
    return figures


def _subset_size(of: ImageSets) -> int:
    return usable_subset_size(len(of.drawn), len(of.fake))


def _drawn(of: ImageSets) -> str:
    return f"{len(of.drawn)} real images, drawn"


def _values(images: NDArray[Any]) -> NDArray[np.float32]:
    """A row of numbers an image; pixels in [0, 1]."""
    scale = 255 if images.dtype == np.uint8 else 1
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(scale)


METRICS: dict[str, Metric] = {
    "frechet": Metric(_frechet, lambda of: "all real images"),
    "kernel": Metric(_kernel, lambda of: f"{SUBSETS} subsets of {_subset_size(of)} images"),
    "precision-recall": Metric(_precision_recall, lambda of: f"k 3, {_drawn(of)}"),
    "density-coverage": Metric(_density_coverage, lambda of: f"k 5, {_drawn(of)}"),
    "inception-score": Metric(_inception_score, lambda of: "10 splits", _has_no_classes),
    "modes": Metric(_modes, lambda of: "one sample makes a class", _tells_other_classes),
    "ring-modes": Metric(_ring_modes, lambda of: "within 3 standard deviations", _is_no_ring),
    "memorisation": Metric(
        _memorisation, lambda of: f"{len(of.fake.pixels[:SEARCHED])} samples, all real images"
    ),
}
"""What can be asked for, by name."""
