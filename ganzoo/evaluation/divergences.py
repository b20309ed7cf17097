"""Divergences and distances between distributions, as in the theory of GANs.

Divergences are in nats (natural logarithms), distances in the unit of the positions.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist
from scipy.stats import entropy

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_floats
from ganzoo.system.dependencies import quiet_imports

Normalisation = Literal["total-mass", "largest-distance", "mean-transport"]

SAME_MASS = 1e-5  # relative: rounding error of a sum of float32 probabilities
SYMMETRY = 1e-6  # relative to the largest entry: rounding error of float32 covariances
NO_MASS = 1e-12  # of a total of 1: rounding error of the division by the sum


def kl(p: ArrayLike, q: ArrayLike) -> float:
    """Return the Kullback-Leibler divergence KL(p || q) = sum p log(p / q) of distributions.

    "On Information and Sufficiency" (Kullback and Leibler, 1951),
    https://doi.org/10.1214/aoms/1177729694.

    >>> round(kl([0.5, 0.5], [0.9, 0.1]), 4), round(kl([0.9, 0.1], [0.5, 0.5]), 4)
    (0.5108, 0.3681)
    >>> kl([0.5, 0.5], [1.0, 0.0])
    inf

    Args:
        p: probabilities or counts, of any shape; they are divided by their sum.
        q: probabilities or counts of the same shape.

    Returns:
        At least 0, in nats; infinite if q is 0 where p is not.

    Raises:
        MetricError: the shapes differ, or a mass is negative, not finite or 0 in total.
    """
    p, q = _distributions(p, q)
    return max(float(entropy(p.ravel(), q.ravel())), 0.0)


def js(p: ArrayLike, q: ArrayLike) -> float:
    """Return the Jensen-Shannon divergence: the mean KL of p and of q from their mean.

    "Divergence Measures Based on the Shannon Entropy" (Lin, 1991),
    https://doi.org/10.1109/18.61115. The generator of the first GAN minimises it:
    "Generative Adversarial Nets" (Goodfellow et al., 2014), theorem 1,
    https://arxiv.org/abs/1406.2661.

    >>> round(js([1, 0], [0, 1]), 4), round(math.log(2), 4)
    (0.6931, 0.6931)
    >>> js([1, 3], [0.25, 0.75])
    0.0

    Args:
        p: probabilities or counts, of any shape; they are divided by their sum.
        q: probabilities or counts of the same shape.

    Returns:
        From 0 for equal distributions to log 2 for disjoint ones, in nats. Symmetric.

    Raises:
        MetricError: the shapes differ, or a mass is negative, not finite or 0 in total.
    """
    p, q = _distributions(p, q)
    mean = (p + q) / 2
    return (kl(p, mean) + kl(q, mean)) / 2


def js_from_discriminator_loss(loss: float) -> float:
    """Return the Jensen-Shannon divergence of data and generator from the discriminator's loss.

    The value function V = E[log D(x)] + E[log(1 - D(G(z)))] is -log 4 + 2 JS for the optimal D
    ("Generative Adversarial Nets", Goodfellow et al., 2014, theorem 1,
    https://arxiv.org/abs/1406.2661), so JS = (V + log 4) / 2. The discriminator minimises -V:

    >>> js_from_discriminator_loss(math.log(4))  # D(x) = 1/2 everywhere
    0.0
    >>> round(js_from_discriminator_loss(0.0), 4)  # D is always right: log 2
    0.6931

    Args:
        loss: -V, the **sum** of the cross-entropies of real and of fake images, at least 0. The
            losses ``minimax`` and ``nonsaturating`` without label smoothing log it as
            ``discriminator/adversarial``. If your code averages the two, pass twice its loss.

    Returns:
        A lower bound of the divergence in nats, since a trained discriminator is not optimal. It
        is negative if the discriminator is worse than the constant 1/2.

    Raises:
        MetricError: the loss is negative, such as V, or not finite.
    """
    if not (math.isfinite(loss) and loss >= 0):
        raise MetricError(
            f"the discriminator's loss is {loss}, but a sum of cross-entropies is finite and at "
            "least 0. If this is the value function V, pass -V."
        )
    return (math.log(4) - loss) / 2


def kl_normal(mean_p: ArrayLike, cov_p: ArrayLike, mean_q: ArrayLike, cov_q: ArrayLike) -> float:
    """Return KL(p || q) of two normal distributions with full covariances, in closed form.

    A VAE minimises a special case of it: "Auto-Encoding Variational Bayes" (Kingma and Welling,
    2014), appendix B, https://arxiv.org/abs/1312.6114.

    >>> kl_normal([1.0], [[1.0]], [0.0], [[1.0]])  # half of the squared distance
    0.5
    >>> round(kl_normal([0, 0], [[4, 0], [0, 1]], [0, 0], [[1, 0], [0, 1]]), 4)  # (3 - log 4) / 2
    0.8069

    Args:
        mean_p: mean of p (d,).
        cov_p: covariance of p (d, d), symmetric and positive-definite.
        mean_q: mean of q (d,).
        cov_q: covariance of q (d, d), symmetric and positive-definite.

    Returns:
        At least 0, in nats.

    Raises:
        MetricError: an array has another shape, or a covariance is not symmetric and
            positive-definite.
    """
    means = [as_floats(f"the mean of {x}", m) for x, m in (("p", mean_p), ("q", mean_q))]
    p, q = (_cholesky(f"the covariance of {x}", c) for x, c in (("p", cov_p), ("q", cov_q)))
    if {means[0].shape, means[1].shape} != {p.shape[:1]} or p.shape != q.shape:
        raise MetricError(
            f"the means have the shapes {means[0].shape} and {means[1].shape}, the covariances "
            f"{p.shape} and {q.shape}. Pass (d,) and (d, d) of one d."
        )
    spread = solve_triangular(q, p, lower=True)
    shift = solve_triangular(q, means[1] - means[0], lower=True)
    volume = (
        np.log(np.diag(q)).sum() - np.log(np.diag(p)).sum()
    )  # half of the log ratio of determinants
    return max(float(((spread**2).sum() + (shift**2).sum() - len(p)) / 2 + volume), 0.0)


def wasserstein1(
    p: ArrayLike,
    q: ArrayLike,
    *,
    positions: ArrayLike | None = None,
    cost: ArrayLike | None = None,
    normalise: Normalisation | None = "total-mass",
) -> float:
    """Return the earth mover's distance: the least work that turns one histogram into another.

    "The Earth Mover's Distance as a Metric for Image Retrieval" (Rubner et al., 2000),
    https://doi.org/10.1023/A:1026543900054. The critic of "Wasserstein GAN" (Arjovsky et al., 2017)
    estimates it, https://arxiv.org/abs/1701.07875.

    Work is mass times distance, summed over all mass. In this example 2 units leave the first bin
    and 1 unit leaves the second, for the last bin. The work is 8 for 14 units of mass.
    ``ganzoo plot earth-mover`` draws it:

    >>> p, q = [4, 4, 4, 2], [2, 3, 4, 5]
    >>> wasserstein1(p, q, normalise=None)
    8.0
    >>> round(wasserstein1(p, q), 4)
    0.5714

    Args:
        p: mass in each bin, at least 0: (bins,) or (rows, columns).
        q: mass in each bin, of the same shape and the same total.
        positions: positions of the bins, (bins,) or (bins, dimensions); the bins of a table are
            counted row by row. Distances are Euclidean. By default neighbouring bins are 1 apart.
        cost: distance of each bin of p to each bin of q, (bins, bins), at least 0, with 0 on the
            diagonal. It replaces `positions`.
        normalise: divisor of the work.

            - ``"total-mass"``: the total mass. The result is the 1-Wasserstein distance W1 of the
              histograms as probabilities. Example: 8 / 14 = 0.5714.
            - ``"largest-distance"``: the total mass times the largest distance of two bins. The
              result is between 0 and 1. Example: 8 / (14 x 3) = 0.1905.
            - ``"mean-transport"``: the mass that moves. The result is the mean distance of this
              mass. Example: 8 / 3 = 2.6667.
            - ``None``: no divisor. The result is the work.

    Returns:
        At least 0. In the unit of the distances for ``"total-mass"`` and ``"mean-transport"``, in
        this unit times the unit of mass for ``None``, without a unit for ``"largest-distance"``.

    Raises:
        MetricError: the histograms differ in mass or shape, or positions or cost do not fit them.
    """
    source, target = _masses("p", p), _masses("q", q)
    if source.shape != target.shape or source.ndim > 2:
        raise MetricError(
            f"the histograms have the shapes {source.shape} and {target.shape}. Pass two of one "
            "shape, (bins,) or (rows, columns)."
        )
    mass = source.sum()
    if not math.isclose(mass, target.sum(), rel_tol=SAME_MASS):
        raise MetricError(
            f"p has the mass {mass:g} and q {target.sum():g}. Pass histograms of equal mass, such "
            "as p / p.sum() and q / q.sum()."
        )
    distances = _distances_of_bins(source.shape, positions, cost)
    a, b = source.ravel() / mass, target.ravel() / target.sum()
    moved = np.maximum(a - b, 0).sum()
    if moved < NO_MASS or not distances.any():
        return 0.0
    w1 = _transport(a, b, distances)
    match normalise:
        case None:
            return float(w1 * mass)
        case "total-mass":
            return w1
        case "largest-distance":
            return float(w1 / distances.max())
        case "mean-transport":
            return float(w1 / moved)
    raise MetricError(
        f"unknown normalisation {normalise!r}. Choose 'total-mass', 'largest-distance', "
        "'mean-transport' or None."
    )


def _distances_of_bins(
    shape: tuple[int, ...], positions: ArrayLike | None, cost: ArrayLike | None
) -> NDArray[np.float64]:
    """Return the distance of each bin of p to each bin of q, (bins, bins)."""
    bins = math.prod(shape)
    if cost is not None:
        if positions is not None:
            raise MetricError("positions and cost exclude each other. Pass only one of them.")
        distances = as_floats("the cost", cost).astype(np.float64)
        if distances.shape != (bins, bins) or (distances < 0).any() or np.diag(distances).any():
            raise MetricError(
                f"the cost has the shape {distances.shape} and does not fit {bins} bins. They need "
                f"({bins}, {bins}) distances of at least 0, with 0 on the diagonal."
            )
        return distances
    if positions is None:
        points = np.argwhere(np.ones(shape)).astype(np.float64)
    else:
        points = as_floats("the positions", positions).astype(np.float64)
    if points.ndim not in (1, 2) or len(points) != bins:
        raise MetricError(
            f"the positions have the shape {points.shape}. {bins} bins need ({bins},) or "
            f"({bins}, dimensions)."
        )
    points = points.reshape(bins, -1)
    with np.errstate(over="ignore"):
        distances = np.asarray(cdist(points, points))
    if not np.isfinite(distances).all():
        raise MetricError("the positions are too far apart for their distances. Pass smaller ones.")
    return distances


def _transport(p: NDArray[np.float64], q: NDArray[np.float64], cost: NDArray[np.float64]) -> float:
    """Return the least mean cost of a transport from p to q."""
    ot = _import_pot()
    from_bins, to_bins = np.flatnonzero(p), np.flatnonzero(q)
    cost = np.ascontiguousarray(cost[np.ix_(from_bins, to_bins)])
    w1, log = ot.emd2(p[from_bins], q[to_bins], cost, log=True)
    if log["warning"]:
        raise MetricError(
            f"the optimal transport between histograms of {len(p):,} bins was not computed: "
            f"{log['warning']} Use fewer bins."
        )
    return max(float(w1), 0.0)


@functools.cache
def _import_pot() -> Any:
    """Return POT, whose import is slow: it imports every installed array library."""
    with quiet_imports():
        import ot
    return ot


def _masses(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return a histogram: finite, at least 0, not all 0."""
    masses = as_floats(name, values).astype(np.float64)
    if (masses < 0).any() or not masses.any():
        raise MetricError(f"{name} must have no mass below 0, and some mass above 0.")
    with np.errstate(over="ignore"):
        is_summable = np.isfinite(masses.sum())
    if not is_summable:
        raise MetricError(f"{name} has more mass than a number can hold. Divide it by its maximum.")
    return masses


def _distributions(p: ArrayLike, q: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two histograms of one shape, each divided by its sum."""
    a, b = _masses("p", p), _masses("q", q)
    if a.shape != b.shape:
        raise MetricError(f"p has the shape {a.shape} and q {b.shape}. Pass two of one shape.")
    return a / a.sum(), b / b.sum()


def _cholesky(name: str, covariance: ArrayLike) -> NDArray[np.float64]:
    """Return the lower triangle L with L L^T = covariance."""
    matrix = as_floats(name, covariance).astype(np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise MetricError(f"{name} has the shape {matrix.shape}. Pass (d, d).")
    if not np.allclose(matrix, matrix.T, rtol=SYMMETRY, atol=SYMMETRY * np.abs(matrix).max()):
        raise MetricError(f"{name} is not symmetric. Pass (c + c.T) / 2.")
    try:
        return np.asarray(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError as error:
        raise MetricError(
            f"{name} is not positive-definite, so the divergence is infinite or undefined. Pass a "
            "matrix of full rank, such as c + 1e-6 * np.eye(len(c))."
        ) from error
