"""Random numbers that depend on where the training stands, not on how it got there."""

from __future__ import annotations

import numpy as np
import torch

# What a seed is used for: the second entry of each seed sequence.
_NETWORKS, _TICK, _ORDER = 0, 1, 2


def _mix(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0])


def seed_networks(seed: int) -> None:
    """Seed torch for the initialisation of the networks."""
    torch.manual_seed(_mix(seed, _NETWORKS))


def seed_tick(seed: int, tick: int) -> None:
    """Seed torch for one tick, so that resuming needs no state of a random generator."""
    torch.manual_seed(_mix(seed, _TICK, tick))


def order_of_epoch(
    seed: int, epoch: int, n: int, stream: int = 0
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the permutation of `n` images that an epoch follows, int64 (n,).

    Streams, such as the two domains of unpaired images, follow different ones.
    """
    key = [seed, _ORDER, epoch] + ([stream] if stream else [])
    return np.random.default_rng(key).permutation(n)
