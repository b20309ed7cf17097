"""Build the networks and the loss of a recipe, and check that they fit each other."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator, Mapping
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
from ganzoo.nn import add_spectral_norm, init_normal, init_orthogonal, latent_of
from ganzoo.nn.layers import reads_images
from ganzoo.nn.uninitialised import Uninitialised
from ganzoo.registry import COMPONENTS, architectures, losses
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.signatures import arguments_of, bind
from ganzoo.spec import Component, DataSpec, ImageSpec, LatentSpec, Recipe, is_toml
from ganzoo.spec.parsing import shorten
from ganzoo.training.players import trained_parameters

_IMAGES = DataSpec(ImageSpec(64, 64, 3), classes=2, condition=ImageSpec(64, 64, 3))


def complete(recipe: Recipe) -> Recipe:
    """Return the recipe with all arguments of its components, defaults included.

    Raises:
        UnknownNameError, BrokenPluginError, ...: a component is not installed or broken.
        RecipeError: a component does not know an argument, or its type is wrong.
    """
    bound: dict[str, Any] = {}
    for registry in COMPONENTS:
        component: Component = getattr(recipe, registry.kind)
        factory = registry.get(component.name)
        arguments = bind(registry.kind, component.name, factory, component.arguments)
        for name, value in arguments.items():
            if not is_toml(value):
                raise RecipeError(
                    f"{registry.kind} {component.name!r}, argument {name!r}: "
                    f"{shorten(repr(value))} cannot be written in a recipe. Use text, finite "
                    "numbers of 64 bits, booleans, or lists or tables of them."
                )
        bound[registry.kind] = Component(component.name, arguments)
    return replace(recipe, **bound)


def build_loss(recipe: Recipe) -> Loss:
    """Build the recipe's loss.

    Raises:
        RecipeError: the loss refuses an argument.
        BrokenPluginError: the plugin's function returns no ganzoo.Loss, or the loss's own
            parameters and its players do not match.
    """
    name = recipe.loss.name
    loss = losses.make(name, **recipe.loss.arguments)
    if not isinstance(loss, Loss):
        raise BrokenPluginError(
            f"{losses.cite(name)} returned {type(loss).__name__}, not a ganzoo.Loss. Report this "
            "to the plugin's author."
        )
    _check_loss_parameters(losses.cite(name), loss)
    return loss


def _check_loss_parameters(cited: str, loss: Loss) -> None:
    """Raise if no player trains the loss's parameters, or if a player has none to train."""
    names = trained_parameters(loss)
    players = [player for player in loss.players if LOSS in player.trains]
    if names and not players:
        raise BrokenPluginError(
            f"{cited} has parameters that no player trains: {enumerate_names(names)}. Add "
            f'{LOSS!r} to the `trains` of a player, such as trains=("generator", '
            f'"{LOSS}"), make them buffers, or freeze them with requires_grad_(False).'
        )
    if players and not names:
        raise BrokenPluginError(
            f"{cited} has a player {players[0].name!r} that trains the loss's own parameters, but "
            f"it has none. Remove {LOSS!r} from `trains`, or add an nn.Parameter."
        )
    if LOSS in loss.exported_roles:
        raise BrokenPluginError(
            f"{cited} exports {LOSS!r}, which is not a network. Remove it from `exported_roles`."
        )


def build_networks(recipe: Recipe, data: DataSpec) -> dict[str, nn.Module]:
    """Build the recipe's networks by role.

    Raises:
        ArchitectureError: the architecture cannot be built for this data.
        BrokenPluginError: the plugin's function does not return networks by role.
    """
    name = recipe.architecture.name
    arguments = recipe.architecture.arguments
    try:
        LatentSpec(arguments.get("latent_dim", 1))
    except ValueError as error:
        raise ArchitectureError(f"architecture {name!r} cannot be built: {error}.") from error
    nets = architectures.make(name, data, **arguments)
    if not isinstance(nets, Mapping) or not all(isinstance(n, nn.Module) for n in nets.values()):
        raise BrokenPluginError(
            f"{architectures.cite(name)} returned {type(nets).__name__}, not a dict of role to "
            "nn.Module. Report this to the plugin's author."
        )
    if LOSS in nets:
        raise BrokenPluginError(
            f"{architectures.cite(name)} builds a role {LOSS!r}, a name that is reserved for the "
            "parameters of a loss. Rename the role."
        )
    if "generator" not in nets:
        raise BrokenPluginError(f"{architectures.cite(name)} builds no role 'generator'. Add one.")
    try:
        latent_of(nets["generator"], recipe.architecture.arguments)
    except KeyError as error:
        raise BrokenPluginError(
            f"{architectures.cite(name)} has no argument 'latent_dim', and its generator has no "
            "attribute of that name. Add one of them."
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
    """Check that an architecture and a loss have the same roles and fit each other.

    Raises:
        IncompatibleCombinationError: they do not; the message names combinations that do.
    """
    if loss.roles == set(nets):
        try:
            loss.check(nets, data)
        except ValueError as error:
            raise IncompatibleCombinationError(
                f"loss {recipe.loss.name!r} does not fit architecture "
                f"{recipe.architecture.name!r} on {recipe.dataset.name!r}: {error}."
            ) from error
        _warn_about_batchnorm(nets, loss)
        return
    name = recipe.architecture.name
    choice = next((c for c in _choices(name) if set(_builds(name, c)) == loss.roles), None)
    if choice:
        remedy = f"Choose {choice}."
    else:
        # This runs code of plugins, so it is limited to ganzoo and the plugins already in use.
        entries = architectures.entry(name), losses.entry(recipe.loss.name)
        among = {DISTRIBUTION} | {entry.distribution for entry in entries}
        fitting_losses = _losses_for(nets, data, losses.addresses(among))
        fitting_nets = [
            f"{architecture} with {option}" if option else architecture
            for architecture, option, _ in combinations(
                architectures.addresses(among), {recipe.loss.name: loss}
            )
        ]
        remedy = (
            f"Losses that fit {name}: {enumerate_names(fitting_losses)}. "
            f"Architectures that fit {recipe.loss.name}: {enumerate_names(fitting_nets)}."
        )
    raise IncompatibleCombinationError(
        f"loss {recipe.loss.name!r} trains {enumerate_names(loss.roles)}, but architecture "
        f"{name!r} builds {enumerate_names(nets)}. {remedy}"
    )


def normalise_discriminators(recipe: Recipe, nets: Mapping[str, nn.Module], loss: Loss) -> None:
    """Add spectral normalisation to the discriminators, if the recipe says so."""
    if recipe.spectral_norm:
        for net in _discriminators(nets, loss):
            add_spectral_norm(net)


def _discriminators(nets: Mapping[str, nn.Module], loss: Loss) -> list[nn.Module]:
    """Return the networks that are not exported and read images."""
    others = [net for role, net in nets.items() if role not in loss.exported_roles]
    return [net for net in others if reads_images(net)]


def _warn_about_batchnorm(nets: Mapping[str, nn.Module], loss: Loss) -> None:
    """Warn of BatchNorm in a penalised discriminator: gradients then depend on other samples."""
    if not any(penalty.uses_gradient for penalty in getattr(loss, "penalties", ())):
        return
    for module in itertools.chain(*(net.modules() for net in _discriminators(nets, loss))):
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            warnings.warn(
                "the loss penalises the gradient of single samples, but BatchNorm makes the "
                "discriminator mix samples. If the architecture has the option, use "
                "--architecture.discriminator-norm none, as the paper does",
                stacklevel=2,
            )
            return


def combinations(names: Iterable[str], games: Mapping[str, Loss]) -> Iterator[tuple[str, str, str]]:
    """Yield the combinations that fit: architecture, its option if the defaults don't fit, loss.

    An option is the first that does, such as ``--architecture.conditioning auxiliary``. The
    networks have no values, and images have 64x64x3 values, two classes and a condition. An
    architecture that cannot be built so is left out.

    Args:
        names: names of architectures.
        games: losses by name.
    """
    for name in names:
        others = dict(games)
        for choice in ("", *_choices(name)):
            nets = _builds(name, choice)
            for loss in [key for key, game in others.items() if _fit(nets, _IMAGES, game)]:
                del others[loss]
                yield name, choice, loss
            if not others:
                break


def _losses_for(nets: Mapping[str, nn.Module], data: DataSpec, names: Iterable[str]) -> list[str]:
    games = ((name, _try(losses, name)) for name in names)
    return [name for name, game in games if isinstance(game, Loss) and _fit(nets, data, game)]


def _fit(nets: Mapping[str, nn.Module], data: DataSpec, loss: Loss) -> bool:
    if loss.roles != set(nets):
        return False
    try:
        loss.check(nets, data)
    except Exception:  # noqa: BLE001 - a plugin may raise anything
        return False
    return True


def _choices(architecture: str) -> list[str]:
    """Return all command-line options that select another variant of an architecture."""
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


def _builds(architecture: str, choice: str) -> Mapping[str, nn.Module]:
    """Return the networks that an architecture builds with one of its `_choices`, or with none."""
    option, _, value = choice.removeprefix("--architecture.").partition(" ")
    arguments = {option.replace("-", "_"): value} if option else {}
    with torch.device("meta"), Uninitialised():
        nets = _try(architectures, architecture, _IMAGES, **arguments)
    return nets if isinstance(nets, Mapping) else {}


def _try(registry: Any, name: str, *context: Any, **arguments: Any) -> Any:
    """Build a component, or return None: a broken plugin must not hide the error being written."""
    try:
        return registry.make(name, *context, **arguments)
    except Exception:  # noqa: BLE001 - a plugin may raise anything
        return None
