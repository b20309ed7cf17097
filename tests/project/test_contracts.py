"""Each import contract fails on a copy of the package that breaks it."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from helpers.paths import ROOT

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = [contract["name"] for contract in CONFIG["contracts"]]

# For each contract, a module of the package and an import that the contract forbids there.
VIOLATIONS = {
    "Layers: each imports those below it": ("spec/data.py", "ganzoo.cli"),
    "No module imports itself by way of others of its package, not even for annotations": (
        "importers/values.py",
        "ganzoo.importers.calls",
    ),
    "Exporters know nothing of training: they meet in a bundle": (
        "exporters/parity.py",
        "ganzoo.training",
    ),
    "Nothing imports ganzoo.builtin: it is found through entry points": (
        "zoo.py",
        "ganzoo.builtin.pretrained",
    ),
    "The builtin plugins import what a stranger's plugin imports": (
        "builtin/datasets/ring.py",
        "ganzoo.training",
    ),
    "Specs, bundles, sampling and the onnx runtime import no torch": (
        "sampling/latents.py",
        "torch",
    ),
    "The Hub's client is imported in hub alone": ("zoo.py", "huggingface_hub"),
    "onnx is imported in exporters alone": ("hub/client.py", "onnx"),
    "matplotlib and umap are imported in plots alone": ("evaluation/scores.py", "matplotlib"),
    "gradio is imported by the demo's page alone": ("demo/render.py", "gradio"),
    "PyAV is imported in one module of sampling alone": ("sampling/shards.py", "av"),
    "The library datasets is imported in one module of data alone": ("data/reading.py", "pyarrow"),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Return the output of import-linter for a copy that breaks every contract once."""
    folder = tmp_path_factory.mktemp("contracts")
    ignored = shutil.ignore_patterns("pretrained", "__pycache__", "*.safetensors")
    shutil.copytree(ROOT / "ganzoo", folder / "ganzoo", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for module, forbidden in VIOLATIONS.values():
        file = folder / "ganzoo" / module
        file.write_text(
            file.read_text() + f"\n\ndef _breaks_a_contract():\n    import {forbidden}\n"
        )
    (folder / "ganzoo" / "builtin" / "pretrained").mkdir()
    (folder / "ganzoo" / "builtin" / "pretrained" / "__init__.py").touch()
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    verdicts = re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE)
    return dict(verdicts)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_each_contract_can_break(verdicts, contract):
    assert verdicts[contract] == "BROKEN"


def test_builtin_imports_only_named_packages():
    """Packages that the contract allows are listed here, so a new one needs a decision."""
    (forbidden,) = (
        set(contract["forbidden_modules"])
        for contract in CONFIG["contracts"]
        if contract.get("source_modules") == ["ganzoo.builtin"]
    )
    packages = {
        f"ganzoo.{path.stem}"
        for path in (ROOT / "ganzoo").iterdir()
        if path.suffix in ("", ".py") and not path.name.startswith("__")
    }
    allowed = {"builtin", "errors", "evaluation", "games", "importers", "nn", "sampling", "spec"}
    assert packages - forbidden == {f"ganzoo.{name}" for name in allowed}


def test_torch_distributed_is_imported_in_one_module():
    """import-linter sees torch as one package."""
    users = {
        file.relative_to(ROOT / "ganzoo").as_posix()
        for file in (ROOT / "ganzoo").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in _imported(node)
        if name.startswith("torch.distributed")
    }
    assert users == {"training/distributed.py"}


def _imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []
