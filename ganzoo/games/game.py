"""The training game: players that take turns, and the terms that each of them minimises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ganzoo.spec import DataSpec, as_integer, as_number

LOSS = "loss"
"""The entry of `Player.trains` that means the loss's own parameters; others are roles."""

WEIGHTED = "_weighted"
"""The suffix of a term in the log that is multiplied by its weight."""


@dataclass(frozen=True)
class Player:
    """One optimizer for the networks of one or more roles, and how often it plays.

    Attributes:
        name: the player's name, and the method of the loss that computes its terms.
        trains: roles of the networks that its optimizer updates; ``loss`` means the parameters
            of the loss itself.
        every: ticks between its turns; 3 for a discriminator that plays once per three turns of
            the generator.
        repeat: updates per turn, each on a fresh batch; 5 for the critic of WGAN.
        keeps_graph_of: roles of networks that stay trainable in the first update of a turn, so
            that a later player can train them on the same output.
        reads_real: whether its terms depend on the batch's real images. With `fresh_latents` in the
            recipe, each such player of a tick gets a batch of its own.

    Raises:
        ValueError: `trains` is empty, or `every` or `repeat` is below 1.
    """

    name: str
    trains: tuple[str, ...]
    every: int = 1
    repeat: int = 1
    keeps_graph_of: tuple[str, ...] = ()
    reads_real: bool = False

    def __post_init__(self) -> None:
        if not self.trains:
            raise ValueError(
                f"player {self.name!r} trains no network: name a role in `trains`, such as "
                'trains=("generator",)'
            )
        for name in ("every", "repeat"):
            check_count(f"player {self.name!r}: {name}", getattr(self, name))


@dataclass(frozen=True)
class Batch:
    """The real data of one update.

    Attributes:
        images: float32 (n, channels, height, width) in [-1, 1].
        labels: int64 (n,), or None where the data has no classes.
        condition: float32 images in [-1, 1], the generator's input for each of `images`; in
            unpaired data, images of the other domain in any order; None where there are none.
    """

    images: Tensor
    labels: Tensor | None = None
    condition: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def split(self, parts: int) -> list[Batch]:
        """Return `parts` batches of equal size, in order."""
        rows = len(self) // parts
        pieces = [
            [None] * parts if tensor is None else torch.split(tensor, rows)
            for tensor in (self.images, self.labels, self.condition)
        ]
        return [Batch(*piece) for piece in zip(*pieces, strict=True)]


@dataclass(frozen=True)
class Turn:
    """The position of an update in the training, and what it shares with other players.

    Attributes:
        tick: number of the tick.
        latents: function n -> latents from N(0, 1), float32 (n, latent_dim).
        progress: share of the training that is done, from 0 to 1.
        images_seen: training images before this tick, over all processes.
        shared: tensors that a player leaves for later players of the same tick; detached, or
            from networks that it `keeps_graph_of`.
        metrics: detached scalars to log beside the player's terms, such as an accuracy.
        unweighted: detached terms before their multiplication by a weight, to log; see `weigh`.
        fresh_latents: whether each player draws latents of its own, instead of sharing fake images.
    """

    tick: int
    latents: Callable[[int], Tensor]
    progress: float = 0.0
    images_seen: int = 0
    shared: MutableMapping[str, Tensor] = field(default_factory=dict)
    metrics: MutableMapping[str, Tensor] = field(default_factory=dict)
    unweighted: MutableMapping[str, Tensor] = field(default_factory=dict)
    fresh_latents: bool = False

    def weigh(self, name: str, weight: float, value: Tensor) -> Tensor:
        """Return a term multiplied by its weight.

        The log then holds both: the value as `name`, and the product as ``<name>_weighted``.

        Args:
            name: the term's name in the dict that the player's method returns.
            weight: its weight.
            value: a scalar, or one value per sample.
        """
        self.unweighted[name] = value.detach()
        return weight * value


def check_weight(name: str, weight: float) -> None:
    """Check that the weight of a term is finite and not negative.

    Raises:
        ValueError: it is negative, infinite or not a number.
    """
    if not 0 <= as_number(name, weight) < float("inf"):
        raise ValueError(f"{name} is {weight}; it must be at least 0, and finite")


def check_count(name: str, value: int) -> None:
    """Check that a number is an integer of at least 1.

    Raises:
        ValueError: it is not.
    """
    if as_integer(name, value) < 1:
        raise ValueError(f"{name} is {value}; it must be at least 1")


class Loss(nn.Module):
    """A training game: the base class of every loss.

    Buffers and parameters of a loss are saved and moved like those of a network. The player with
    ``loss`` in `Player.trains` trains the parameters. If there is no such player, they must be
    frozen by ``requires_grad_(False)``. If a batch is computed in parts, a floating-point buffer
    changes by the mean of its changes in the parts, as moving averages need. A module whose buffers
    depend on the order of samples, such as a queue, names them in an attribute
    `sequential_buffers`, a tuple: they pass from one part to the next.

    A subclass sets `players`, in the order of their turns, and defines a method of each player's
    name::

        def generator(self, nets, batch, turn) -> dict[str, Tensor]

    The method returns named terms: scalars, or one value per sample. The training loop averages
    each term over the batch, sums them, back-propagates and logs them. A term with a weight is
    ``turn.weigh("kl", weight, kl)``, which logs it with and without the weight. A loss never calls
    an optimizer, clears gradients or freezes weights.

    Attributes:
        players: the players, in the order of their turns.
        exported_roles: roles of the networks that a bundle contains; ``generator`` comes first.
        follows_length: whether terms depend on `Turn.progress`. A run that is lengthened then has
            other weights than a run of that length from the start, and says so.
    """

    players: tuple[Player, ...] = ()
    exported_roles: tuple[str, ...] = ("generator",)
    follows_length: bool = False

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Check the networks and the data beyond their roles. By default, accept all.

        Raises:
            ValueError: the game cannot use them; the message says what to choose instead.
        """

    def constrain(self, player: Player, nets: Mapping[str, nn.Module]) -> None:
        """Change weights after a player's update, such as by clipping. By default, do nothing."""

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the networks that the players train."""
        return frozenset(r for player in self.players for r in player.trains if r != LOSS)
