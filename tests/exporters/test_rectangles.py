"""A model of rectangular images, from files of other shapes to the web page."""

import json
import re

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import plots
from ganzoo.cli import main
from ganzoo.cli.plotting.datasets import _bind
from ganzoo.spec import Component
from ganzoo.training import plan, prepare
from helpers.datasets import pictures
from helpers.recipes import tiny

HEIGHT, WIDTH = 16, 24


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("data"), [f"{k}.png" for k in range(16)])


@pytest.fixture(scope="module")
def recipe():
    architecture = Component("dcgan", {"latent_dim": 2, "width": 2})
    dataset = Component("folder", {"size": f"{HEIGHT}x{WIDTH}", "fit": "pad", "flip": True})
    return tiny(architecture=architecture, dataset=dataset, images=16)


@pytest.fixture(scope="module")
def bundle(data, recipe, tmp_path_factory):
    root = tmp_path_factory.mktemp("rectangles")
    run = ganzoo.train(recipe, out=root / "run", data=data, progress=False)
    return ganzoo.export(run.path, root / "bundle")


def test_the_plan_names_size_and_fit(data, recipe):
    lines = plan(prepare(recipe, data=data)).splitlines()
    assert "  data        32 images of 16x24x3, kept in memory" in lines
    assert "  fit         pad to 16x24 (height x width) with white" in lines


def test_runtimes_agree_and_grids_have_the_shape(bundle, tmp_path):
    torch_images, onnx_images = (
        ganzoo.load(bundle, runtime=runtime).sample(6, 0) for runtime in ("torch", "onnx")
    )
    assert torch_images.numpy().shape == (6, HEIGHT, WIDTH, 3)
    difference = torch_images.numpy().astype(int) - onnx_images.numpy()
    assert np.abs(difference).max() <= 1
    assert onnx_images.grid(3, padding=0).size == (3 * WIDTH, 2 * HEIGHT)
    model = ganzoo.info(bundle)
    assert (model.data.image.height, model.data.image.width) == (HEIGHT, WIDTH)
    assert "16x24x3" in (bundle / "README.md").read_text()
    with Image.open(bundle / "samples.png") as samples:
        assert samples.width > samples.height


def test_it_is_evaluated_on_its_own_images(bundle, data, capsys):
    arguments = ["--data", str(data), "--samples", "8", "--metrics", "kernel"]
    assert main(["evaluate", str(bundle), "--extractor", "pixels", *arguments]) == 0
    text = capsys.readouterr().out
    assert "name folder, size 16x24" in text
    assert re.search(r"training images +True", text)


def test_plots_read_other_datasets_at_its_size(bundle):
    arguments = _bind(ganzoo.info(bundle), "folder", {"flip": True})
    assert (arguments["size"], arguments["channels"], arguments["flip"]) == ("16x24", 3, True)


def test_the_web_page_knows_the_shape(bundle, tmp_path):
    assert main(["export", str(bundle), "--for", "web-cdn", "-o", str(tmp_path / "page")]) == 0
    image = json.loads((tmp_path / "page" / "model.json").read_text())["image"]
    assert image == {"width": WIDTH, "height": HEIGHT, "channels": 3}


def test_the_lattice_of_a_latent_map_has_nearly_square_axes(bundle):
    latents = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    drawing = plots.map_latents(ganzoo.load(bundle), latents, np.zeros(50, int), steps=8)
    width, height = drawing.lattice.grid(padding=0).size
    assert width / height == pytest.approx(1, abs=0.1)
