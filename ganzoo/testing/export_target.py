"""Export targets under test, and their checks."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path

from ganzoo.bundle import open_bundle
from ganzoo.errors import ConformanceError, DeploymentError
from ganzoo.exporters.targets import TargetFiles
from ganzoo.registry import export_targets, models
from ganzoo.testing import registration
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked
from ganzoo.testing.imports import imports_quietly

MODEL = "gan-mnist"  # a small registered model with an ONNX graph


def describes_itself(subject: ExportTarget) -> None:
    """Its docstring says what it writes, for `ganzoo list`."""
    if not (inspect.getdoc(subject.thing) or "").strip():
        raise ConformanceError(
            f"{subject.label} has no docstring: write one sentence that says what it writes."
        )


def writes(subject: ExportTarget) -> None:
    """It writes what it returns, for a model with an ONNX graph, and does not change the model."""
    model = models.get(MODEL)
    assert isinstance(model, Path)  # it ships with ganzoo
    bundle = open_bundle(model)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        try:
            files = export_targets.make(subject.entry, bundle, out)
        except DeploymentError as error:
            raise NotChecked(f"it is not available: {error}") from error
        if not isinstance(files, TargetFiles) or not files.folders:
            raise ConformanceError(
                f"{subject.label} returns {files!r}: return a "
                "ganzoo.exporters.targets.TargetFiles with the paths that it wrote."
            )
        for path in files.folders:
            if not path.exists():
                raise ConformanceError(f"{subject.label} returns {path}, but did not write it.")
    open_bundle(model)  # verifies the checksums


class ExportTarget(CheckedPlugin):
    """An export target under test."""

    registry = export_targets
    checks = (registration.loads, imports_quietly, describes_itself, writes)
