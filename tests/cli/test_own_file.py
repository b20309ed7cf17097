"""A user's own Python file, which a command imports first."""

import re

import pytest

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import MissingPluginError
from ganzoo.spec import Component
from helpers.processes import run_cli, run_python
from helpers.recipes import tiny
from helpers.torchrun import run_group

OWN = '''
import torch
import ganzoo
from helper_of_mine import SIZE


@ganzoo.architectures.register("line")
def line(data: ganzoo.DataSpec, *, latent_dim: int = 4):
    """One linear layer each."""
    shape = data.image.shape
    size = torch.Size(shape).numel()
    layers = [torch.nn.Linear(latent_dim, size), torch.nn.Tanh(), torch.nn.Unflatten(1, shape)]
    logits = [torch.nn.Flatten(), torch.nn.Linear(size, 1), torch.nn.Flatten(0)]
    return {
        "generator": torch.nn.Sequential(*layers),
        "discriminator": torch.nn.Sequential(*logits),
    }


class Stripes(torch.utils.data.Dataset):
    def __len__(self):
        return 32

    def __getitem__(self, k):
        return torch.full((1, SIZE, SIZE), k, dtype=torch.uint8), torch.tensor(0)


@ganzoo.datasets.register("stripes")
def stripes(root):
    """Grey images."""
    return Stripes(), ganzoo.DataSpec(ganzoo.ImageSpec(SIZE, SIZE, 1))
'''
TRAIN = ("train", "dcgan-digits", "--architecture", "line", "--dataset", "stripes")
SHORT = ("--images", "16", "--batch-size", "16", "--tensorboard", "off", "--device", "cpu")


@pytest.fixture
def own(tmp_path):
    (tmp_path / "helper_of_mine.py").write_text("SIZE = 8\n")
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path / "own.py"


COMMANDS = """
import sys
from pathlib import Path
from ganzoo import plots, training
from ganzoo.cli import main
from ganzoo.registry.own_file import repeat_imports
own, *train = sys.argv[1:]
assert main([*train, "--dry-run", "--import", own]) == 0
assert main([f"--import={own}", "list", "--kind", "architectures"]) == 0
plots.draw_run = lambda path: None
for ended in ("finished", "time"):
    training.train = lambda *_, **__: training.Run(Path("run"), 8, ended)
    assert main([*train, "--import", own]) == 0
assert repeat_imports() == "", "the command has ended"
"""


def test_commands_know_what_the_file_registers(own):
    done = run_python(COMMANDS, own, *TRAIN, *SHORT)
    assert done.returncode == 0, done.stderr
    assert "line + nonsaturating on stripes" in done.stdout
    assert re.search(r"^  line  .*this process$", done.stdout, re.MULTILINE)
    assert f"next: ganzoo export run --import {own}\n" in done.stdout
    assert f"  ganzoo train --resume run --import {own}\n" in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("gone.py", None, "no such file. Pass one with --import FILE.py"),
        ("own.txt", "", "its name is not that of a Python file"),
        ("math.py", "", "there is another module 'math'"),
        ("own.py", "1 / 0", "ZeroDivisionError: division by zero ("),
        ("own.py", "def", "invalid syntax in line 1"),
        ("own.py", "raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_errors_are_of_one_line(tmp_path, name, text, problem):
    if text is not None:
        (tmp_path / name).write_text(text)
    done = run_cli("list", "--import", tmp_path / name)
    assert done.returncode == 1
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_registers_nothing_is_a_warning(tmp_path):
    (tmp_path / "own.py").write_text("")
    done = run_cli("list", "--kind", "losses", "--import", tmp_path / "own.py")
    assert done.returncode == 0
    assert "own.py registers nothing" in done.stderr


def test_an_unknown_name_in_a_run_may_be_of_a_file(tmp_path, capsys):
    recipe = tiny(architecture=Component("line"))
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    assert main(["train", "--resume", str(tmp_path)]) == 1
    assert "no architecture named 'line'" in (error := capsys.readouterr().err)
    assert "If the run was trained with a file of yours, add --import FILE.py." in error


@pytest.mark.slow
def test_processes_of_a_group_import_it(own):
    run, image = own.parent / "run", own.parent / "x.png"
    status, _, errors = run_group(2, *TRAIN, *SHORT, "--out", run, "--import", own)
    assert status == 0, errors
    with pytest.raises(MissingPluginError, match=r"on the command line with --import FILE.py"):
        ganzoo.load(run)
    done = run_cli("sample", "--import", own, run, "-o", image, "-n", "1")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_spawned_workers_import_it(own):
    """They unpickle the dataset, whose class is in the file."""
    code = """
import multiprocessing, sys
from ganzoo.cli import main
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main(sys.argv[1:]))
"""
    out = own.parent / "run"
    options = (*SHORT, "--streaming", "on", "--out", out, "--import", own)
    done = run_python(code, *TRAIN, *options)
    assert done.returncode == 0, done.stderr
    assert ganzoo.info(out).architecture == "line"
