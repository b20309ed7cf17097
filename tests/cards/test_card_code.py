"""Run the code of every card: Python in two processes that all cards share, shell in the CLI."""

import json
import re
import shlex
import shutil
import tomllib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import cards
from ganzoo.cards.fences import read_blocks
from ganzoo.cli import main
from ganzoo.evaluation.evaluator import Evaluation
from ganzoo.registry import models
from ganzoo.spec import Recipe
from ganzoo.training.build import complete
from helpers.datasets import fake_mnist
from helpers.processes import run_new

SHIPPED = [e.name for e in models.entries() if e.distribution == "torch-ganzoo"]
NAMES = [*SHIPPED, "tiny"]
CODE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Reads one line of JSON per card (a folder and its blocks), runs it, and prints the results.
RUNNER = """
import contextlib, io, json, os, sys, traceback
import numpy
for name in sys.argv[1:]:
    sys.modules[name] = None  # no import finds it
for line in sys.stdin:
    folder, blocks = json.loads(line)
    os.chdir(folder)
    done = []
    for block in blocks:
        names = {}
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(block, names)
            done.append({k: [list(v.shape), str(v.dtype), float(v.min()), float(v.max())]
                         for k, v in names.items() if isinstance(v, numpy.ndarray)})
        except BaseException:
            done.append(traceback.format_exc())
    print(json.dumps(done), flush=True)
"""


@pytest.fixture(scope="module")
def bundles(tiny_bundle):
    return {name: models.get(name) for name in SHIPPED} | {"tiny": tiny_bundle}


@pytest.fixture(scope="module")
def blocks(bundles):
    texts = {name: (path / "README.md").read_text() for name, path in bundles.items()}
    return {name: read_blocks(text, cards.BLOCKS) for name, text in texts.items()}


@pytest.fixture(scope="module")
def folder(tiny_bundle, tmp_path_factory):
    """A reader's folder: it holds the bundle `./tiny` and the data."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(tiny_bundle, folder / "tiny")
    for dataset in ("MNIST", "FashionMNIST"):
        fake_mnist(folder / "DIR", n=256, name=dataset)
    return folder


def codes(text, language):
    return [code for tag, code in CODE.findall(text) if tag == language]


def lines_of(code):
    return [line for line in code.splitlines() if line]


def run_all(jobs, *absent):
    """Run the blocks of each name in one interpreter that cannot import some modules."""
    lines = "".join(json.dumps([str(where), blocks]) + "\n" for where, blocks in jobs.values())
    result = run_new("-c", RUNNER, *absent, input=lines)
    assert result.returncode == 0, result.stderr
    return dict(zip(jobs, map(json.loads, result.stdout.splitlines()), strict=True))


@pytest.fixture(scope="module")
def with_ganzoo(blocks, folder):
    jobs = {}
    for name, contents in blocks.items():
        if name == "tiny":  # the folder of its card
            shutil.copytree(folder / name, folder / f"of-{name}")
        else:
            (folder / f"of-{name}").mkdir()
        jobs[name] = (folder / f"of-{name}", codes(contents["use"], "python"))
    return run_all(jobs)


@pytest.fixture(scope="module")
def with_onnxruntime(blocks, bundles):
    jobs = {name: (bundles[name], codes(blocks[name]["onnxruntime"], "python")) for name in bundles}
    return run_all(jobs, "ganzoo", "torch", "torchvision")


@pytest.mark.parametrize("name", NAMES)
def test_its_use(name, blocks, with_ganzoo, folder):
    done = with_ganzoo[name]
    assert [d for d in done if isinstance(d, str)] == []
    first, *of_encoder = codes(blocks[name]["use"], "python")
    assert len(lines_of(first)) == 3
    assert bool(of_encoder) == (
        "encoder" in ganzoo.info(folder / "tiny" if name == "tiny" else name).roles
    )
    assert len(done) == 1 + len(of_encoder)
    picture = np.asarray(Image.open(folder / f"of-{name}" / "grid.png")).astype(int)
    if name in SHIPPED and name != "cgan-mnist":  # whose preview shows every class
        assert np.abs(picture - np.asarray(Image.open(models.get(name) / "samples.png"))).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_onnxruntime_alone(name, blocks, bundles, with_onnxruntime):
    (code,) = codes(blocks[name]["onnxruntime"], "python")
    assert len(lines_of(code)) == 5
    assert "ganzoo" not in code
    (result,) = with_onnxruntime[name]
    assert isinstance(result, dict), result
    shape, dtype, low, high = result["images"]
    assert (shape, dtype) == ([64, *ganzoo.info(bundles[name]).data.image.shape], "float32")
    assert low < high
    assert max(-low, high) <= 1 + 1e-6  # onnxruntime's tanh rounds that far
    assert f"float32 ({', '.join(map(str, shape))}) in [-1, 1]" in code
    assert result["pixels"][:2] == [shape, "uint8"]


@pytest.mark.parametrize("name", NAMES)
def test_its_shell_commands(name, blocks, bundles, folder, monkeypatch, capsys):
    here = folder / name if name == "tiny" else folder
    monkeypatch.chdir(here)
    provenance = ganzoo.info(bundles[name]).provenance
    evaluations = []

    def evaluate(name, **how):
        evaluations.append((name, how))
        return Evaluation({}, {})

    monkeypatch.setattr("ganzoo.comparison.models.evaluate", evaluate)
    lines = [
        shlex.split(line)
        for block in blocks[name].values()
        for code in codes(block, "bash")
        for line in code.splitlines()
    ]
    assert [line[:2] for line in lines] == [
        *[["ganzoo", "sample"], ["ganzoo", "train"]],
        *[["ganzoo", "evaluate"] for _ in provenance.get("metrics", [])],
    ]
    for _, command, *arguments in lines:
        if command == "sample":
            assert main([command, *arguments]) == 0
            assert (here / "grid.png").is_file()
        elif command == "train":
            capsys.readouterr()
            assert main([command, *arguments, "--dry-run"]) == 0
            plan = capsys.readouterr().out.split("\n\n", 1)[1]
            trained = complete(Recipe.from_dict(provenance["recipe"]))
            again = complete(Recipe.from_dict(tomllib.loads(plan)))
            assert replace(again, description=trained.description) == trained
        else:
            assert main([command, *arguments]) == 0
    for (measured, how), evaluation in zip(evaluations, provenance.get("metrics", []), strict=True):
        protocol = evaluation["protocol"]
        assert measured == name
        assert str(how["data"]) == "DIR"
        for key in ("samples", "seed", "extractor", "runtime"):
            assert how[key] == protocol[key]
        assert how["dataset"] is None
