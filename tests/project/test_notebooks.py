"""The notebooks of the documentation run, and their saved outputs have pictures and no errors."""

import importlib
import json
import re

import pytest

from helpers.paths import ROOT
from helpers.processes import run_python

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SMALL = {"images": 64, "steps": 2}  # in place of the numbers of the cell `parameters`
SLOW = ("compare-losses",)  # eight trainings; tests/comparison has its parts


def cells_of(path):
    """Return tags and text of the cells that run, with small numbers."""
    for cell in json.loads(path.read_text())["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and "skip-execution" not in tags:
            yield cell, make_small("".join(cell["source"]), tags)


def make_small(text, tags):
    if "parameters" not in tags:
        return text
    return "\n".join(f"{name} = {SMALL[name]}" for name in re.findall(r"^(\w+) =", text, re.M))


def id_of(path):
    return path.stem


def test_there_are_notebooks():
    assert {"first-steps", "import-and-fine-tune", "compare-losses"} == {p.stem for p in NOTEBOOKS}


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=pytest.mark.slow if p.stem in SLOW else ()) for p in NOTEBOOKS],
    ids=id_of,
)
def test_its_code_runs(path, tmp_path):
    code = "\n\n".join(text for _, text in cells_of(path))
    result = run_python(code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=id_of)
def test_its_outputs_are_saved(path):
    outputs = [output for cell, _ in cells_of(path) for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "execute_result"}
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
    text = path.read_text()
    assert "/tmp/" not in text
    assert "/home/" not in text
    assert "%pip install" in text


@pytest.mark.slow
@pytest.mark.allow_hosts(["127.0.0.1"])  # the kernel's own ports
@pytest.mark.parametrize("path", NOTEBOOKS, ids=id_of)
def test_it_runs_in_a_kernel(path, tmp_path, monkeypatch):
    import nbformat  # with a kernel, it takes a while to import

    monkeypatch.syspath_prepend(ROOT / "tools")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = make_small(cell.source, cell.metadata.get("tags", []))
    importlib.import_module("run_notebooks").run(notebook, tmp_path)
    texts = [o.get("text", "") for c in notebook.cells for o in c.get("outputs", [])]
    assert not any("Traceback" in text for text in texts)
