"""Seeds that depend only on the recipe's seed and the tick, so that resuming is exact."""

from __future__ import annotations

import numpy as np
import torch

# The purpose of a seed, as the second entry of each seed sequence. The order of the data uses 2.
_NETWORKS, _TICK = 0, 1


def _mix(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0])


def seed_networks(seed: int) -> None:
    """Seed torch for the initialisation of the networks."""
    torch.manual_seed(_mix(seed, _NETWORKS))


def seed_tick(seed: int, tick: int) -> None:
    """Seed torch for one tick, so that resuming needs no state of a random generator."""
    torch.manual_seed(_mix(seed, _TICK, tick))
