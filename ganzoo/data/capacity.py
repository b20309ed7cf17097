"""Free memory of the machine and the device."""

from __future__ import annotations

import torch

from ganzoo.system.memory import free_host_memory


def free_memory(device: torch.device) -> int:
    """Return the free bytes of main memory; for CUDA the minimum of this and the device's."""
    host = free_host_memory()
    return min(host, torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else host
