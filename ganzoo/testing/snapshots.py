"""The names of an architecture's weights: a contract with all weights that are published."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from ganzoo.bundle.files import write_file
from ganzoo.errors import ConformanceError
from ganzoo.testing.checks import NotChecked

if TYPE_CHECKING:
    from ganzoo.testing.architecture import Architecture

SWITCH = "GANZOO_SNAPSHOTS"
WRITE = "write"


def keeps_its_names(subject: Architecture) -> None:
    """The names in its state_dicts are those of the snapshot beside its test."""
    file = subject.snapshot
    if file is None:
        raise NotChecked("a snapshot lies beside a test, as ganzoo.testing's suites keep it.")
    names = {role: sorted(net.state_dict()) for role, net in sorted(subject.built[2].items())}
    if os.environ.get(SWITCH) == WRITE:
        write_file(file, json.dumps(names, indent=1) + "\n")
        return
    if not file.is_file():
        raise ConformanceError(
            f"{subject.label} has no snapshot of its weights' names at {file}: {SWITCH}={WRITE} "
            "pytest writes it, to be kept with the tests."
        )
    kept = json.loads(file.read_text(encoding="utf-8"))
    if names != kept:
        old, new = (
            {f"{role}.{name}" for role, keys in each.items() for name in keys}
            for each in (kept, names)
        )
        raise ConformanceError(
            f"{subject.label}: its weights are named otherwise than in {file.name} (gone: "
            f"{_some(old - new)}; new: {_some(new - old)}), so that published weights no longer "
            f"load: take the old names back, register the change under a new name, or, where "
            f"nothing was published, {SWITCH}={WRITE} pytest."
        )


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3]) or "none"
