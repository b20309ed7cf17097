"""Trackers under test, and their checks."""

from __future__ import annotations

from ganzoo import training
from ganzoo.errors import ConformanceError
from ganzoo.registry import trackers
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.imports import imports_quietly


def builds(subject: Tracker) -> None:
    """It builds a ganzoo.Tracker that logs something; the check does not start it."""
    tracker = trackers.make(subject.entry)
    if not isinstance(tracker, training.Tracker):
        raise ConformanceError(
            f"{subject.label} returns {type(tracker).__name__}, but must return a ganzoo.Tracker: "
            "derive its class from ganzoo.Tracker."
        )
    logs = [name for name in vars(training.Tracker) if name.startswith("log_")]
    if not any(
        getattr(type(tracker), name) is not getattr(training.Tracker, name) for name in logs
    ):
        raise ConformanceError(f"{subject.label} logs nothing: override one of {', '.join(logs)}.")


class Tracker(CheckedPlugin):
    """A tracker under test."""

    registry = trackers
    checks = (
        registration.loads,
        registration.takes_named_arguments,
        registration.names_its_source,
        imports_quietly,
        builds,
    )
