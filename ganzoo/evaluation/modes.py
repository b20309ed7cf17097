"""Which modes of the data a generator makes: classes told by a classifier, or known Gaussians."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_row_pair, as_rows
from ganzoo.evaluation.divergences import kl


class ModeCoverage(NamedTuple):
    """The classes of generated images beside the data's.

    Attributes:
        real: images of each class in the data, int64 (classes,).
        fake: generated images classified as each, int64 (classes,).
        kl: KL divergence of the generated classes from the data's, in nats; 0 where they are the
            same, infinite where a class was made that the data lacks.
        missing: classes of the data as which no generated image was classified.
    """

    real: NDArray[np.int64]
    fake: NDArray[np.int64]
    kl: float
    missing: tuple[int, ...]


class ModesHit(NamedTuple):
    """How generated points lie about known modes.

    Attributes:
        counts: high-quality points nearest to each mode, int64 (modes,).
        hit: modes that are nearest to one high-quality point or more.
        high_quality: share of points within the given deviations of their nearest mode, 0 to 1.
    """

    counts: NDArray[np.int64]
    hit: int
    high_quality: float


class GaussianModes(NamedTuple):
    """Gaussians of one standard deviation.

    Attributes:
        centres: their means, float64 (modes, d).
        std: of each coordinate, in every mode.
    """

    centres: NDArray[np.float64]
    std: float


def mode_coverage(real: ArrayLike, fake_logits: ArrayLike) -> ModeCoverage:
    """Compare the histogram of classes that a classifier tells with the data's.

    As on stacked MNIST in "Unrolled Generative Adversarial Networks" (Metz et al., 2017),
    https://arxiv.org/abs/1611.02163: a class is there if one generated image or more is classified
    as it, and the divergence is the reverse one, KL(generated || data), which a missing class
    leaves finite. With few images some are missing by chance: of 10 equal classes in 100 images
    with probability 0.0003, in 30 images with 0.37.

    Args:
        real: the data's classes, int (n,) from 0; or the classifier's logits for it, float (n,
            classes), whose mistakes are then the same on both sides.
        fake_logits: the classifier's logits for generated images, (m, classes).

    Raises:
        MetricError: no logits, or a class that they do not know.
    """
    fake_logits = as_rows("the fake images' logits", fake_logits)
    classes = fake_logits.shape[1]
    counts = np.bincount(_classes(real, fake_logits), minlength=classes)
    made = np.bincount(fake_logits.argmax(1), minlength=classes)
    missing = tuple(np.flatnonzero((counts > 0) & (made == 0)).tolist())
    return ModeCoverage(counts, made, kl(made, counts), missing)


def label_accuracy(labels: ArrayLike, logits: ArrayLike) -> float:
    """Return the share of images that a classifier tells to be what was asked for, 0 to 1.

    "Conditional Image Synthesis with Auxiliary Classifier GANs" (Odena et al., 2017), section 4.1,
    https://arxiv.org/abs/1610.09585. The classifier's own mistakes count against the model.

    Args:
        labels: the classes asked for, int (n,) from 0.
        logits: the classifier's, (n, classes).

    Raises:
        MetricError: not a label an image, or a class that the logits do not know.
    """
    logits = as_rows("the fake images' logits", logits)
    asked = _classes(labels, logits)
    if len(asked) != len(logits):
        raise MetricError(f"{len(asked):,} labels were given for {len(logits):,} images.")
    return float((asked == logits.argmax(1)).mean())


def gaussian_modes(points: ArrayLike, labels: ArrayLike) -> GaussianModes:
    """Return the means of labelled points, and the deviation of all of them from their own mean.

    Args:
        points: (n, d), such as the dataset ring's.
        labels: the mode of each, int (n,).

    Raises:
        MetricError: no points, not a label a point, or no two points of one label.
    """
    points = as_rows("the real points", points).astype(np.float64)
    labels = np.asarray(labels)
    if labels.shape != (len(points),):
        raise MetricError(
            f"the labels have the shape {labels.shape}: {len(points):,} points need one each."
        )
    modes, of = np.unique(labels, return_inverse=True)
    if len(modes) == len(points):
        raise MetricError("every point has a label of its own, and modes need several of each.")
    sums = np.zeros((len(modes), points.shape[1]))
    np.add.at(sums, of, points)
    centres = sums / np.bincount(of)[:, None]
    freedom = (len(points) - len(modes)) * points.shape[1]
    std = float(np.sqrt(((points - centres[of]) ** 2).sum() / freedom))
    return GaussianModes(centres, std)


def modes_hit(
    points: ArrayLike, centres: ArrayLike, std: float, *, deviations: float = 3.0
) -> ModesHit:
    """Count the Gaussian modes that generated points hit, and the points that hit one.

    "VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning" (Srivastava et al.,
    2017), https://arxiv.org/abs/1705.07761: a point is of high quality within three
    standard deviations of its nearest mode, and a mode is hit if it is the nearest of one such
    point or more. In two dimensions 1 - exp(-4.5) = 0.989 of the data's own points are.

    Args:
        points: generated ones, (n, d).
        centres: of the modes, (modes, d), such as `gaussian_modes` finds.
        std: of each coordinate about its centre, above 0, in the unit of the points.
        deviations: how many of them a point of high quality is off at most.

    Raises:
        MetricError: arrays of other shapes, or an argument out of its range.
    """
    points, centres = as_row_pair("the fake points", points, "the centres", centres)
    if not (std > 0 and deviations > 0):
        raise MetricError(
            f"modes were asked with std={std} and deviations={deviations}: both are above 0."
        )
    distances, nearest = KDTree(centres).query(points)
    good = distances <= deviations * std
    counts = np.bincount(nearest[good], minlength=len(centres))
    return ModesHit(counts, int((counts > 0).sum()), float(good.mean()))


def _classes(real: ArrayLike, logits: NDArray[np.floating]) -> NDArray[np.int64]:
    """The data's classes, given or by its logits."""
    known, real = logits.shape[1], np.asarray(real)
    if real.ndim == 2:
        rows, _ = as_row_pair("the real images' logits", real, "the fake images' logits", logits)
        return np.asarray(rows.argmax(1))
    if not (real.ndim == 1 and real.size and np.issubdtype(real.dtype, np.integer)):
        raise MetricError(
            f"the data's classes are of dtype {real.dtype} and shape {real.shape}: give integers "
            "(n,), or the classifier's logits (n, classes)."
        )
    if real.min() < 0 or real.max() >= known:
        raise MetricError(
            f"the data's classes go from {real.min()} to {real.max()}, and the classifier knows 0 "
            f"to {known - 1}: take one that was trained on this data."
        )
    return real.astype(np.int64)
