"""A recipe's names -> networks, game and data that fit each other."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

import torch
from torch import nn

from ganzoo.errors import (
    ArchitectureError,
    BrokenPluginError,
    GanzooError,
    IncompatibleCombinationError,
    RecipeError,
    enumerate_names,
)
from ganzoo.games import LOSS, Loss
from ganzoo.nn import add_spectral_norm, init_normal, init_orthogonal
from ganzoo.registry import COMPONENTS, architectures, losses
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.signatures import arguments_of, bind
from ganzoo.spec import Component, DataSpec, ImageSpec, LatentSpec, Recipe, is_toml
from ganzoo.training.players import trained_parameters
from ganzoo.training.state import latent_of


def complete(recipe: Recipe) -> Recipe:
    """Return the recipe with every argument of its components named.

    Raises:
        UnknownNameError, BrokenPluginError, ...: a component is not to be had.
        RecipeError: an argument that a component does not know, or of the wrong type.
    """
    bound: dict[str, Any] = {}
    for registry in COMPONENTS:
        component: Component = getattr(recipe, registry.kind)
        factory = registry.get(component.name)
        arguments = bind(registry.kind, component.name, factory, component.arguments)
        for name, value in arguments.items():
            if not is_toml(value):
                raise RecipeError(
                    f"{registry.kind} {component.name!r}, argument {name!r}: {value!r} cannot be "
                    "written in a recipe; arguments are text, numbers, booleans, and lists or "
                    "tables of them."
                )
        bound[registry.kind] = Component(component.name, arguments)
    return replace(recipe, **bound)


def build_loss(recipe: Recipe) -> Loss:
    """Make the recipe's game.

    Raises:
        RecipeError: a number that the loss refuses.
        BrokenPluginError: it is not a game, or its own parameters and their players do not match.
    """
    name = recipe.loss.name
    loss = losses.make(name, **recipe.loss.arguments)
    if not isinstance(loss, Loss):
        made = f"{losses.cite(name)} made {type(loss).__name__}"
        raise BrokenPluginError(f"{made}, not a ganzoo.Loss: its author must mend that.")
    _check_loss_parameters(losses.cite(name), loss)
    return loss


def _check_loss_parameters(cited: str, loss: Loss) -> None:
    """Refuse parameters of a loss that no player trains, and a player that has none to train."""
    names = trained_parameters(loss)
    players = [player for player in loss.players if LOSS in player.trains]
    if names and not players:
        raise BrokenPluginError(
            f"{cited} has parameters that no player trains: {enumerate_names(names)}. Its author "
            f'must name {LOSS!r} in the `trains` of a player, such as trains=("generator", '
            f'"{LOSS}"), make them buffers, or freeze them by requires_grad_(False).'
        )
    if players and not names:
        raise BrokenPluginError(
            f"{cited} has a player {players[0].name!r} that trains the loss's own parameters, and "
            f"has none. Its author must take {LOSS!r} out of its `trains`, or set an nn.Parameter."
        )
    if LOSS in loss.exported_roles:
        raise BrokenPluginError(
            f"{cited} exports {LOSS!r}, which is no network: its author must take it out of "
            "`exported_roles`."
        )


def build_networks(recipe: Recipe, data: DataSpec) -> dict[str, nn.Module]:
    """Build the recipe's networks by role.

    Raises:
        ArchitectureError: it cannot be built for this data.
        BrokenPluginError: what was built is not networks by role.
    """
    name = recipe.architecture.name
    arguments = recipe.architecture.arguments
    try:
        LatentSpec(arguments.get("latent_dim", 1))
    except ValueError as error:
        raise ArchitectureError(f"architecture {name!r} cannot be made: {error}.") from error
    nets = architectures.make(name, data, **arguments)
    if not isinstance(nets, Mapping) or not all(isinstance(n, nn.Module) for n in nets.values()):
        raise BrokenPluginError(
            f"{architectures.cite(name)} made {type(nets).__name__}, not a dict of role to "
            "nn.Module: its author must mend that."
        )
    if LOSS in nets:
        raise BrokenPluginError(
            f"{architectures.cite(name)} builds a role {LOSS!r}, which stands for the parameters "
            "of a loss: its author must call the network otherwise."
        )
    if "generator" not in nets:
        raise BrokenPluginError(f"{architectures.cite(name)} must build a 'generator'.")
    try:
        latent_of(recipe, nets["generator"])
    except KeyError as error:
        raise BrokenPluginError(
            f"{architectures.cite(name)} must have an argument 'latent_dim', or its generator an "
            "attribute of that name."
        ) from error
    for net in nets.values():
        if recipe.initialisation == "normal":
            init_normal(net)
        elif recipe.initialisation == "orthogonal":
            init_orthogonal(net)
    return dict(nets)


def check_combination(
    recipe: Recipe, nets: Mapping[str, nn.Module], loss: Loss, data: DataSpec
) -> None:
    """Refuse a pair whose roles are not the same, or that lacks what the loss needs beyond them.

    Raises:
        IncompatibleCombinationError: names both, and what is missing or would fit.
    """
    if loss.roles == set(nets):
        try:
            loss.check(nets, data)
        except ValueError as error:
            raise IncompatibleCombinationError(
                f"loss {recipe.loss.name!r} does not fit architecture "
                f"{recipe.architecture.name!r} on {recipe.dataset.name!r}: {error}."
            ) from error
        _warn_of_mixed_samples(nets, loss)
        return
    name = recipe.architecture.name
    choice = next((c for c in _choices(name) if _builds(name, c) == loss.roles), None)
    if choice:
        remedy = f"Choose {choice}."
    else:
        # To know what fits is to run it: ours, and the plugins at hand, but no others.
        pair = architectures.entry(name), losses.entry(recipe.loss.name)
        among = {DISTRIBUTION} | {entry.distribution for entry in pair}
        fitting = _losses_for(nets, data, losses.addresses(among))
        others = _architectures_for(loss.roles, architectures.addresses(among))
        remedy = (
            f"Losses that fit {name}: {enumerate_names(fitting)}. "
            f"Architectures that fit {recipe.loss.name}: {enumerate_names(others)}."
        )
    raise IncompatibleCombinationError(
        f"loss {recipe.loss.name!r} trains {enumerate_names(loss.roles)}, but architecture "
        f"{name!r} builds {enumerate_names(nets)}. {remedy}"
    )


def normalise_discriminators(recipe: Recipe, nets: Mapping[str, nn.Module], loss: Loss) -> None:
    """Give the networks that are not delivered spectral normalisation, if the recipe says so."""
    if recipe.spectral_norm:
        for role, net in nets.items():
            if role not in loss.exported_roles:
                add_spectral_norm(net)


def _warn_of_mixed_samples(nets: Mapping[str, nn.Module], loss: Loss) -> None:
    """A penalty is on the gradient of one sample; BatchNorm makes it depend on the others."""
    if not getattr(loss, "penalties", ()):
        return
    discriminators = [net for role, net in nets.items() if role not in loss.exported_roles]
    for module in itertools.chain(*(net.modules() for net in discriminators)):
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            warnings.warn(
                "the loss penalises the gradient of single samples, but the discriminator mixes "
                "samples by BatchNorm; --architecture.discriminator-norm none is what its paper "
                "asks for, where the architecture has that option",
                stacklevel=2,
            )
            return


def _losses_for(nets: Mapping[str, nn.Module], data: DataSpec, names: Iterable[str]) -> list[str]:
    fitting = []
    for name in names:
        made = _try(losses, name)
        if isinstance(made, Loss) and made.roles == set(nets):
            with contextlib.suppress(ValueError):
                made.check(nets, data)
                fitting.append(name)
    return fitting


def _architectures_for(roles: frozenset[str], names: Iterable[str]) -> list[str]:
    fitting = []
    for name in names:
        choices = ["", *_choices(name)]
        choice = next((c for c in choices if _builds(name, c) == roles), None)
        if choice is not None:
            fitting.append(f"{name} with {choice}" if choice else name)
    return fitting


def _choices(architecture: str) -> list[str]:
    """Options of an architecture that choose among names, as one types them."""
    try:
        arguments = arguments_of(architectures.get(architecture))
    except GanzooError:
        return []
    return [
        f"--architecture.{name.replace('_', '-')} {value}"
        for name, argument in arguments.items()
        if get_origin(argument.annotation) is Literal
        for value in get_args(argument.annotation)
        if value != argument.default
    ]


def _builds(architecture: str, choice: str) -> set[str]:
    """Roles that an architecture builds with one of its `_choices`, or with none."""
    option, _, value = choice.removeprefix("--architecture.").partition(" ")
    arguments = {option.replace("-", "_"): value} if option else {}
    image = ImageSpec(64, 64, 3)
    with torch.device("meta"):
        data = DataSpec(image, classes=2, condition=image)
        built = _try(architectures, architecture, data, **arguments)
    return set(built) if isinstance(built, Mapping) else set()


def _try(registry: Any, name: str, *context: Any, **arguments: Any) -> Any:
    """Build with defaults; None where that fails: one broken plugin must not spoil an error."""
    try:
        return registry.make(name, *context, **arguments)
    except Exception:  # noqa: BLE001 - a plugin may raise anything
        return None
