"""Samplers: functions from seeds to the inputs of a generator, registered as ``ganzoo.samplers``.

The result for an image depends only on its seed, number, class and the options, so that a series
may be drawn in parts.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import BrokenPluginError, GanzooError, RecipeError, SampleError, describe
from ganzoo.registry import samplers
from ganzoo.registry.signatures import arguments_of, bind
from ganzoo.sampling import latents
from ganzoo.sampling.model import check_latents

# Arguments of `Generator.sample`, which no sampler can have as options.
RESERVED = frozenset({"n", "seed", "seeds", "start", "label", "sampler"})


@dataclass(frozen=True, eq=False)
class Draw:
    """The images to sample.

    Attributes:
        seeds: the seed of each image, uint64 (n,).
        numbers: the number of each image among those of its seed, int64 (n,).
        y: the class of each image, int64 (n,); None for a model without classes.
        labelled: whether a label chose the classes, so that a sampler may not choose others.
    """

    seeds: NDArray[np.uint64]
    numbers: NDArray[np.int64]
    y: NDArray[np.int64] | None = None
    labelled: bool = False

    @classmethod
    def of(
        cls,
        seed: int,
        n: int = 1,
        *,
        start: int = 0,
        y: NDArray[np.int64] | None = None,
        labelled: bool = False,
    ) -> Draw:
        """Return images `start` to `start + n - 1` of one seed, of classes y (n,).

        Raises:
            SampleError: the seed or `start` is out of range.
        """
        seed, start = check_latents(seed, start)
        return cls(np.full(n, seed, np.uint64), np.arange(start, start + n), y, labelled)

    def __len__(self) -> int:
        return len(self.seeds)

    def normal(self, dim: int) -> NDArray[np.float32]:
        """Return standard normal latents, (n, dim)."""
        return self._by_seed(dim, latents.normal)

    def uniform(self, dim: int) -> NDArray[np.float64]:
        """Return numbers in (0, 1), (n, dim), which do not depend on the `normal` ones."""
        return self._by_seed(dim, latents.uniform)

    def _by_seed(self, dim: int, draw: Callable[..., NDArray[Any]]) -> NDArray[Any]:
        """Draw consecutive numbers of one seed at once."""
        if len(self) == 1:
            return draw(int(self.seeds[0]), 1, dim, start=int(self.numbers[0]))
        breaks = (np.diff(self.numbers) != 1) | (self.seeds[1:] != self.seeds[:-1])
        starts = [0, *(np.flatnonzero(breaks) + 1), len(self)]
        parts = [
            draw(int(self.seeds[a]), b - a, dim, start=int(self.numbers[a]))
            for a, b in pairwise(starts)
        ]
        return np.concatenate(parts)


class Codes(NamedTuple):
    """The inputs of a generator for n images: latents and classes, or one w per layer.

    Attributes:
        z: latents, float32 (n, latent_dim).
        y: classes, int64 (n,), if the model has classes and they are known.
        styles: instead of z, one w per layer, float32 (n, layers, dim).
    """

    z: NDArray[np.float32] | None = None
    y: NDArray[np.int64] | None = None
    styles: NDArray[np.float32] | None = None


def draw_codes(model: Any, draw: Draw, name: str, options: Mapping[str, Any]) -> Codes:
    """Call a registered sampler.

    Args:
        model: the generator.
        draw: the images to sample.
        name: registered name of the sampler.
        options: its options.

    Raises:
        SampleError: the sampler has no such option, it is out of range, or the sampler chooses
            other classes than the label.
        UnknownNameError: no sampler has this name.
        BrokenPluginError: the sampler cannot be loaded, or fails.
    """
    sampler = samplers.get(name)
    for argument in arguments_of(sampler).values():
        if argument.default is inspect.Parameter.empty and argument.name not in options:
            raise SampleError(
                f"sampler {name!r} needs the option {argument.name!r}. Pass {argument.name}=VALUE."
            )
    try:
        arguments = bind("sampler", name, sampler, options)
    except RecipeError as error:
        raise SampleError(str(error)) from error
    try:
        codes = sampler(model, draw, **arguments)
    except GanzooError:
        raise
    except Exception as error:
        raise BrokenPluginError(
            f"{samplers.cite(name)} failed: {describe(error)}. Report this to its author."
        ) from error
    if not isinstance(codes, Codes) or (codes.z is None) == (codes.styles is None):
        raise BrokenPluginError(
            f"{samplers.cite(name)} returned {type(codes).__name__}, not ganzoo.Codes with either "
            "z or styles. Report this to its author."
        )
    chosen = codes.y is not None and draw.y is not None and not np.array_equal(codes.y, draw.y)
    if draw.labelled and chosen:
        raise SampleError(
            f"the sampler {name!r} chooses the classes of its images, so a label has no effect. "
            "Omit the label."
        )
    return codes
