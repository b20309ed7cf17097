"""The check that importing a plugin has no side effects."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from ganzoo.errors import ConformanceError
from ganzoo.registry import REGISTRIES
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked

TIMEOUT = 300.0  # seconds that importing a distribution may take


def imports_quietly(subject: CheckedPlugin) -> None:
    """Importing it in a new process opens no connection and initialises no GPU."""
    distribution = subject.entry.distribution
    if distribution is None:
        raise NotChecked("it is registered by this process, which has already imported it.")
    module = subject.entry.target.partition(":")[0]
    if side_effects := _side_effects(distribution)[module]:
        raise ConformanceError(
            f"{module}, the module of {subject.label}, {' and '.join(side_effects)} when it is "
            "imported: do so inside the function that needs it."
        )


@functools.cache
def _side_effects(distribution: str) -> dict[str, list[str]]:
    """Return the forbidden side effects of importing each module of a distribution."""
    entries = (entry for registry in REGISTRIES for entry in registry.entries())
    modules = {e.target.partition(":")[0] for e in entries if e.distribution == distribution}
    process = run_watch(sorted(modules))
    if process.returncode:
        raise ConformanceError(
            f"importing the modules of {distribution} ends the process with status "
            f"{process.returncode}: {process.stderr[-500:].strip()}"
        )
    # A module may print during its import; the report is the last line.
    report: dict[str, list[str]] = json.loads(process.stdout.splitlines()[-1])
    return report


def run_watch(modules: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Import modules in a new interpreter, whose last line of output is the report."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "ganzoo.testing.import_watch", *modules],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
