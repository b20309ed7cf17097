import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from r3gan_helpers import recipe

import ganzoo
from ganzoo import cards
from ganzoo.errors import ArchitectureError
from ganzoo.registry import find_recipe, models
from ganzoo.spec import Component, Recipe
from ganzoo.training import prepare
from ganzoo.training.build import build_loss, build_networks, check_combination, complete

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
        part = by_onnx.sample(n, seed=1, label=3).numpy().astype(int)
        assert np.abs(part - whole[:n]).max() <= 1
    assert not np.array_equal(whole, by_torch.sample(7, seed=1, label=4).numpy())


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for k in range(4):
        pixels = np.random.default_rng(k).integers(0, 256, (40, 40, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return folder


@pytest.mark.parametrize("name", PAPER)
def test_recipes_hold_the_papers_settings(pictures, name):
    whole = find_recipe(name)
    batch_size, gamma, halflife = PAPER[name]
    assert (whole.batch_size, whole.ema_halflife, whole.images) == (batch_size, halflife, 2 * 10**7)
    loss, optimizer = whole.loss.arguments, whole.optimizer
    assert loss["r1"] == loss["r2"] == gamma
    assert loss["penalty_decay_to"] * gamma == pytest.approx(gamma / 10)
    assert (optimizer.lr, optimizer.lr * optimizer.decay_to) == (2e-4, 5e-5)
    assert (optimizer.decay, optimizer.decay_start) == ("cosine", 0)
    assert (optimizer.betas, optimizer.beta2_to) == ((0, 0.9), 0.99)
    assert whole.dataset.arguments["flip"]
    assert whole.fresh_latents
    assert whole.ema_ramp == "cosine"
    arguments = complete(whole).architecture.arguments
    assert arguments["resampling"] == "filter"
    assert not arguments["image_biases"]
    assert not arguments["unconditional_logit"]
    assert (arguments["width"], arguments["blocks"], arguments["latent_dim"]) == (768, 2, 64)
    small = replace(
        whole,
        architecture=Component("r3gan", arguments | {"width": 16}),
        batch_size=2,
    )
    prepared = prepare(small, data=pictures)
    side = int(name.removeprefix("r3gan-"))
    assert prepared.data.image.shape == (3, side, side)


def test_spectral_normalisation_refuses_zero_weights():
    with pytest.raises(
        ArchitectureError,
        match=r"narrow': its weights are initialised to zero.*--initialisation ortho",
    ):
        prepare(recipe(spectral_norm=True))
    prepare(recipe(spectral_norm=True, initialisation="orthogonal"))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r3gan-mnist", ganzoo.DataSpec(ganzoo.ImageSpec(28, 28, 1), classes=10)),
        ("r3gan-tinyhero", ganzoo.DataSpec(ganzoo.ImageSpec(32, 32, 3), classes=4)),
    ],
)
def test_the_small_recipes_fit_their_data(name, data):
    full = complete(find_recipe(name))
    assert full.name == name
    game = build_loss(full)
    check_combination(full, build_networks(full, data), game, data)
    assert {penalty.name for penalty in game.penalties} == {"r1", "r2"}


def test_the_plugin_uses_only_public_names():
    """The plugin imports only names of ganzoo that are public."""
    import ganzoo_r3gan

    allowed = {
        "ganzoo",
        "ganzoo.games",
        "ganzoo.nn",
        "ganzoo.errors",
        "ganzoo.importers",
        "ganzoo.spec",
    }
    files = list(Path(ganzoo_r3gan.__file__).parent.rglob("*.py"))
    assert len(files) > 3
    for file in files:
        used = re.findall(r"^\s*(?:from|import) (ganzoo(?:\.\w+)*)\b", file.read_text(), re.M)
        assert set(used) <= allowed, file


@pytest.mark.parametrize(
    ("name", "shape"), [("r3gan-mnist", (28, 28, 1)), ("r3gan-tinyhero", (32, 32, 3))]
)
def test_the_shipped_model_loads_by_name_and_has_a_finished_card(name, shape):
    assert ganzoo.load(name, runtime="onnx").sample(2).numpy().shape == (2, *shape)
    assert cards.check(name) == []


@pytest.mark.parametrize("name", ["r3gan-mnist", "r3gan-tinyhero"])
def test_a_shipped_model_generates_its_images_on_torch(name):
    """It was trained with simpler layers than the paper's, as its config says."""
    model = ganzoo.load(name, runtime="torch")
    arguments = model.spec.arguments
    assert (arguments["resampling"], arguments["image_biases"]) == ("mean", True)
    shipped = np.asarray(Image.open(models.get(name) / "samples.png")).astype(int)
    assert np.abs(shipped - np.asarray(model.preview().grid(scale=None))).max() <= 1
    trained, recipe = (
        complete(r).architecture
        for r in (
            Recipe.from_toml(models.get(name) / "training" / "recipe.toml"),
            find_recipe(name),
        )
    )
    assert trained == recipe


def test_the_label_chooses_the_side_of_a_character():
    model = ganzoo.load("r3gan-tinyhero", runtime="onnx")
    assert model.spec.data.labels == ("back", "left", "front", "right")
    left, right = (model.sample(16, label=side).numpy().astype(float) for side in ("left", "right"))
    mirrored = right[:, :, ::-1]
    assert np.abs(left - mirrored).mean() < np.abs(left - right).mean()
