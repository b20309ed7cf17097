"""The state of torch's random generators, to draw the same numbers twice."""

from __future__ import annotations

import torch
from torch import Tensor


def get_random_state(device: torch.device) -> Tensor:
    """Return the state of the generators of the CPU and of a device, uint8 (bytes,)."""
    state = torch.get_rng_state()
    if device.type == "cpu":
        return state
    return torch.cat([state, torch.get_device_module(device).get_rng_state(device)])


def set_random_state(state: Tensor, device: torch.device) -> None:
    """Set the generators to a state that `get_random_state` returned for the same device."""
    bytes_of_cpu = torch.get_rng_state().numel()
    torch.set_rng_state(state[:bytes_of_cpu])
    if device.type != "cpu":
        torch.get_device_module(device).set_rng_state(state[bytes_of_cpu:], device)
