"""Files that commands write: -o replaces a file, and a default name replaces none."""

import re

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.cli import main

DEFAULTS = {
    "sample dcgan-mnist -n 1": "grid.png",
    "walk dcgan-mnist --seeds 3,9": "walk.mp4",
    "directions dcgan-mnist --draws 50": "directions.safetensors",
    "invert dcgan-mnist photo.png --steps 1": "photo.z.safetensors",
    "translate pix2pix-openmoji photo.png": "translated.png",
    "translate pix2pix-openmoji photo.png --grid": "translated.png",
    "compare dcgan-mnist gan-mnist": "comparison.png",
    "plot comparison dcgan-mnist": "comparison.png",
    "plot samples dcgan-mnist": "samples.png",
    "plot earth-mover": "earth-mover.png",
    "plot interpolation dcgan-mnist": "interpolation.png",
    "plot reconstructions ae2d-mnist": "reconstructions.png",
    "plot latent-map ae2d-mnist": "latent-map.png",
    "plot umap dcgan-mnist": "umap.png",
    "plot neighbours dcgan-mnist": "neighbours.png",
    "plot translation pix2pix-openmoji": "translation.png",
    "plot style-mixing dcgan-mnist": "style-mixing.png",
    "plot truncation dcgan-mnist": "truncation.png",
    "plot noise dcgan-mnist": "noise.png",
    "gallery dcgan-mnist": "gallery.html",
    "plot curves run": "curves.png",
    "plot metric run": "metric.png",
    "plot progress run": "progress.png",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ganzoo.load("dcgan-mnist", runtime="onnx").sample().pil()[0].save("photo.png")
    return tmp_path


@pytest.mark.parametrize("command", DEFAULTS)
def test_a_default_name_replaces_no_file(folder, capsys, command):
    (folder / DEFAULTS[command]).write_text("mine")
    assert main(command.split()) == 1
    name = DEFAULTS[command]
    expected = (
        f"error: {name} exists already. Pass -o {name} to replace it, or -o and another name."
    )
    assert capsys.readouterr().err.splitlines()[-1] == expected
    assert (folder / name).read_text() == "mine"


def test_a_file_that_is_named_is_replaced(folder):
    (folder / "a.png").write_text("old")
    command = ["sample", "dcgan-mnist", "-n", "1", "--runtime", "onnx", "--scale", "1"]
    assert main([*command, "-o", "a.png"]) == 0
    assert np.asarray(Image.open("a.png")).shape == (32, 32)


@pytest.mark.parametrize(
    ("command", "companion"),
    [
        ("invert dcgan-mnist photo.png --steps 1 --samples 1 -o", "hero.comparison.png"),
        ("directions dcgan-mnist --draws 50 --count 1 -o", "hero.png"),
    ],
)
def test_a_file_beside_it_is_replaced_only_together(folder, capsys, command, companion):
    (folder / companion).write_text("mine")
    arguments = [*command.split(), "hero.safetensors"]
    assert main(arguments) == 1
    says = f"{companion}, which this command writes beside hero.safetensors, exists already"
    assert says in capsys.readouterr().err
    assert (folder / companion).read_text() == "mine"
    (folder / "hero.safetensors").touch()
    assert main(arguments) == 0
    assert Image.open(folder / companion).format == "PNG"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("invert dcgan-mnist photo.png", "a.safetensors"),
        ("directions dcgan-mnist", "a.safetensors"),
        ("directions dcgan-mnist --figure file/new/a.png", ""),
        ("sample dcgan-mnist", "a.png"),
        ("walk dcgan-mnist --seeds 3,9", "a.webp"),
        ("plot umap dcgan-mnist", "a.png"),
        ("gallery", "a.html"),
        ("data .", "a.html"),
        ("data . --sheet file/new/a.png", ""),
    ],
)
def test_a_folder_that_is_not_writable_is_refused_before_the_computation(
    folder, capsys, monkeypatch, command, name
):
    (folder / "file").touch()
    if not command.startswith("invert"):  # its default name depends on the model
        monkeypatch.setattr("ganzoo.zoo.find", None)
    monkeypatch.setattr("ganzoo.data.describe", None)
    assert main([*command.split(), *(["-o", f"file/new/{name}"] if name else [])]) == 1
    assert re.search("cannot write file/new/a.*: Not a directory", capsys.readouterr().err)
