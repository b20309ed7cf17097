"""Mean and covariance of rows that arrive in parts, in memory that does not depend on their number.

"Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (Chan, Golub and
LeVeque, 1979), equation 2.1, for vectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and covariance of rows.

    Attributes:
        count: number of rows.
        mean: (dim,).
        covariance: (dim, dim), with the divisor `count`.
    """

    count: int
    mean: Array
    covariance: Array

    @classmethod
    def of(cls, parts: Iterable[NDArray[np.floating]]) -> Moments:
        """Return the moments of all rows of parts (n, dim), of which there is at least one."""
        count, mean, scatter = 0, np.zeros(0), np.zeros(0)
        for part in parts:
            rows = part.astype(np.float64)
            middle = rows.mean(axis=0)
            rows -= middle
            if not count:
                mean, scatter = np.zeros_like(middle), np.zeros((len(middle), len(middle)))
            total = count + len(rows)
            step = middle - mean
            scatter += rows.T @ rows + np.outer(step, step) * (count * len(rows) / total)
            mean += step * (len(rows) / total)
            count = total
        return cls(count, mean, scatter / count)

    def deviations(self, vectors: NDArray[np.floating]) -> Array:
        """Return the standard deviation of the rows along vectors, (k, dim) -> (k,)."""
        variances = np.einsum("kd,de,ke->k", vectors, self.covariance, vectors)
        deviations: Array = np.sqrt(variances.clip(min=0))
        return deviations
