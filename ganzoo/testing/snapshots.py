"""Snapshots of the names of weights, which published weights depend on."""

from __future__ import annotations

import json
import os

from ganzoo.bundle.files import write_file
from ganzoo.errors import ConformanceError
from ganzoo.testing.built_architecture import BuiltArchitecture
from ganzoo.testing.checks import NotChecked

SWITCH = "GANZOO_SNAPSHOTS"
WRITE = "write"


def keeps_its_names(subject: BuiltArchitecture) -> None:
    """The names in its state_dicts are those in the snapshot next to its test."""
    file = subject.snapshot
    if file is None:
        raise NotChecked("it has no snapshot; the pytest suites of ganzoo.testing keep one.")
    names = {role: sorted(net.state_dict()) for role, net in sorted(subject.built[2].items())}
    if os.environ.get(SWITCH) == WRITE:
        write_file(file, json.dumps(names, indent=1) + "\n")
        return
    if not file.is_file():
        raise ConformanceError(
            f"{subject.label} has no snapshot of the names of its weights at {file}: run "
            f"{SWITCH}={WRITE} pytest, and commit the file."
        )
    snapshot = json.loads(file.read_text(encoding="utf-8"))
    if names != snapshot:
        old, new = (
            {f"{role}.{name}" for role, keys in roles.items() for name in keys}
            for roles in (snapshot, names)
        )
        raise ConformanceError(
            f"{subject.label}: its weights have other names than in {file.name} (missing: "
            f"{_some(old - new)}; new: {_some(new - old)}), so published weights do not load: "
            "restore the old names, register the change under a new name, or, if there are no "
            f"published weights, run {SWITCH}={WRITE} pytest."
        )


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3]) or "none"
