"""Mode coverage of a generator: classes of a classifier, or known Gaussians."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_row_pair, as_rows
from ganzoo.evaluation.divergences import kl


class ModeCoverage(NamedTuple):
    """Counts of the classes of real and of generated images.

    Attributes:
        real: number of real images in each class, int64 (classes,).
        fake: number of generated images classified as each class, int64 (classes,).
        kl: KL(generated || real) of the class distributions, in nats; 0 if they are equal, infinite
            if a generated class does not occur in the data.
        missing: classes of the data that no generated image is classified as.
    """

    real: NDArray[np.int64]
    fake: NDArray[np.int64]
    kl: float
    missing: tuple[int, ...]


class ModesHit(NamedTuple):
    """Counts of generated points near known modes.

    Attributes:
        counts: number of high-quality points nearest to each mode, int64 (modes,).
        hit: number of modes with at least one high-quality point.
        high_quality: share of points within `deviations` standard deviations of their nearest
            mode, 0 to 1.
    """

    counts: NDArray[np.int64]
    hit: int
    high_quality: float


class GaussianModes(NamedTuple):
    """Gaussians that share one standard deviation.

    Attributes:
        centres: means of the Gaussians, float64 (modes, d).
        std: standard deviation of each coordinate.
    """

    centres: NDArray[np.float64]
    std: float


def mode_coverage(real: ArrayLike, fake_logits: ArrayLike) -> ModeCoverage:
    """Compare the class histogram of generated images with that of the data.

    This is the measure of stacked MNIST in "Unrolled Generative Adversarial Networks" (Metz et al.,
    2017), https://arxiv.org/abs/1611.02163. A class is covered if at least one generated image is
    classified as it. The divergence is the reverse one, KL(generated || data), which stays finite
    if a class is missing. With few images a class can be missing by chance: with 10 equal classes
    the probability is 0.0003 in 100 images and 0.37 in 30 images.

    Args:
        real: classes of the real images, int (n,) from 0; or the classifier's logits for them,
            float (n, classes), so that its mistakes affect both histograms.
        fake_logits: the classifier's logits for generated images (m, classes).

    Raises:
        MetricError: an array has another shape, or a class exceeds the classifier's classes.
    """
    fake_logits = as_rows("the fake images' logits", fake_logits)
    classes = fake_logits.shape[1]
    real_counts = np.bincount(_classes(real, fake_logits), minlength=classes)
    fake_counts = np.bincount(fake_logits.argmax(1), minlength=classes)
    missing = tuple(np.flatnonzero((real_counts > 0) & (fake_counts == 0)).tolist())
    return ModeCoverage(real_counts, fake_counts, kl(fake_counts, real_counts), missing)


def label_accuracy(labels: ArrayLike, logits: ArrayLike) -> float:
    """Return the share of images that are classified as their label, 0 to 1.

    "Conditional Image Synthesis with Auxiliary Classifier GANs" (Odena et al., 2017), section 4.1,
    https://arxiv.org/abs/1610.09585. The classifier's mistakes lower the value.

    Args:
        labels: classes that the images were generated for, int (n,) from 0.
        logits: the classifier's logits for the images (n, classes).

    Raises:
        MetricError: the numbers of labels and images differ, or a class exceeds the classifier's
            classes.
    """
    logits = as_rows("the fake images' logits", logits)
    classes = _classes(labels, logits)
    if len(classes) != len(logits):
        raise MetricError(
            f"there are {len(classes):,} labels for {len(logits):,} images. Pass one label per "
            "image."
        )
    return float((classes == logits.argmax(1)).mean())


def gaussian_modes(points: ArrayLike, labels: ArrayLike) -> GaussianModes:
    """Return the mean of each class of points, and the standard deviation about these means.

    Args:
        points: points of a dataset such as ring (n, d).
        labels: mode of each point, int (n,).

    Raises:
        MetricError: an array has another shape, or no two points share a label.
    """
    points = as_rows("the real points", points).astype(np.float64)
    labels = np.asarray(labels)
    if labels.shape != (len(points),):
        raise MetricError(
            f"the labels have the shape {labels.shape}, but there are {len(points):,} points. Pass "
            "one label per point."
        )
    modes, inverse = np.unique(labels, return_inverse=True)
    if len(modes) == len(points):
        raise MetricError(
            "every point has a different label. Pass at least two points of one label, such as the "
            "dataset ring's."
        )
    sums = np.zeros((len(modes), points.shape[1]))
    np.add.at(sums, inverse, points)
    centres = sums / np.bincount(inverse)[:, None]
    freedom = (len(points) - len(modes)) * points.shape[1]
    std = float(np.sqrt(((points - centres[inverse]) ** 2).sum() / freedom))
    return GaussianModes(centres, std)


def modes_hit(
    points: ArrayLike, centres: ArrayLike, std: float, *, deviations: float = 3.0
) -> ModesHit:
    """Count the Gaussian modes that generated points hit, and the high-quality points.

    "VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning" (Srivastava et al.,
    2017), https://arxiv.org/abs/1705.07761. A point is of high quality if it is within three
    standard deviations of its nearest mode. A mode is hit if it is the nearest mode of at least one
    such point. In two dimensions, 1 - exp(-4.5) = 0.989 of the data's points are of high quality.

    Args:
        points: generated points (n, d).
        centres: centres of the modes (modes, d), as returned by `gaussian_modes`.
        std: standard deviation of each coordinate about its centre, above 0, in the unit of the
            points.
        deviations: largest distance of a high-quality point from its mode, in standard deviations.

    Raises:
        MetricError: an array has another shape, or an argument is out of its range.
    """
    points, centres = as_row_pair("the fake points", points, "the centres", centres)
    if not (std > 0 and deviations > 0):
        raise MetricError(
            f"modes cannot be counted with std={std} and deviations={deviations}. Use values "
            "above 0."
        )
    distances, nearest = KDTree(centres).query(points)
    good = distances <= deviations * std
    counts = np.bincount(nearest[good], minlength=len(centres))
    return ModesHit(counts, int((counts > 0).sum()), float(good.mean()))


def _classes(real: ArrayLike, logits: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the classes of the real images, from labels or logits."""
    known, real = logits.shape[1], np.asarray(real)
    if real.ndim == 2:
        rows, _ = as_row_pair("the real images' logits", real, "the fake images' logits", logits)
        return np.asarray(rows.argmax(1))
    if not (real.ndim == 1 and real.size and np.issubdtype(real.dtype, np.integer)):
        raise MetricError(
            f"the real classes have the dtype {real.dtype} and the shape {real.shape}. Pass "
            "integers (n,), or the classifier's logits (n, classes)."
        )
    if real.min() < 0 or real.max() >= known:
        raise MetricError(
            f"the classes go from {real.min()} to {real.max()}, but the classifier has 0 to "
            f"{known - 1}. Use a classifier of the same classes."
        )
    return real.astype(np.int64)
