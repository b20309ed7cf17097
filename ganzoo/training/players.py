"""The weights that players train, and their optimizers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ganzoo.errors import RecipeError, did_you_mean, enumerate_names
from ganzoo.games import LOSS, Loss
from ganzoo.nn.layers import layers_from_image
from ganzoo.spec import Recipe
from ganzoo.system.dependencies import quiet_imports


def trained_parameters(loss: Loss) -> dict[str, nn.Parameter]:
    """Return a loss's own parameters by name, without those that its author froze.

    Call it before `train_only`, which freezes parameters too.
    """
    return {name: weight for name, weight in loss.named_parameters() if weight.requires_grad}


def train_only(
    nets: Mapping[str, nn.Module],
    roles: Iterable[str],
    loss_parameters: Iterable[nn.Parameter] = (),
    frozen: Iterable[nn.Parameter] = (),
) -> None:
    """Make the networks of some roles trainable, and freeze all others.

    Args:
        nets: networks by role.
        roles: roles of the trainable networks.
        loss_parameters: parameters of the loss, trainable if ``loss`` is one of the roles.
        frozen: parameters that stay frozen, see `find_frozen`.
    """
    roles = set(roles)
    for role, net in nets.items():
        net.requires_grad_(role in roles)
    for weight in loss_parameters:
        weight.requires_grad_(LOSS in roles)
    for weight in frozen:
        weight.requires_grad_(False)


def find_frozen(
    recipe: Recipe, loss: Loss, nets: Mapping[str, nn.Module]
) -> dict[str, list[nn.Parameter]]:
    """Return the parameters that a recipe freezes, by the role of the discriminator.

    "Freeze the Discriminator: a Simple Baseline for Fine-Tuning GANs" (Mo et al., 2020),
    https://arxiv.org/abs/2002.10964.

    Raises:
        RecipeError: there is no discriminator, or it has no other layers.
    """
    if not recipe.freeze_layers:
        return {}
    others = {
        role: layers_from_image(net)
        for role, net in nets.items()
        if role not in loss.exported_roles
    }
    discriminators = {role: layers for role, layers in others.items() if layers}
    if not discriminators:
        raise RecipeError(
            f"freeze_layers is {recipe.freeze_layers}, but loss {recipe.loss.name!r} trains no "
            "discriminator. Use --freeze-layers 0."
        )
    frozen = {}
    for role, layers in discriminators.items():
        if recipe.freeze_layers >= len(layers):
            raise RecipeError(
                f"freeze_layers is {recipe.freeze_layers}, but the {role} has {len(layers)} "
                f"layers, and one must be trained. Use at most --freeze-layers {len(layers) - 1}."
            )
        frozen[role] = [weight for layer in layers[: recipe.freeze_layers] for weight in layer]
    return frozen


def make_optimizers(
    recipe: Recipe,
    loss: Loss,
    nets: Mapping[str, nn.Module],
    loss_parameters: Iterable[nn.Parameter] = (),
    frozen: Iterable[nn.Parameter] = (),
) -> dict[str, Optimizer]:
    """Return one optimizer for each player.

    Args:
        recipe: the recipe, which has the settings of the optimizer.
        loss: the loss, which has the players.
        nets: networks by role.
        loss_parameters: parameters of the loss that a player trains.
        frozen: parameters of networks that no player trains.

    Raises:
        RecipeError: the recipe sets a learning rate for a player that the loss does not have.
    """
    players = [player.name for player in loss.players]
    for name in recipe.learning_rates:
        if name not in players:
            raise RecipeError(
                f"learning_rates.{name}: loss {recipe.loss.name!r} has no player {name!r}."
                f"{did_you_mean(name, players)} Its players: {enumerate_names(players)}."
            )
    excluded = {id(weight) for weight in frozen}
    weights = {
        role: [weight for weight in net.parameters() if id(weight) not in excluded]
        for role, net in nets.items()
    } | {LOSS: list(loss_parameters)}
    with quiet_imports():  # the first optimizer imports torch's compiler
        return {
            player.name: _make_optimizer(
                recipe,
                [weight for role in player.trains for weight in weights[role]],
                _learning_rate(recipe, player.name),
            )
            for player in loss.players
        }


def decay_share(recipe: Recipe, images_seen: int) -> float:
    """Return the share of the decay that is done: 0 until it starts, 1 at the end of the run."""
    o = recipe.optimizer
    if o.decay_start >= 1.0:
        return 0.0
    share = max(0.0, (images_seen / recipe.images - o.decay_start) / (1.0 - o.decay_start))
    return 0.5 - 0.5 * math.cos(math.pi * share) if o.decay == "cosine" else share


def learning_rate_factor(recipe: Recipe, images_seen: int) -> float:
    """Return the factor of all learning rates: it rises from 0 to 1, stays there, then falls."""
    o = recipe.optimizer
    warmup = min(1.0, (images_seen + recipe.batch_size) / o.warmup) if o.warmup else 1.0
    return warmup * (1.0 - (1.0 - o.decay_to) * decay_share(recipe, images_seen))


def set_schedules(recipe: Recipe, optimizers: Mapping[str, Optimizer], images_seen: int) -> None:
    """Set the learning rates and the betas of all optimizers for the current number of images."""
    o, factor = recipe.optimizer, learning_rate_factor(recipe, images_seen)
    for player, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = factor * _learning_rate(recipe, player)
            if o.beta2_to:
                share = decay_share(recipe, images_seen)
                group["betas"] = (o.betas[0], o.betas[1] + share * (o.beta2_to - o.betas[1]))


def _learning_rate(recipe: Recipe, player: str) -> float:
    return recipe.learning_rates.get(player, recipe.optimizer.lr)


def _make_optimizer(recipe: Recipe, weights: list[nn.Parameter], lr: float) -> Optimizer:
    o = recipe.optimizer
    match o.name:
        case "adam":
            return torch.optim.Adam(
                weights, lr, betas=o.betas, weight_decay=o.weight_decay, fused=True
            )
        case "adamw":
            return torch.optim.AdamW(
                weights, lr, betas=o.betas, weight_decay=o.weight_decay, fused=True
            )
        case "rmsprop":
            return torch.optim.RMSprop(weights, lr, weight_decay=o.weight_decay)
        case "sgd":
            return torch.optim.SGD(weights, lr, weight_decay=o.weight_decay)


def check_moments(optimizer: Optimizer) -> None:
    """Check that the state of an optimizer is what its next step reads.

    Raises:
        ValueError: it has moments of other names or sizes, or for no weight.
    """
    names = _names_of_moments(optimizer)
    weights = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    for weight, moments in optimizer.state.items():
        if id(weight) not in weights:
            raise ValueError("an optimizer has moments of a weight that it does not train")
        if moments and set(moments) != names:
            raise ValueError(f"an optimizer has the moments {', '.join(map(str, moments))}")
        for name, moment in moments.items():
            shape = moment.shape if isinstance(moment, torch.Tensor) else None
            if shape not in (weight.shape, ()) or not moment.is_floating_point():
                raise ValueError(f"the moment {name!r} of a weight {tuple(weight.shape)} is wrong")


def _names_of_moments(optimizer: Optimizer) -> set[str]:
    """Return the names in the state of an optimizer, from a step on a weight of its own."""
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    settings = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    kind: Any = type(optimizer)
    other = kind([{"params": [weight], **settings}])
    other.step()
    return set(other.state[weight])
