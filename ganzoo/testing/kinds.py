"""Kinds of partners: one that trains stands for all of its kind."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from torch import nn

from ganzoo.games import Loss
from ganzoo.nn import inputs_of


def kind_of_game(game: Loss) -> Hashable:
    """Return what a loss needs of networks: equal for losses that use them in the same way.

    Losses of one class use networks in the same way if they have the same players, if all or none
    of them have penalties on gradients, which need second derivatives, and if the same of their
    options are None, which leaves a part of the game out. They then differ in numbers alone.
    """
    players = tuple((player.name, player.trains, player.keeps_graph_of) for player in game.players)
    left_out = frozenset(name for name, value in vars(game).items() if value is None)
    return type(game), players, bool(getattr(game, "penalties", ())), left_out


def kind_of_networks(nets: Mapping[str, nn.Module]) -> Hashable:
    """Return what networks offer a loss: their roles, what they read, and the heads they have."""
    return frozenset(
        (role, inputs_of(net), frozenset(getattr(net, "heads", ()))) for role, net in nets.items()
    )
