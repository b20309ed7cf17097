import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import recipe
from PIL import Image

import ganzoo
from ganzoo import cards
from ganzoo.errors import ArchitectureError
from ganzoo.registry import find_recipe
from ganzoo.spec import Component
from ganzoo.training import prepare

PAPER = {"r3gan-32": (512, 0.05, 5_000_000), "r3gan-64": (256, 2.0, 500_000)}


def test_a_trained_model_with_labels_samples_alike_on_both_runtimes_in_any_batch(tmp_path):
    game = recipe(arguments={"conditioning": "projection"})
    run = ganzoo.train(game, out=tmp_path / "run", device="cpu", progress=False)
    bundle = ganzoo.export(run.path, tmp_path / "bundle")
    assert ganzoo.info(bundle).requires[0].startswith("ganzoo-r3gan")
    by_torch, by_onnx = (ganzoo.load(bundle, runtime=name) for name in ("torch", "onnx"))
    whole = by_torch.sample(7, seed=1, label=3).numpy().astype(int)
    assert whole.shape == (7, 16, 16, 1)
    assert whole.std() > 0
    for n in (1, 2, 7):
        made = by_onnx.sample(n, seed=1, label=3).numpy().astype(int)
        assert np.abs(made - whole[:n]).max() <= 1
    assert not np.array_equal(whole, by_torch.sample(7, seed=1, label=4).numpy())


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for k in range(4):
        pixels = np.random.default_rng(k).integers(0, 256, (40, 40, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return folder


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_settings_are_in_its_recipes(pictures, name):
    whole = find_recipe(name)
    batch_size, gamma, halflife = PAPER[name]
    assert (whole.batch_size, whole.ema_halflife, whole.images) == (batch_size, halflife, 2 * 10**7)
    loss, optimizer = whole.loss.arguments, whole.optimizer
    assert loss["r1"] == loss["r2"] == gamma
    assert loss["penalty_decay_to"] * gamma == pytest.approx(gamma / 10)
    assert (optimizer.lr, optimizer.lr * optimizer.decay_to) == (2e-4, 5e-5)
    assert (optimizer.decay, optimizer.decay_start) == ("cosine", 0)
    arguments = whole.architecture.arguments
    assert (arguments["width"], arguments["blocks"], arguments["latent_dim"]) == (768, 2, 64)
    small = replace(
        whole,
        architecture=Component("r3gan", arguments | {"width": 16}),
        batch_size=2,
    )
    prepared = prepare(small, data=pictures)
    side = int(name.removeprefix("r3gan-"))
    assert prepared.data.image.shape == (3, side, side)


def test_spectral_normalisation_needs_weights_that_do_not_begin_at_zero():
    with pytest.raises(ArchitectureError, match=r"narrow' begins at zero.*--initialisation ortho"):
        prepare(recipe(spectral_norm=True))
    prepare(recipe(spectral_norm=True, initialisation="orthogonal"))


def test_the_recipe_for_mnist_fits_it():
    whole = find_recipe("r3gan-mnist")
    data = ganzoo.DataSpec(ganzoo.ImageSpec(28, 28, 1), classes=10)
    nets = ganzoo.architectures.get(whole.architecture.name)(data, **whole.architecture.arguments)
    made = nets["generator"](torch.zeros(2, 64))
    assert made.shape == (2, 1, 28, 28)
    assert ganzoo.losses.get(whole.loss.name)(**whole.loss.arguments).penalties


def test_the_plugin_uses_public_names_alone():
    """What it imports of ganzoo is what a stranger's plugin may."""
    import ganzoo_r3gan

    allowed = {"ganzoo", "ganzoo.games", "ganzoo.nn", "ganzoo.errors"}
    files = list(Path(ganzoo_r3gan.__file__).parent.rglob("*.py"))
    assert len(files) > 3
    for file in files:
        used = re.findall(r"^\s*(?:from|import) (ganzoo(?:\.\w+)*)\b", file.read_text(), re.M)
        assert set(used) <= allowed, file


def test_the_model_that_ships_loads_by_name_and_has_a_finished_card():
    assert ganzoo.load("r3gan-mnist", runtime="onnx").sample(2).numpy().shape == (2, 28, 28, 1)
    assert cards.check("r3gan-mnist") == []
