"""Arguments of an architecture with which more weights of a trained model fit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.games import Loss
from ganzoo.nn.matching import match_tensors
from ganzoo.nn.uninitialised import Uninitialised
from ganzoo.registry import architectures, datasets
from ganzoo.registry.signatures import arguments_of, as_option
from ganzoo.spec import DataSpec, ModelSpec, Recipe

SMALL_SHARE = 0.1  # of the parameters, below which a start is nearly one from random weights
_FACTORS = tuple(2**k for k in range(1, 5))  # of a width, between models of other sides


@dataclass(frozen=True)
class Fit:
    """Options with which the weights of a trained model fit.

    Attributes:
        options: the options; empty for those of the recipe.
        share: share of the parameters that fit, over the roles that the model has.
    """

    options: list[str]
    share: float


def fits(source: Tensor, target: Tensor) -> bool:
    """Return whether a tensor of a model has the shape and the kind of numbers of another one."""
    kinds = source.is_floating_point(), target.is_floating_point()
    return source.shape == target.shape and kinds[0] == kinds[1]


def suggest_arguments(
    spec: ModelSpec,
    networks: Mapping[str, nn.Module],
    recipe: Recipe,
    loss: Loss,
    data: DataSpec,
) -> Fit:
    """Return the options of an architecture with which most weights of a model fit.

    Networks are built for the training's data, without memory. Arguments of the model that cannot
    be built for it, or not trained with the loss, are left out. If the images have another size,
    whole numbers whose name contains ``width`` are also tried times and divided by powers of 2.

    Args:
        spec: the model's config.
        networks: the model's networks by role.
        recipe: the recipe with all arguments.
        loss: the recipe's loss.
        data: the training's data.

    Returns:
        The options that differ from the recipe; none if less than a tenth of the parameters fit
        with them, or fewer than without them.
    """
    name, ours = recipe.architecture.name, recipe.architecture.arguments

    def count(arguments: Mapping[str, Any]) -> tuple[int, int]:
        """Return the numbers of parameters that fit and of all; (-1, 1) without such networks."""
        try:
            with torch.device("meta"), Uninitialised():
                nets = architectures.make(name, data, **{**ours, **arguments})
            if loss.roles != set(nets):
                return -1, 1
            with contextlib.suppress(RuntimeError):  # a check that reads values
                loss.check(nets, data)
        except Exception:  # noqa: BLE001 - a plugin may raise anything
            return -1, 1
        return _count(networks, nets)

    known = arguments_of(architectures.get(name))
    theirs = {key: spec.arguments.get(key, known[key].default) for key in ours if key in known}
    arguments = {k: value for k, value in theirs.items() if plain(ours[k]) != plain(value)}
    best = count(arguments)
    if best[0] < 0:
        arguments = {k: value for k, value in arguments.items() if count({k: value})[0] >= 0}
        best = count(arguments)
    trials: list[dict[str, Any]] = []
    if str(spec.data.image) != str(data.image):
        trials = [{key: value} for key, value in _scaled(theirs)]
    for trial in trials:
        if (other := count(arguments | trial))[0] > best[0]:
            best, arguments = other, arguments | trial
    share, before = best[0] / best[1], count({})
    # With equally many parameters that fit, a larger network starts with more new ones.
    if (best[0], share) < (before[0], before[0] / before[1]) or share < SMALL_SHARE:
        return Fit([], before[0] / before[1])
    changed = {k: value for k, value in arguments.items() if plain(ours[k]) != plain(value)}
    return Fit([as_option(f"architecture.{k}", value) for k, value in changed.items()], share)


def suggest_images(
    spec: ModelSpec,
    networks: Mapping[str, nn.Module],
    recipe: Recipe,
    loss: Loss,
    data: DataSpec,
) -> Fit:
    """Return the options of dataset and architecture that give a model's size and channels.

    The arguments are those of `suggest_arguments`. There are no options if the dataset has no such
    options, or if they do not improve the recipe.
    """
    image = spec.data.image
    size = image.height if image.height == image.width else f"{image.height}x{image.width}"
    changes: dict[str, Any] = {}
    if (image.height, image.width) != (data.image.height, data.image.width):
        changes["size"] = size
    if image.channels != data.image.channels:
        changes["channels"] = image.channels
    known = arguments_of(datasets.get(recipe.dataset.name))
    if not changes or not changes.keys() <= known.keys() or data.condition or spec.data.condition:
        return Fit([], 0.0)
    fit = suggest_arguments(spec, networks, recipe, loss, replace(data, image=image))
    if fit.share < SMALL_SHARE:
        return Fit([], fit.share)
    options = [as_option(f"dataset.{key}", value) for key, value in changes.items()]
    return Fit([*options, *fit.options], fit.share)


def plain(value: Any) -> Any:
    """Return a value with lists instead of tuples."""
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _scaled(theirs: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the widths of a model times and divided by powers of 2."""
    for key, value in theirs.items():
        if "width" in key and isinstance(value, int):
            for factor in _FACTORS:
                yield key, value * factor
                if value % factor == 0:
                    yield key, value // factor


def _count(networks: Mapping[str, nn.Module], nets: Mapping[str, nn.Module]) -> tuple[int, int]:
    """Return how many parameters fit, and the number of all, over the roles of the model."""
    fitting = whole = 0
    for role, net in nets.items():
        if (source := networks.get(role)) is None:
            continue
        sizes = {key: weight.numel() for key, weight in net.named_parameters()}
        before, after = source.state_dict(), net.state_dict()
        fitting += sum(
            sizes.get(key, 0)
            for key, path in match_tensors(source, net).items()
            if fits(before[path], after[key])
        )
        whole += sum(sizes.values())
    return fitting, max(whole, 1)
