"""Divergences and distances between distributions: the mathematics that GANs are explained with.

All of them are in nats (natural logarithms) or in the unit of the positions.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist
from scipy.stats import entropy

from ganzoo.errors import MetricError
from ganzoo.evaluation.arrays import as_floats

Normalisation = Literal["total-mass", "largest-distance", "mean-transport"]

SAME_MASS = 1e-5  # relative: what float32 probabilities miss of 1
SYMMETRY = 1e-6  # relative to the largest entry: what float32 covariances miss of it
NO_MASS = 1e-12  # of 1: what dividing by the sum leaves


def kl(p: ArrayLike, q: ArrayLike) -> float:
    """Kullback-Leibler divergence KL(p || q) = sum p log(p / q) of discrete distributions.

    "On Information and Sufficiency" (Kullback and Leibler, 1951),
    https://doi.org/10.1214/aoms/1177729694.

    >>> round(kl([0.5, 0.5], [0.9, 0.1]), 4), round(kl([0.9, 0.1], [0.5, 0.5]), 4)
    (0.5108, 0.3681)
    >>> kl([0.5, 0.5], [1.0, 0.0])
    inf

    Args:
        p: probabilities or counts, of any shape; they are divided by their sum.
        q: as many of them.

    Returns:
        At least 0, in nats; infinite where q is 0 and p is not.

    Raises:
        MetricError: no such distributions.
    """
    p, q = _distributions(p, q)
    return max(float(entropy(p.ravel(), q.ravel())), 0.0)


def js(p: ArrayLike, q: ArrayLike) -> float:
    """Jensen-Shannon divergence: of p and of q, the mean KL from their mean.

    "Divergence Measures Based on the Shannon Entropy" (Lin, 1991),
    https://doi.org/10.1109/18.61115. It is what the generator of the first GAN minimises:
    "Generative Adversarial Nets" (Goodfellow et al., 2014), theorem 1,
    https://arxiv.org/abs/1406.2661.

    >>> round(js([1, 0], [0, 1]), 4), round(math.log(2), 4)
    (0.6931, 0.6931)
    >>> js([1, 3], [0.25, 0.75])
    0.0

    Args:
        p: probabilities or counts, of any shape; they are divided by their sum.
        q: as many of them.

    Returns:
        From 0, where they are the same, to log 2, where they share nothing, in nats. Symmetric.

    Raises:
        MetricError: no such distributions.
    """
    p, q = _distributions(p, q)
    mean = (p + q) / 2
    return (kl(p, mean) + kl(q, mean)) / 2


def js_from_discriminator_loss(loss: float) -> float:
    """Jensen-Shannon divergence of data and generator, as the best discriminator's loss tells it.

    The value function V = E[log D(x)] + E[log(1 - D(G(z)))] is -log 4 + 2 JS for the best D
    ("Generative Adversarial Nets", Goodfellow et al., 2014, theorem 1,
    https://arxiv.org/abs/1406.2661), so JS = (V + log 4) / 2. The discriminator minimises -V:

    >>> js_from_discriminator_loss(math.log(4))  # D(x) = 1/2 everywhere: nothing to tell
    0.0
    >>> round(js_from_discriminator_loss(0.0), 4)  # D is always right: log 2
    0.6931

    Args:
        loss: -V, the **sum** of the cross-entropies of real and of fake images, at least 0. It is
            ``discriminator/adversarial`` in the log of the losses ``minimax`` and
            ``nonsaturating`` without label smoothing. Twice the loss of those who take the mean.

    Returns:
        In nats. No discriminator is the best one, so it is a lower bound of the divergence, and
        below 0 where the discriminator does worse than to answer 1/2.

    Raises:
        MetricError: a negative loss, such as V itself, or one that is not finite.
    """
    if not (math.isfinite(loss) and loss >= 0):
        raise MetricError(
            f"the discriminator's loss was {loss}: a sum of cross-entropies is finite and at least "
            "0. The value function V is its negative: give -V."
        )
    return (math.log(4) - loss) / 2


def kl_normal(mean_p: ArrayLike, cov_p: ArrayLike, mean_q: ArrayLike, cov_q: ArrayLike) -> float:
    """KL(p || q) of two normal distributions with full covariances, in closed form.

    "Auto-Encoding Variational Bayes" (Kingma and Welling, 2014), appendix B, has the case that a
    VAE minimises, https://arxiv.org/abs/1312.6114:

    >>> kl_normal([1.0], [[1.0]], [0.0], [[1.0]])  # half of the squared distance
    0.5
    >>> round(kl_normal([0, 0], [[4, 0], [0, 1]], [0, 0], [[1, 0], [0, 1]]), 4)  # (3 - log 4) / 2
    0.8069

    Args:
        mean_p: (d,).
        cov_p: symmetric and positive-definite, (d, d).
        mean_q: (d,).
        cov_q: symmetric and positive-definite, (d, d).

    Returns:
        At least 0, in nats.

    Raises:
        MetricError: other shapes, or a covariance that is none or is singular.
    """
    means = [as_floats(f"the mean of {x}", m) for x, m in (("p", mean_p), ("q", mean_q))]
    p, q = (_cholesky(f"the covariance of {x}", c) for x, c in (("p", cov_p), ("q", cov_q)))
    if {means[0].shape, means[1].shape} != {p.shape[:1]} or p.shape != q.shape:
        raise MetricError(
            f"the means have the shapes {means[0].shape} and {means[1].shape}, the covariances "
            f"{p.shape} and {q.shape}: give (d,) and (d, d), of one d."
        )
    spread = solve_triangular(q, p, lower=True)
    shift = solve_triangular(q, means[1] - means[0], lower=True)
    volume = np.log(np.diag(q)).sum() - np.log(np.diag(p)).sum()  # half of the log determinants'
    return max(float(((spread**2).sum() + (shift**2).sum() - len(p)) / 2 + volume), 0.0)


def wasserstein1(
    p: ArrayLike,
    q: ArrayLike,
    *,
    positions: ArrayLike | None = None,
    cost: ArrayLike | None = None,
    normalise: Normalisation | None = "total-mass",
) -> float:
    """Earth mover's distance: the least work that makes one histogram of the other.

    "The Earth Mover's Distance as a Metric for Image Retrieval" (Rubner et al., 2000),
    https://doi.org/10.1023/A:1026543900054; what the critic of "Wasserstein GAN" (Arjovsky et al.,
    2017) estimates, https://arxiv.org/abs/1701.07875.

    The work is each unit of mass times how far it goes. Here 2 units leave the first bin and 1 the
    second, for the last two; that is work 8 on 14 units of mass:

    >>> p, q = [4, 4, 4, 2], [2, 3, 4, 5]
    >>> wasserstein1(p, q, normalise=None)
    8.0
    >>> round(wasserstein1(p, q), 4)
    0.5714

    Args:
        p: mass in each bin, at least 0: (bins,), or (rows, columns).
        q: as many bins, with the same total.
        positions: where the bins are, (bins,) or (bins, dimensions), the bins of a table counted
            row by row; distances are Euclidean. By default the bins' own numbers: neighbours are 1
            apart.
        cost: the distance of each bin of p to each of q instead, (bins, bins), at least 0,
            and 0 from a bin to itself.
        normalise: by what the work is divided.

            - ``"total-mass"``: by all mass, moved or not. The 1-Wasserstein distance W1 of the
              histograms as probabilities; above, 8 / 14 = 0.5714.
            - ``"largest-distance"``: by all mass times the largest distance of two bins, so that it
              is from 0 to 1; above, 8 / (14 x 3) = 0.1905.
            - ``"mean-transport"``: by the mass that has to move, what p has more of than q: how far
              it goes in the mean; above, 8 / 3 = 2.6667.
            - ``None``: by nothing, the work.

    Returns:
        At least 0, in the unit of the distances, times that of mass for the work, and without one
        by the largest distance.

    Raises:
        MetricError: histograms of unequal mass or other shapes, or positions or a cost that do not
            fit them.
    """
    earth, hole = _masses("p", p), _masses("q", q)
    if earth.shape != hole.shape or earth.ndim > 2:
        raise MetricError(
            f"the histograms have the shapes {earth.shape} and {hole.shape}: give two of one "
            "shape, (bins,) or (rows, columns)."
        )
    mass = earth.sum()
    if not math.isclose(mass, hole.sum(), rel_tol=SAME_MASS):
        raise MetricError(
            f"p has the mass {mass:g} and q {hole.sum():g}, and earth is moved, not made: give "
            "histograms of equal mass, such as p / p.sum() and q / q.sum()."
        )
    distances = _distances_of_bins(earth.shape, positions, cost)
    a, b = earth.ravel() / mass, hole.ravel() / hole.sum()
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
        f"there is no normalisation {normalise!r}: 'total-mass', 'largest-distance', "
        "'mean-transport' or None."
    )


def _distances_of_bins(
    shape: tuple[int, ...], positions: ArrayLike | None, cost: ArrayLike | None
) -> NDArray[np.float64]:
    """The distance of each bin of p to each of q, (bins, bins)."""
    bins = math.prod(shape)
    if cost is not None:
        if positions is not None:
            raise MetricError("both positions and a cost were given: one of them is enough.")
        distances = as_floats("the cost", cost).astype(np.float64)
        if distances.shape != (bins, bins) or (distances < 0).any() or np.diag(distances).any():
            raise MetricError(
                f"the cost has the shape {distances.shape}: {bins} bins need ({bins}, {bins}), at "
                "least 0, with 0 on the diagonal."
            )
        return distances
    if positions is None:
        places = np.argwhere(np.ones(shape)).astype(np.float64)
    else:
        places = as_floats("the positions", positions).astype(np.float64)
    if places.ndim not in (1, 2) or len(places) != bins:
        raise MetricError(
            f"the positions have the shape {places.shape}: {bins} bins need ({bins},), or "
            f"({bins}, dimensions)."
        )
    places = places.reshape(bins, -1)
    return np.asarray(cdist(places, places))


def _transport(p: NDArray[np.float64], q: NDArray[np.float64], cost: NDArray[np.float64]) -> float:
    """The least mean cost of making q of p."""
    import ot  # imports every array library there is, which the other divergences do without

    from_bins, to_bins = np.flatnonzero(p), np.flatnonzero(q)
    cost = np.ascontiguousarray(cost[np.ix_(from_bins, to_bins)])
    w1, log = ot.emd2(p[from_bins], q[to_bins], cost, log=True)
    if log["warning"]:
        raise MetricError(
            f"the best transport between histograms of {len(p):,} bins was not found: "
            f"{log['warning']} Merge bins."
        )
    return max(float(w1), 0.0)


def _masses(what: str, values: ArrayLike) -> NDArray[np.float64]:
    """A histogram: finite, at least 0, not all 0."""
    masses = as_floats(what, values).astype(np.float64)
    if (masses < 0).any() or not masses.any():
        raise MetricError(f"{what} must have no mass below 0, and some above it.")
    return masses


def _distributions(p: ArrayLike, q: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two histograms of one shape, each divided by its sum."""
    a, b = _masses("p", p), _masses("q", q)
    if a.shape != b.shape:
        raise MetricError(f"p has the shape {a.shape} and q {b.shape}: give two of one shape.")
    return a / a.sum(), b / b.sum()


def _cholesky(what: str, covariance: ArrayLike) -> NDArray[np.float64]:
    """Lower triangle L with L L^T the covariance."""
    matrix = as_floats(what, covariance).astype(np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise MetricError(f"{what} has the shape {matrix.shape}: give (d, d).")
    if not np.allclose(matrix, matrix.T, rtol=SYMMETRY, atol=SYMMETRY * np.abs(matrix).max()):
        raise MetricError(f"{what} is not symmetric: give (c + c.T) / 2 if it should be.")
    try:
        return np.asarray(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError as error:
        raise MetricError(
            f"{what} is not positive-definite, so that the divergence is infinite or has no "
            "meaning. Give one of full rank, such as c + 1e-6 * np.eye(len(c))."
        ) from error
