"""The training game: players who take turns, and the terms each of them minimises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ganzoo.spec import DataSpec

LOSS = "loss"
"""Stands in `Player.trains` for the loss's own parameters, beside the roles of networks."""


@dataclass(frozen=True)
class Player:
    """One optimizer over one or more roles, and how often it plays.

    Attributes:
        name: the player's name, and the method of the loss that computes its terms.
        trains: roles whose networks its optimizer changes; ``loss`` stands for the parameters of
            the loss itself.
        every: it plays on ticks that are multiples of this; a discriminator that plays once per
            three turns of the generator has 3.
        repeat: updates in a turn, each on a fresh batch; a critic's five steps are 5.
        keeps_graph_of: roles whose networks stay trainable in the first of these updates, so that
            a later player can train them on the same output.

    Raises:
        ValueError: no role, or `every` or `repeat` below 1.
    """

    name: str
    trains: tuple[str, ...]
    every: int = 1
    repeat: int = 1
    keeps_graph_of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.trains:
            raise ValueError(f"player {self.name!r} trains no network")
        if self.every < 1 or self.repeat < 1:
            raise ValueError(
                f"player {self.name!r}: every is {self.every} and repeat is {self.repeat}, "
                "both must be at least 1"
            )


@dataclass(frozen=True)
class Batch:
    """What one update sees.

    Attributes:
        images: float32 (n, channels, height, width) in [-1, 1].
        labels: int64 (n,), or None where the data has no classes.
        condition: float32 images in [-1, 1] that `images` are to be made from, one each; of the
            other domain in any order where the data is not paired; None where there are none.
    """

    images: Tensor
    labels: Tensor | None = None
    condition: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def split(self, parts: int) -> list[Batch]:
        """Return equal parts of it, in order."""
        rows = len(self) // parts
        pieces = [
            [None] * parts if tensor is None else torch.split(tensor, rows)
            for tensor in (self.images, self.labels, self.condition)
        ]
        return [Batch(*piece) for piece in zip(*pieces, strict=True)]


@dataclass(frozen=True)
class Turn:
    """Where in the training an update stands, and what it may draw on.

    Attributes:
        tick: number of the tick.
        latents: draws that many latents, float32 (n, latent_dim) from N(0, 1).
        progress: share of the training that is done, from 0 to 1.
        images_seen: images that the ticks before this one count for, in all processes.
        shared: tensors that a player leaves for those after it in the same tick; detached, or of
            networks that it `keeps_graph_of`.
        metrics: detached scalars that a player wants logged beside its terms, such as an accuracy.
    """

    tick: int
    latents: Callable[[int], Tensor]
    progress: float = 0.0
    images_seen: int = 0
    shared: MutableMapping[str, Tensor] = field(default_factory=dict)
    metrics: MutableMapping[str, Tensor] = field(default_factory=dict)


def check_weight(name: str, weight: float) -> None:
    """Refuse the weight of a term unless it is finite and not negative.

    Raises:
        ValueError: names the weight.
    """
    if not 0 <= weight < float("inf"):
        raise ValueError(f"{name} is {weight}, it must be at least 0, and finite")


class Loss(nn.Module):
    """A training game. Its own state, if any, is saved and moved like a network's.

    Its parameters are trained by the player that has ``loss`` in `Player.trains`. Those that no
    player trains are refused, unless they are frozen by ``requires_grad_(False)``.

    A subclass sets `players`, in the order they play, and has a method of each player's name::

        def generator(self, nets, batch, turn) -> dict[str, Tensor]

    that returns named terms, scalars or one value a sample. The loop averages each over the batch,
    sums them, back-propagates and logs them. A loss never steps, zeroes or freezes.

    Attributes:
        players: who plays, in this order.
        exported_roles: roles whose averaged networks a bundle keeps; ``generator`` comes first.
    """

    players: tuple[Player, ...] = ()
    exported_roles: tuple[str, ...] = ("generator",)

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Refuse networks or data that lack what this game needs beyond its roles.

        Raises:
            ValueError: says what is missing and what to choose.
        """

    def constrain(self, player: Player, nets: Mapping[str, nn.Module]) -> None:
        """Change weights after a player's update, as weight clipping does. Nothing by default."""

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the networks that this game trains."""
        return frozenset(r for player in self.players for r in player.trains if r != LOSS)
