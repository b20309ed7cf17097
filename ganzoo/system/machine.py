"""Hardware and package versions that a result depends on."""

from __future__ import annotations

import contextlib
import functools
import platform
from importlib import metadata
from pathlib import Path

import torch

from ganzoo.errors import quantity


def describe_hardware(device: torch.device) -> str:
    """Return the name of a device's processor, and for a CPU the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{_cpu_name()}, {quantity(threads, 'thread')}"


def describe_versions(*packages: str) -> dict[str, str]:
    """Return the installed versions of Python, ganzoo, torch, torchvision, numpy and `packages`."""
    versions = {"python": platform.python_version(), **_imported_versions()}
    for name in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


@functools.cache  # imported packages keep their version, and reading metadata is slow
def _imported_versions() -> dict[str, str]:
    versions = {}
    for name in ("torch-ganzoo", "torch", "torchvision", "numpy"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({platform.machine()})" if names else platform.machine()
