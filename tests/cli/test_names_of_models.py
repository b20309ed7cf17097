"""Every command that reads a model takes a run, and explains names that people write instead."""

import shutil

import pytest

import ganzoo
from ganzoo import cards
from ganzoo.cli import main
from ganzoo.errors import NotABundleError, RunNotFoundError
from helpers.bundles import finish_card


def test_a_run_is_the_bundle_in_it(tiny_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_run, tmp_path / "runs" / "tiny")
    ganzoo.export("runs/tiny", figures=False)
    assert ganzoo.info("runs/tiny") == ganzoo.info("runs/tiny/bundle")
    finish_card(tmp_path / "runs/tiny/bundle")
    for command in (
        "info runs/tiny",
        "sample runs/tiny -n 2 -o a.png",
        "sample ./runs/tiny --runtime onnx -n 2 -o b.png",
        "plot comparison runs/tiny -n 2 -o c.png",
        "plot interpolation runs/tiny --steps 3 -o d.png",
        "gallery runs/tiny -o e.html",
        "card write runs/tiny",
        "card check runs/tiny",
        "push runs/tiny org/name --dry-run",
        "export runs/tiny --for triton -o f",
    ):
        assert main(command.split()) == 0, capsys.readouterr().err
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_run_without_a_model_says_what_to_type(tmp_path):
    (tmp_path / "recipe.toml").touch()
    for read in (
        ganzoo.load,
        ganzoo.info,
        ganzoo.evaluate,
        ganzoo.export,
        cards.write,
        cards.check,
    ):
        with pytest.raises(
            RunNotFoundError, match=f"Continue it: ganzoo train --resume {tmp_path}"
        ):
            read(tmp_path)
    with pytest.raises(RunNotFoundError, match="--resume"):
        ganzoo.push(tmp_path, "org/name", dry_run=True)


LOADS = [
    "info",
    "sample",
    "translate",
    "evaluate",
    "gallery",
    "plot comparison",
    "export --for web",
]
READS = ["export", "card check", "card write", "push"]


@pytest.mark.parametrize("command", LOADS)
def test_a_repository_gets_the_name_that_loads_it(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    more = ["x.png"] if command == "translate" else []
    for name in ("org/name", "https://hub.example/org/name", "HF://org/name"):
        assert main([*command.split(), name, *more]) == 1
        assert "hf://org/name" in capsys.readouterr().err


@pytest.mark.parametrize("command", READS)
def test_a_repository_gets_the_download_where_a_folder_is_read(
    tmp_path, monkeypatch, capsys, command
):
    monkeypatch.chdir(tmp_path)
    more = ["org/other"] if command == "push" else []
    for name in ("org/name", "hf://org/name", "https://hub.example/org/name"):
        assert main([*command.split(), name, *more]) == 1
        error = capsys.readouterr().err
        if command == "card check" and name.startswith("https"):
            assert "Did you mean 'hf://org/name'?" in error
            continue
        assert "hf download org/name --local-dir name" in error, name
        assert error.count("\n") == 1


def test_a_push_to_a_url_gets_the_name(tiny_bundle, capsys):
    assert main(["push", str(tiny_bundle), "https://hub.example/org/name"]) == 1
    assert "Did you mean 'hf://org/name'?" in capsys.readouterr().err


def test_an_existing_folder_gets_no_hint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "name").mkdir(parents=True)
    with pytest.raises(NotABundleError, match=r"contains no config\.json\.$"):
        ganzoo.load("org/name")
