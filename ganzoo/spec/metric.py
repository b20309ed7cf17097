"""A metric: what it computes, what it needs, and whether higher or lower values are better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple, get_args

from ganzoo.spec.data import DataSpec

Better = Literal["higher", "lower", "neither"]
"""Whether higher or lower values are better; ``neither`` for values of which none is better."""

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
        compute: `ganzoo.evaluation.ImageSets` -> values by name; `better` declares each.
            Its docstring links to the paper.
        better: which are better, by the name of the value, which may hold the wildcard ``*``.
        needs: what it reads besides the pixels.
        settings: returns the numbers that it is computed with, in a few words for the protocol.
        refuses: (extractor, data) -> why it cannot be computed with them, empty if it can. The
            extractor of pairs is None.
        too_few: the sizes of the sets -> why there are too few images, empty if there are enough.
            A default metric is then left out. Not called for pairs.
        by_default: whether it is computed where it fits and no metric is named.
        units: units by the name of the value, such as ``dB``; without one, a value is a number.

    Raises:
        ValueError: no value, an unknown word in `better` or an unknown need.
    """

    compute: Callable[[Any], Mapping[str, float]]
    better: Mapping[str, Better]
    needs: tuple[Need, ...] = ()
    settings: Callable[[Any], str] = _no_settings
    refuses: Callable[[Any, DataSpec], str] = _fits
    too_few: Callable[[SetSizes], str] = _enough
    by_default: bool = False
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.better:
            raise ValueError("a metric declares no value: better={NAME: 'higher' or 'lower'}")
        for name, better in self.better.items():
            if better not in get_args(Better):
                raise ValueError(
                    f"the value {name!r} is better {better!r}: "
                    "choose 'higher', 'lower' or 'neither'"
                )
        for need in self.needs:
            if need not in get_args(Need):
                raise ValueError(
                    f"a metric needs {need!r}: choose from {', '.join(get_args(Need))}"
                )

    def better_of(self, name: str) -> Better | None:
        """Return which values of a name are better, None if the metric does not declare it."""
        if name in self.better:
            return self.better[name]
        patterns = (pattern for pattern in self.better if fnmatchcase(name, pattern))
        pattern = next(patterns, None)
        return None if pattern is None else self.better[pattern]

    def unit_of(self, name: str) -> str:
        """Return the unit of a value, empty if it has none."""
        return self.units.get(name, "")
