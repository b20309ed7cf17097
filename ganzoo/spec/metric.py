"""A metric: what it computes, what it needs, and the better direction of each of its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple, get_args

from ganzoo.spec.data import DataSpec

Direction = Literal["higher", "lower", "neither"]
"""Whether higher or lower values are better; ``neither`` for values without a better direction."""

Need = Literal["features", "logits", "labels", "pairs"]
"""``features`` and ``logits`` of an extractor, ``labels`` of the real images, ``pairs``: real image
k is the one that image k should be."""


class SetSizes(NamedTuple):
    """The sizes of the sets that a metric compares.

    Attributes:
        real: number of real images.
        samples: number of generated images.
        features: number of features of an image.
    """

    real: int
    samples: int
    features: int


def _enough(sizes: SetSizes) -> str:
    return ""


def _no_settings(sets: Any) -> str:
    return ""


def _fits(extractor: Any, data: DataSpec) -> str:
    return ""


@dataclass(frozen=True)
class Metric:
    """A named way to compare generated images with real ones.

    A metric with the need ``pairs`` measures models that translate images, all others measure
    models that generate images from latents.

        def brightness_gap(sets):
            '''Difference of the mean brightness, https://example.org/brightness.'''
            return {"brightness_gap": abs(sets.real.pixels.mean() - sets.fake.pixels.mean())}

        brightness = Metric(brightness_gap, {"brightness_gap": "lower"})

    Attributes:
        compute: `ganzoo.evaluation.ImageSets` -> values by name; `directions` declares each.
            Its docstring links to the paper.
        directions: the direction of each value by its name, which may hold the wildcard ``*``.
        needs: what it reads besides the pixels.
        settings: returns the numbers that it is computed with, in a few words for the protocol.
        refuses: (extractor, data) -> why it cannot be computed with them, empty if it can. The
            extractor of pairs is None.
        too_few: the sizes of the sets -> why there are too few images, empty if there are enough.
            A default metric is then left out. Not called for pairs.
        by_default: whether it is computed where it fits and no metric is named.

    Raises:
        ValueError: no value, an unknown direction or an unknown need.
    """

    compute: Callable[[Any], Mapping[str, float]]
    directions: Mapping[str, Direction]
    needs: tuple[Need, ...] = ()
    settings: Callable[[Any], str] = _no_settings
    refuses: Callable[[Any, DataSpec], str] = _fits
    too_few: Callable[[SetSizes], str] = _enough
    by_default: bool = False

    def __post_init__(self) -> None:
        if not self.directions:
            raise ValueError("a metric declares no value: directions={NAME: 'higher' or 'lower'}")
        for name, direction in self.directions.items():
            if direction not in get_args(Direction):
                raise ValueError(
                    f"the value {name!r} has the direction {direction!r}: "
                    "choose 'higher', 'lower' or 'neither'"
                )
        for need in self.needs:
            if need not in get_args(Need):
                raise ValueError(
                    f"a metric needs {need!r}: choose from {', '.join(get_args(Need))}"
                )

    def direction(self, name: str) -> Direction | None:
        """Return the direction of a value, None if the metric does not declare it."""
        if name in self.directions:
            return self.directions[name]
        patterns = (pattern for pattern in self.directions if fnmatchcase(name, pattern))
        pattern = next(patterns, None)
        return None if pattern is None else self.directions[pattern]
