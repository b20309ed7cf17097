"""Print the environment for a bug report."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ganzoo.cli.arguments import AsJson
from ganzoo.cli.tables import print_items
from ganzoo.registry import distributions
from ganzoo.system.dependencies import quiet_imports
from ganzoo.system.terminal import print_json, print_out

VARIABLES = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTORCH_ALLOC_CONF")  # beside GANZOO_*


def env(as_json: AsJson = False) -> None:
    """Print what a bug report needs: versions, devices, threads, plugins and variables.

    Environment variables are those of ganzoo (GANZOO_*) and of devices and threads. The home folder
    is shown as ~.
    """
    document = describe_environment()
    if as_json:
        print_json(document)
        return
    for title, rows in document.items():
        print_out(f"{title}{'' if rows else '  (none)'}")
        print_items([(name, [str(value)]) for name, value in rows.items()])


def describe_environment() -> dict[str, dict[str, Any]]:
    """Return the environment by title and name."""
    return {
        "system": {
            "ganzoo": metadata.version(distributions.DISTRIBUTION),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "platform": platform.platform(),
            "cores": os.cpu_count(),
        },
        "devices": dict(_devices()),
        "packages": dict(_packages()),
        "plugins": {
            each.name: ", ".join(
                filter(None, (each.version, "" if each.admitted else "switched off", each.trouble))
            )
            for each in distributions.installed()
            if each.name != distributions.DISTRIBUTION
        },
        "variables": {
            name: value.replace(str(Path.home()), "~")
            for name, value in sorted(os.environ.items())
            if name.startswith("GANZOO_") or name in VARIABLES
        },
    }


def _devices() -> Iterator[tuple[str, Any]]:
    """Yield the devices and threads of torch and of onnxruntime."""
    if find_spec("torch") is not None:
        import torch

        from ganzoo.system.machine import describe_hardware

        yield "cpu", describe_hardware(torch.device("cpu"))
        count = torch.cuda.device_count()
        cuda = f"CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built without CUDA"
        yield "gpus", f"{count}, {cuda}"
        for index in range(count):
            properties = torch.cuda.get_device_properties(index)
            yield f"cuda:{index}", f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
    with quiet_imports():
        import onnxruntime

    yield "onnxruntime", ", ".join(onnxruntime.get_available_providers())


def _packages() -> Iterator[tuple[str, str]]:
    """Yield the installed versions of the packages that ganzoo and its extras need."""
    from packaging.requirements import Requirement

    for text in sorted(metadata.requires(distributions.DISTRIBUTION) or ()):
        requirement = Requirement(text)
        is_tool = any(f'"{extra}"' in str(requirement.marker) for extra in ("test", "docs"))
        if requirement.name != distributions.DISTRIBUTION and not is_tool:
            with suppress(metadata.PackageNotFoundError):
                yield requirement.name, metadata.version(requirement.name)
