"""Run a network twice with the same result: its random numbers and its buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ganzoo.games.random_state import get_random_state, set_random_state

RANDOM_STATE = "random_state"
_BUFFER = "buffer."


def starting_point(network: nn.Module, device: torch.device) -> dict[str, Tensor]:
    """Return the state of the random generators and a network's buffers, for `replayed`."""
    buffers = {_BUFFER + name: buffer.clone() for name, buffer in network.named_buffers()}
    return {RANDOM_STATE: get_random_state(device)} | buffers


@contextmanager
def replayed(
    network: nn.Module, start: Mapping[str, Tensor], device: torch.device
) -> Iterator[None]:
    """Run the block from a starting point; afterwards continue as if it had not run.

    So moving averages contain a batch once, although the network computes it twice.
    """
    now = starting_point(network, device)
    _go_to(start, network, device)
    yield
    _go_to(now, network, device)


def _go_to(point: Mapping[str, Tensor], network: nn.Module, device: torch.device) -> None:
    set_random_state(point[RANDOM_STATE], device)
    for name, buffer in network.named_buffers():
        # Through `data`: a backward pass refuses buffers that changed, even if it does not read
        # them, such as the running averages of BatchNorm in training.
        buffer.data.copy_(point[_BUFFER + name])
