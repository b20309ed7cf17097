import inspect
import shutil
import subprocess

import pytest
from PIL import Image

import ganzoo
from ganzoo import training
from ganzoo.cli.quickstart import quickstart


def test_it_creates_its_outputs(tmp_path, capsys, monkeypatch):
    """Run the whole command with a shorter training, which has its own tests."""
    real = training.train

    def short(recipe, out):
        from dataclasses import replace

        from ganzoo.registry import find_recipe

        return real(replace(find_recipe(recipe), images=640), out=out, progress=False)

    monkeypatch.setattr(training, "train", short)
    quickstart(tmp_path / "demo")
    out = capsys.readouterr().out
    folder = tmp_path / "demo"
    assert Image.open(folder / "dcgan-mnist.png").size == (726, 726)
    assert Image.open(folder / "dcgan-digits.png").size == (584, 584)
    assert (folder / "dcgan-digits" / "model.onnx").exists()
    assert ganzoo.load(folder / "dcgan-digits", runtime="onnx")
    for path in ("dcgan-mnist.png", "dcgan-digits.png", "dcgan-digits", "run"):
        assert str(folder / path) in out
    commands = [x.strip() for x in out.split("next:\n")[1].splitlines()]
    assert len(commands) == 3
    assert all(" sample " in c or " train " in c or c.endswith(" list") for c in commands)
    program = shutil.which(commands[0].split()[0])
    assert program, "a reader can type it as it stands"
    result = subprocess.run([program, "list"], capture_output=True, text=True)
    assert "dcgan-mnist" in result.stdout


def test_its_commands_are_valid(tmp_path, monkeypatch):
    import re
    import shlex

    from ganzoo.cli import main

    monkeypatch.chdir(tmp_path)
    source = inspect.getsource(quickstart)
    commands = re.findall(r"^  \{ganzoo\} (.*?)(?:\"\"\")?$", source, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        arguments = shlex.split(command.removesuffix('"""'))
        extra = ["--dry-run"] if arguments[0] == "train" else []
        assert main([*arguments, *extra]) == 0


def test_an_interrupted_training_prints_how_to_resume(tmp_path, capsys, monkeypatch):
    """A second run does not change the folder of the first."""
    real = training.train
    monkeypatch.setattr(
        training, "train", lambda *a, **k: real(*a, **k, max_time="0.001s", progress=False)
    )
    (tmp_path / "demo").mkdir()
    with pytest.raises(KeyboardInterrupt):
        quickstart(tmp_path / "demo")
    assert f"ganzoo train --resume {tmp_path / 'demo-2' / 'run'}" in capsys.readouterr().out
    assert (tmp_path / "demo-2" / "run").is_dir()
    assert not list((tmp_path / "demo").iterdir())
