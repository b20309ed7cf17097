"""Where a cloud of points ends: at a density that few of its own points fall below."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import PlotError

NEIGHBOURS = 10
PERCENTILE = 5.0  # of the cloud's own points that lie on its border, by definition


@dataclass(frozen=True)
class Border:
    """The border of a cloud of points, by the density that their k-th nearest neighbours say.

    The density at a place is estimated as k / (n V r^d), where r is the distance to the k-th
    nearest of the cloud's n points in d dimensions and V the volume of the unit ball (Loftsgaarden
    and Quesenberry, 1965, "A Nonparametric Estimate of a Multivariate Density Function",
    https://doi.org/10.1214/aoms/1177700079). A place lies on or outside the border where this is
    at or below the 5th percentile of the densities at the cloud's own points, each of which does
    not count itself. Density falls as r rises, so r decides: the border is at the 95th percentile
    of the points' own r. One in twenty points of the cloud itself is on the border by definition.

    Attributes:
        points: the cloud, (n, d).
        neighbours: k.
        percentile: share of the cloud's own points on the border, in percent.

    Raises:
        PlotError: no more points than neighbours, or a percentile that is none.
    """

    points: NDArray[Any]
    neighbours: int = NEIGHBOURS
    percentile: float = PERCENTILE

    def __post_init__(self) -> None:
        n, k = len(self.points), self.neighbours
        if self.points.ndim != 2 or not 1 <= k < n or not 0 < self.percentile < 100:
            raise PlotError(
                f"the border of {n} points at the {self.percentile:g}th percentile, by their "
                f"{k} nearest neighbours, is not to be had: it takes more points than neighbours, "
                "and a percentile between 0 and 100."
            )

    @cached_property
    def radius(self) -> float:
        """Distance to the k-th neighbour at the border, in the points' own unit."""
        own = self._index.kneighbors(n_neighbors=self.neighbours)[0][:, -1]
        return float(np.percentile(own, 100 - self.percentile))

    def distances(self, places: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distance of places (m, d) to the k-th nearest point of the cloud, (m,)."""
        found = self._index.kneighbors(places, n_neighbors=self.neighbours)[0][:, -1]
        return np.asarray(found, dtype=np.float64)

    def outside(self, places: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which of places (m, d) lie on or outside the border, (m,)."""
        return np.asarray(self.distances(places) >= self.radius)

    @cached_property
    def _index(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors().fit(self.points)
