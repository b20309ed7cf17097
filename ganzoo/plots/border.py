"""The border of a point cloud: where its density falls below that of most of its own points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import PlotError
from ganzoo.system.dependencies import quiet_imports

NEIGHBOURS = 10
PERCENTILE = 5.0  # percent of the cloud's own points that are on its border, by definition


@dataclass(frozen=True)
class Border:
    """The border of a point cloud, from the density that its k nearest neighbours give.

    The density at a place is estimated as k / (n V r^d), where r is the distance to the k-th
    nearest of the cloud's n points in d dimensions and V is the volume of the unit ball
    (Loftsgaarden and Quesenberry, 1965, "A Nonparametric Estimate of a Multivariate Density
    Function", https://doi.org/10.1214/aoms/1177700079). A place is on or outside the border if its
    density is at or below the 5th percentile of the densities at the cloud's own points. A point is
    not its own neighbour. Density decreases with r, so the border is at the 95th percentile of the
    points' own r. By definition, one in twenty points of the cloud is on the border.

    Attributes:
        points: the cloud, (n, d).
        neighbours: k.
        percentile: share of the cloud's own points on the border, in percent.

    Raises:
        PlotError: there are too few points, or the percentile is not between 0 and 100.
    """

    points: NDArray[Any]
    neighbours: int = NEIGHBOURS
    percentile: float = PERCENTILE

    def __post_init__(self) -> None:
        n, k = len(self.points), self.neighbours
        if self.points.ndim != 2 or not 1 <= k < n or not 0 < self.percentile < 100:
            raise PlotError(
                f"cannot compute the border of {n} points at the {self.percentile:g}th percentile "
                f"with {k} nearest neighbours. Use more points than neighbours, and a percentile "
                "between 0 and 100."
            )

    @cached_property
    def radius(self) -> float:
        """Distance to the k-th neighbour at the border, in the unit of the points.

        Raises:
            PlotError: it is 0, since most points are equal to k others.
        """
        own = self._index.kneighbors(n_neighbors=self.neighbours)[0][:, -1]
        radius = float(np.percentile(own, 100 - self.percentile))
        if not radius:  # every place would be on the border or outside
            raise PlotError(
                f"cannot compute the border of {len(self.points)} points: nearly all of "
                f"them are equal to {self.neighbours} others. Remove repeated images."
            )
        return radius

    def distances(self, places: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distance of places (m, d) to the k-th nearest point of the cloud, (m,)."""
        distances = self._index.kneighbors(places, n_neighbors=self.neighbours)[0][:, -1]
        return np.asarray(distances, dtype=np.float64)

    def outside(self, places: NDArray[Any]) -> NDArray[np.bool_]:
        """Return whether each of the places (m, d) is on or outside the border, (m,)."""
        return np.asarray(self.distances(places) >= self.radius)

    @cached_property
    def _index(self) -> Any:
        with quiet_imports():
            from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors().fit(self.points)
