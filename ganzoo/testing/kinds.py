"""Kinds of losses and networks: the checks train one of each kind."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from torch import nn

from ganzoo.games import Loss
from ganzoo.nn import inputs_of


def kind_of_game(game: Loss) -> Hashable:
    """Return a key that is equal for losses that use networks in the same way.

    It consists of the class, the players, whether there are gradient penalties, which need second
    derivatives, and the names of options that are None, which switch parts of the game off.
    Losses with equal keys differ only in numbers.
    """
    players = tuple((player.name, player.trains, player.keeps_graph_of) for player in game.players)
    switched_off = frozenset(name for name, value in vars(game).items() if value is None)
    return type(game), players, bool(getattr(game, "penalties", ())), switched_off


def kind_of_networks(nets: Mapping[str, nn.Module]) -> Hashable:
    """Return a key of networks: their roles, inputs and heads."""
    return frozenset(
        (role, inputs_of(net), frozenset(getattr(net, "heads", ()))) for role, net in nets.items()
    )
