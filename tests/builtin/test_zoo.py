"""The shipped models: each loads, was trained by its recipe, and has its card."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import cards
from ganzoo.bundle import open_bundle
from ganzoo.registry import find_recipe, models
from ganzoo.spec import Component, Recipe
from ganzoo.training.build import complete
from helpers.paths import ROOT

MODELS = [e.name for e in models.entries() if e.distribution == "torch-ganzoo"]
OF_PLUGINS = sorted((ROOT / "plugins").glob("*/*/pretrained/*-*"))


OLDER = {"fresh_latents": False}
TRAINED_WITH = {
    "gan-mnist": OLDER | {"sample_every": 256_000},
    "dcgan-paper-mnist": OLDER,
    "cgan-mnist": OLDER,
    "wgan-mnist": OLDER,
    "wgan-gp-mnist": OLDER,
}
"""Fields of recipes that have changed since the training of the model of the same name."""


@pytest.fixture(params=MODELS)
def shipped(request):
    return open_bundle(models.get(request.param))


def test_a_shipped_bundle_is_small(shipped):
    sizes = {p.name: p.stat().st_size for p in shipped.path.rglob("*") if p.is_file()}
    assert max(sizes.values()) <= 800_000
    assert sum(sizes.values()) <= 2_400_000


def test_its_training_finished_by_the_recipe_in_the_package(shipped):
    provenance = shipped.spec.provenance
    trained = complete(Recipe.from_dict(provenance["recipe"]))
    recipe = replace(find_recipe(shipped.spec.name), **TRAINED_WITH.get(shipped.spec.name, {}))
    if shipped.spec.name == "dcgan-paper-mnist":
        arguments = recipe.architecture.arguments | {"latent_distribution": "normal"}
        recipe = replace(recipe, architecture=Component("dcgan", arguments))
    recipe = complete(recipe)
    # Compare everything except the precision and the evaluation during the training.
    watched = {"evaluate_every": trained.evaluate_every, "keep_best": trained.keep_best}
    changes = {"precision": trained.precision, "description": trained.description} | watched
    assert trained == replace(recipe, **changes)
    assert provenance["images_seen"] >= trained.images
    assert provenance["seconds"] > 60
    assert provenance["hardware"]
    assert provenance["data"]["images"] == 60_000
    assert provenance["parity"]["max_abs_error"] <= provenance["parity"]["tolerance"]
    assert shipped.spec.name == models.entry(shipped.spec.name).name


def test_its_sample_figure_shows_its_own_samples(shipped):
    grid = np.asarray(Image.open(shipped.path / "samples.png")).astype(int)
    expected = np.asarray(ganzoo.load(shipped.spec.name).preview().grid(scale=None))
    assert np.abs(grid - expected).max() <= 1


@pytest.mark.parametrize("path", [*map(models.get, MODELS), *OF_PLUGINS], ids=lambda p: p.name)
def test_its_card_equals_the_published_one(path):
    name = open_bundle(path).spec.name
    card = (path / "README.md").read_text()
    published = (ROOT / "model_cards" / f"{name}.md").read_text()
    images = ROOT / "model_cards" / "images"
    pictures = {picture.name: picture.read_bytes() for picture in path.glob("*.png")}
    assert {p.name: p.read_bytes() for p in (images / name).iterdir()} == pictures
    for picture in pictures:
        assert f"(images/{name}/{picture})" in published
    assert published.replace(f"images/{name}/", "") == card


def test_its_card_is_finished_and_agrees_with_its_config(shipped):
    assert cards.check(shipped.spec.name) == []


def test_its_figures_are_complete_and_small(shipped):
    sizes = {picture.name: picture.stat().st_size for picture in shipped.path.glob("*.png")}
    assert {"samples.png", "interpolation.png", "curves.png"} <= sizes.keys()
    assert max(sizes.values()) < 80_000


def test_its_samples_differ_from_each_other_and_look_like_the_data(shipped):
    """Ten thousand identical or grey images would load just as well."""
    images = ganzoo.load(shipped.spec.name, runtime="onnx").sample(256).numpy().astype(float)
    ink = images.mean((1, 2, 3)) / 255
    clothes = "fashion" in shipped.spec.name
    assert 0.2 < ink.mean() < 0.4 if clothes else 0.05 < ink.mean() < 0.25
    blurred = "encoder" in shipped.spec.roles  # as the mean image of a code is
    if not clothes:  # which have all grey levels
        assert ((images < 40) | (images > 215)).mean() > (0.7 if blurred else 0.85)
    flat = images.reshape(256, -1)
    distances = ((flat[:, None] - flat[None]) ** 2).sum(-1) ** 0.5
    assert np.median(distances) > 1500
    if shipped.spec.latent.dim > 2:  # 256 points on a plane are close together
        assert np.sort(distances, axis=1)[:, 1].min() > 50
