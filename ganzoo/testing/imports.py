"""Whether importing a plugin does nothing but define things."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

from ganzoo.errors import ConformanceError
from ganzoo.registry import REGISTRIES
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked

PATIENCE = 300.0  # seconds that importing a distribution may take


def imports_quietly(subject: CheckedPlugin) -> None:
    """Importing it, in a process of its own, opens no connection and initialises no GPU."""
    distribution = subject.entry.distribution
    if distribution is None:
        raise NotChecked("it was registered in this process, which has imported it.")
    module = subject.entry.target.partition(":")[0]
    if seen := _watch(distribution)[module]:
        raise ConformanceError(
            f"{module}, the module of {subject.label}, {' and '.join(seen)} when it is imported: "
            "do so inside the function that needs it."
        )


@functools.cache
def _watch(distribution: str) -> dict[str, list[str]]:
    """What each module that a distribution registers does when it is imported."""
    entries = (entry for registry in REGISTRIES for entry in registry.entries())
    modules = {e.target.partition(":")[0] for e in entries if e.distribution == distribution}
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "ganzoo.testing.import_watch", *sorted(modules)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if ended.returncode:
        raise ConformanceError(
            f"importing the modules of {distribution} ends the process with status "
            f"{ended.returncode}: {ended.stderr[-500:].strip()}"
        )
    # A module may print when it is imported; the report is the last line.
    found: dict[str, list[str]] = json.loads(ended.stdout.splitlines()[-1])
    return found
