"""`ganzoo plot translation` for a model trained by the test."""

import numpy as np
import pytest
from PIL import Image
from translate_helpers import SIDE, recipe

import ganzoo
from ganzoo.cli import main


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data_for):
    game = recipe("unet")
    data = data_for(game)
    run = ganzoo.train(
        game, out=tmp_path_factory.mktemp("runs") / "run", data=data, device="cpu", progress=False
    )
    return run.bundle, data


def test_condition_output_and_truth_are_rows(trained, tmp_path, monkeypatch, capsys):
    bundle, data = trained
    monkeypatch.chdir(tmp_path)
    command = ["plot", "translation", str(bundle), "--data", str(data), "-n", "3", "--start", "1"]
    assert main(command) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith("translation.png: 3 images of ")
    picture = np.asarray(Image.open("translation.png").convert("RGB"))
    dataset, _ = ganzoo.datasets.get("paired")(data, size=SIDE)
    image, condition = (dataset[1][part].numpy().transpose(1, 2, 0) for part in (0, 2))
    output = ganzoo.load(bundle).translate(condition[None]).numpy()[0]
    scale = 112 // SIDE
    tops = [
        find(picture, part.repeat(scale, 0).repeat(scale, 1)) for part in (condition, output, image)
    ]
    assert len({left for _, left in tops}) == 1
    assert [top for top, _ in tops] == sorted({top for top, _ in tops})


def test_no_images_are_refused_and_not_replaced_by_the_default(trained, tmp_path, capsys):
    bundle, data = trained
    command = ["plot", "translation", str(bundle), "--data", str(data), "-n", "0", "--start", "1"]
    assert main([*command, "-o", str(tmp_path / "a.png")]) == 1
    assert "cannot read 0 images" in capsys.readouterr().err


def find(picture, part):
    """Return the top left corner of an image within another."""
    height, width = part.shape[:2]
    corners = np.argwhere((picture == part[0, 0]).all(axis=2))
    positions = [
        (top, left)
        for top, left in corners
        if np.array_equal(picture[top : top + height, left : left + width], part)
    ]
    assert len(positions) == 1
    return positions[0]


@pytest.mark.parametrize(
    "command", [["comparison"], ["interpolation"], ["umap"]], ids=lambda command: command[0]
)
def test_plots_of_latents_refuse_a_translator(trained, capsys, command):
    bundle, _ = trained
    assert main(["plot", *command, str(bundle)]) == 1
    assert f"ganzoo plot translation {bundle}" in capsys.readouterr().err
