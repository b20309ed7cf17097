"""Train, export and sample on both runtimes."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from stylegan2_helpers import SMALL, recipe

import ganzoo
import ganzoo_stylegan2
from ganzoo import DataSpec, ImageSpec, cards
from ganzoo.errors import ExportError, RecipeError
from ganzoo.registry import find_recipe, models
from ganzoo.spec import Component
from ganzoo.training import prepare
from ganzoo.training.build import build_loss, build_networks, check_combination, complete

ADA = Component("stylegan2", {"ada": True, "ada_images": 100})


def train(game, out: Path):
    return ganzoo.train(game, out=out, device="cpu", progress=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with classes, long enough to have an average style."""
    game = recipe({"conditioning": "projection", "truncation": 0.7})
    return train(game, tmp_path_factory.mktemp("runs") / "run")


# Change everything that an export can change; an unchanged export is a slow test.
CHANGED = {"arguments": {"truncation": 0.5}, "precision": "int8"}


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({}, marks=pytest.mark.slow, id="as-trained"),
        pytest.param(CHANGED, id="changed"),
    ],
)
def test_a_trained_model_samples_alike_on_both_runtimes(run, tmp_path, how):
    bundle = ganzoo.export(run.path, tmp_path / "bundle", **how)
    spec = ganzoo.info(bundle)
    assert spec.requires[0].startswith("ganzoo-stylegan2")
    assert spec.arguments["truncation"] == (0.5 if how else 0.7)
    by_torch, by_onnx = (ganzoo.load(bundle, runtime=r) for r in ("torch", "onnx"))
    weights = by_torch.network.state_dict()
    assert weights["mapping.average"].abs().max() > 0
    assert {tuple(w.shape) for n, w in weights.items() if n.endswith(".noise")} == {
        (4, 4),
        (8, 8),
        (16, 16),
    }
    for n in (1, 5, 20):
        a, b = by_torch.sample(n, seed=3).numpy(), by_onnx.sample(n, seed=3).numpy()
        assert a.shape == (n, 16, 16, 1)
        assert np.abs(a.astype(int) - b).max() <= 1
    for n in (1, 3):
        z, y = np.zeros((n, SMALL["latent_dim"]), np.float32), np.arange(n)
        np.testing.assert_allclose(by_torch.generate(z, y), by_onnx.generate(z, y), atol=1e-4)
    assert not np.array_equal(
        by_torch.sample(4, label=0).numpy(), by_torch.sample(4, label=1).numpy()
    )


def test_invalid_truncation_is_refused(run, tmp_path):
    with pytest.raises(ExportError, match=r"cannot have truncation 3\.0 .*it must be in \[0, 1\]"):
        ganzoo.export(run.path, tmp_path / "wild", arguments={"truncation": 3.0})


@pytest.mark.slow
def test_truncation_is_chosen_after_training_on_both_runtimes(run, tmp_path):
    """With truncation 0, every image of a class is the mean image."""
    bundle = ganzoo.export(run.path, tmp_path / "mean", arguments={"truncation": 0.0})
    for runtime in ("torch", "onnx"):
        images = ganzoo.load(bundle, runtime=runtime).sample(8, label=2).numpy()
        assert (images == images[:1]).all()
    assert ganzoo.info(bundle).arguments["truncation"] == 0
    assert not (ganzoo.load(run.bundle).sample(8, label=2).numpy() == images).all()


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_weights_can_be_stored_in_fewer_bits(run, tmp_path, precision):
    bundle = ganzoo.export(run.path, tmp_path / precision, precision=precision)
    a, b = (ganzoo.load(bundle, runtime=r).sample(4).numpy() for r in ("torch", "onnx"))
    assert np.abs(a.astype(int) - b).max() <= 1


def test_resume_is_exact(tmp_path):
    """The state includes the average path length, the augmentation and the average style."""
    game = recipe(
        loss=ADA,
        images=80,
        batch_size=8,
        checkpoint_every=24,
        keep_checkpoints=9,
        precision="bf16",
    )
    path = train(game, tmp_path / "run").path
    *early, last = sorted((path / "checkpoints").iterdir())
    expected = load_file(last)
    assert len(early) == 3
    for checkpoint in [last, *early[1:]]:
        checkpoint.unlink()
    assert ganzoo.resume(path, device="cpu", progress=False).finished
    actual = load_file(path / "checkpoints" / last.name)
    assert expected.keys() == actual.keys()
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def test_the_state_of_the_loss_is_in_the_checkpoint(tmp_path):
    from ganzoo.training.checkpoint import load_checkpoint

    path = train(recipe(loss=ADA, images=64), tmp_path / "run").path
    state = load_checkpoint(path / "checkpoints")["state"]["loss"]
    assert state["path_length.average"] > 0
    assert state["ada.adapted_at"] == 32
    assert set(state) >= {"ada.probability", "ada.signs", "ada.seen"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("stylegan2-64", DataSpec(ImageSpec(64, 64, 3))),
        ("stylegan2-mnist", DataSpec(ImageSpec(28, 28, 1))),
        ("stylegan2-tinyhero", DataSpec(ImageSpec(32, 32, 3))),
    ],
)
def test_the_recipes_fit_together(name, data):
    full = complete(find_recipe(name))
    assert full.description
    assert full.name == name
    game = build_loss(full)
    with torch.device("meta"):
        nets = build_networks(full, data)
    check_combination(full, nets, game, data)
    assert game.options.penalty_every == 16
    assert (game.ada is not None) == (name == "stylegan2-64")
    assert full.optimizer.betas == (0.0, 0.99)


def test_its_loss_trains_other_networks(tmp_path):
    game = replace(recipe(loss=ADA, images=16), architecture=Component("dcgan", {"width": 4}))
    with pytest.warns(UserWarning, match="BatchNorm makes the discriminator mix samples"):
        run = train(game, tmp_path / "run")
    assert ganzoo.load(run.bundle).sample(2).numpy().shape == (2, 16, 16, 1)


def test_the_plugin_uses_only_public_names():
    """The plugin imports only names of ganzoo that are public."""
    allowed = {
        "ganzoo",
        "ganzoo.games",
        "ganzoo.importers",
        "ganzoo.nn",
        "ganzoo.errors",
        "ganzoo.spec",
    }
    for file in Path(ganzoo_stylegan2.__file__).parent.rglob("*.py"):
        used = re.findall(r"^\s*(?:from|import) (ganzoo(?:\.\w+)*)\b", file.read_text(), re.M)
        assert set(used) <= allowed, file


@pytest.mark.parametrize(
    ("name", "shape"), [("stylegan2-mnist", (28, 28, 1)), ("stylegan2-tinyhero", (32, 32, 3))]
)
def test_the_shipped_model_loads_by_name_and_has_a_finished_card(name, shape):
    assert ganzoo.load(name, runtime="onnx").sample(2).numpy().shape == (2, *shape)
    assert cards.check(name) == []


@pytest.mark.parametrize("name", ["stylegan2-mnist", "stylegan2-tinyhero"])
def test_a_shipped_model_generates_its_images_on_torch(name):
    shipped = np.asarray(Image.open(models.get(name) / "samples.png")).astype(int)
    images = np.asarray(ganzoo.load(name, runtime="torch").preview().grid(scale=None))
    assert np.abs(shipped - images).max() <= 1


def test_numbers_and_the_constant_noise_of_a_model_are_no_start():
    game = recipe({"latent_dim": 5, "style_dim": 6, "width": 3})
    game = replace(game, dataset=Component("digits", {"size": 28}))
    with pytest.raises(RecipeError, match="no kernel of it fits"):
        prepare(game, init_from="stylegan2-mnist", device="cpu")
