"""Metrics: mode coverage, by classes of images and by Gaussians of points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets

if TYPE_CHECKING:  # reading which values are better does not import torch
    from ganzoo import DataSpec, Extractor


def _modes(sets: ImageSets) -> dict[str, float]:
    """Mode coverage (https://arxiv.org/abs/1611.02163, https://arxiv.org/abs/1610.09585).

    The first paper (Metz et al., 2017) counts missing classes. The second one (Odena et al., 2017)
    compares the predicted classes of samples with their labels.
    """
    assert sets.real.labels is not None  # the metric needs labels
    coverage = evaluation.mode_coverage(sets.real.labels, sets.fake.logits)
    shares = {
        f"share_of_{label}": count / len(sets.fake)
        for label, count in zip(sets.classes, coverage.fake.tolist(), strict=True)
    }
    values = {"class_kl": coverage.kl, "classes_missing": len(coverage.missing)} | shares
    if sets.fake.labels is not None:
        values["label_accuracy"] = evaluation.label_accuracy(sets.fake.labels, sets.fake.logits)
    return values


def _modes_settings(sets: ImageSets) -> str:
    text = "one sample makes a class"
    if sets.fake.labels is None or sets.real.labels is None:
        return text
    # Samples have uniform labels, which differ from those of the data.
    counts = (
        np.bincount(y, minlength=len(sets.classes)) for y in (sets.fake.labels, sets.real.labels)
    )
    return f"{text}; class_kl is {evaluation.kl(*counts):.2g} if each sample has its label's class"


def _ring_modes(sets: ImageSets) -> dict[str, float]:
    """Modes hit by points (Srivastava et al., 2017), https://arxiv.org/abs/1705.07761."""
    assert sets.real.labels is not None  # the metric needs labels
    modes = evaluation.gaussian_modes(sets.real.rows, sets.real.labels)
    hits = evaluation.modes_hit(sets.fake.rows, modes.centres, modes.std)
    return {
        "modes": len(modes.centres),
        "modes_hit": hits.hit,
        "high_quality": hits.high_quality,
    }


def _refuse_other_classes(extractor: Extractor, data: DataSpec) -> str:
    same = data.classes and extractor.classes == data.labels
    return "" if same else "the extractor's classes are not the data's"


def _refuse_images(extractor: Extractor, data: DataSpec) -> str:
    labelled_points = data.image.shape == (1, 1, 2) and data.classes > 0
    return "" if labelled_points else "it needs points with labels, such as the dataset ring's"


modes = Metric(
    _modes,
    {
        "class_kl": "lower",
        "classes_missing": "lower",
        "label_accuracy": "higher",
        "share_of_*": "neither",
    },
    needs=("logits", "labels"),
    settings=_modes_settings,
    refuses=_refuse_other_classes,
    by_default=True,
    units={"class_kl": "nats", "classes_missing": "classes"},
)

ring_modes = Metric(
    _ring_modes,
    {"modes": "neither", "modes_hit": "higher", "high_quality": "higher"},
    needs=("labels",),
    settings=lambda sets: "within 3 standard deviations",
    refuses=_refuse_images,
    by_default=True,
    units={"modes": "modes", "modes_hit": "modes"},
)
