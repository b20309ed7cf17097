"""Metrics under test, and their checks."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from ganzoo import spec
from ganzoo.errors import ConformanceError, GanzooError, enumerate_names
from ganzoo.evaluation.extraction import Features
from ganzoo.evaluation.images import ImageSet, ImageSets
from ganzoo.nn import Extracted, Extractor
from ganzoo.registry import metrics
from ganzoo.registry.docstrings import docstring_of
from ganzoo.spec import DataSpec, ImageSpec
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, prerequisite
from ganzoo.testing.imports import imports_quietly

IMAGES = 64  # per set
DIMENSIONS = 8  # length of the features
CLASSES = ("a", "b", "c")
SIZES = ((8, 8, 1), (8, 8, 3), (1, 2, 1), (32, 32, 3))  # 1x2 means points in the plane


def names_its_source(subject: Metric) -> None:
    """The docstring of its compute function links to its source: a paper, or a web page."""
    if not registration.LINK.search(docstring_of(subject.metric.compute)):
        raise ConformanceError(
            f"{subject.label} has no link to its source: add the link of the paper, such as "
            "https://arxiv.org/abs/1706.08500, to the docstring of its compute function."
        )


def has_unique_value_names(subject: Metric) -> None:
    """No other registered metric declares a value with the same name."""
    for entry in metrics.entries():
        if entry.address == subject.entry.address:
            continue
        try:
            other = metrics.load(entry)
        except GanzooError:  # skips broken plugins
            continue
        if shared := set(subject.metric.better) & set(other.better):
            raise ConformanceError(
                f"{subject.label} and {entry.name} of {entry.provider} both have the value "
                f"{enumerate_names(shared)}, so which is better is ambiguous: rename it."
            )


def computes(subject: Metric) -> None:
    """It returns finite values for a tiny set, and declares for each which are better."""
    values = subject.metric.compute(subject.sets)
    if not values:
        raise ConformanceError(f"{subject.label} returns no value: return a dict of floats.")
    for name, value in values.items():
        if subject.metric.better_of(name) is None:
            raise ConformanceError(
                f"{subject.label} returns {name!r}, but does not declare which are better: add it "
                'to `better`, such as {"' + str(name) + '": "lower"}.'
            )
        is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise ConformanceError(
                f"{subject.label} returns {name}={value!r}: return a finite number, or omit "
                "a value that cannot be computed."
            )
    if not isinstance(subject.metric.settings(subject.sets), str):
        raise ConformanceError(
            f"{subject.label} has settings that are not a string: return one, such as 'k 3'."
        )


def repeats(subject: Metric) -> None:
    """The same images and the same seed give the same values."""
    with prerequisite("computes"):
        first, second = (dict(subject.metric.compute(subject.sets)) for _ in range(2))
    if first != second:
        raise ConformanceError(
            f"{subject.label} returns other values for the same images: draw random numbers from "
            "numpy.random.default_rng(sets.seed)."
        )


class _TinyExtractor(Extractor):
    def __init__(self) -> None:
        super().__init__(channels=None, size=None, dim=DIMENSIONS, classes=CLASSES, sha256="0" * 64)

    def forward(self, images: object) -> Extracted:
        raise NotImplementedError("the features are random numbers")


class Metric(CheckedPlugin):
    """A metric under test."""

    registry = metrics
    checks = (
        registration.loads,
        registration.has_matching_name,
        imports_quietly,
        names_its_source,
        has_unique_value_names,
        computes,
        repeats,
    )

    @property
    def metric(self) -> spec.Metric:
        """The registered metric.

        Raises:
            NotChecked: it does not load.
        """
        metric: spec.Metric = self.thing
        return metric

    @cached_property
    def sets(self) -> ImageSets:
        """Tiny sets of images that it accepts.

        Raises:
            NotChecked: it refuses all tiny sets.
        """
        reasons = []
        paired = "pairs" in self.metric.needs
        for height, width, channels in SIZES:
            image = ImageSpec(height, width, channels)
            condition = image if paired else None
            data = DataSpec(image, len(CLASSES), CLASSES, condition=condition)
            if not (reason := self.metric.refuses(None if paired else _TinyExtractor(), data)):
                return _random_sets(image, paired)
            reasons.append(f"{image}: {reason}")
        raise NotChecked(f"it refuses each of the tiny sets ({'; '.join(reasons)}).")


def _random_sets(image: ImageSpec, paired: bool) -> ImageSets:
    """Return random images, features and logits; the fake images are close to the real ones."""
    draw = np.random.default_rng(0)
    real = draw.integers(0, 240, (IMAGES, *image.shape), dtype=np.uint8)
    fake = real + draw.integers(0, 16, real.shape, dtype=np.uint8)
    labels = np.arange(IMAGES) % len(CLASSES)

    def extracted() -> Features | None:
        if paired:
            return None
        shapes = (IMAGES, DIMENSIONS), (IMAGES, len(CLASSES))
        return Features(*(draw.normal(size=shape).astype(np.float32) for shape in shapes))

    real_set, fake_set = (ImageSet(pixels, extracted(), labels) for pixels in (real, fake))
    conditions = ImageSet(255 - real, None) if paired else None
    return ImageSets(real_set, fake_set, 0, CLASSES, CLASSES, conditions)
