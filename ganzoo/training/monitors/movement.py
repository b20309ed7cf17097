"""How far weights move: the numbers that the monitor of stale learning rates reads."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ganzoo.training.state import State

ROWS, VALUES = 8, 1024  # the most rows, and values of a row, that are compared of each weight


class Movement:
    """Compares some of each player's weights with their values at the last measurement.

    Args:
        state: the training; the first measurement compares with its current weights.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._before = self._some()

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Return by player the norm of the change, relative to the norm of the weights."""
        before, self._before = self._before, self._some()
        return {
            player: float((now - before[player]).norm() / now.norm().clamp_min(1e-30))
            for player, now in self._before.items()
        }

    def _some(self) -> dict[str, Tensor]:
        return {
            player: _some([w for group in optimizer.param_groups for w in group["params"]])
            for player, optimizer in self.state.optimizers.items()
        }


def _some(weights: Iterable[Tensor]) -> Tensor:
    # Rows first, since flattening may copy a tensor.
    rows = (w.detach()[:ROWS].flatten() if w.dim() else w.detach()[None] for w in weights)
    return torch.cat([row[:VALUES].float() for row in rows])
