"""From a regression to a GAN, measured beside filters; and a GAN from an imported network."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from restore_helpers import paint, random_weights
from spandrel.architectures.ESRGAN import ESRGAN

import ganzoo
import ganzoo_restore
from ganzoo.errors import MetricError, RecipeError
from ganzoo.evaluation import ImageSet, ImageSets
from ganzoo.registry import find_recipe
from ganzoo.spec import Component, Recipe
from ganzoo.training import prepare

TINY = {"width": 4, "blocks": 1, "growth": 4}
DATA = Component("degraded", {"size": 32, "items_per_file": 2})


def recipe(loss, architecture="rrdbnet", **arguments):
    return Recipe(
        name="tiny",
        architecture=Component(architecture, arguments),
        loss=Component(loss),
        dataset=DATA,
        images=8,
        batch_size=4,
        log_every=4,
        sample_every=8,
        checkpoint_every=8,
        ema_halflife=8,
    )


def train(game, out, data, **options):
    return ganzoo.train(game, out=out, data=data, device="cpu", progress=False, **options)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for k in range(4):
        paint(folder / f"{k}.png", 40, 44, seed=k)
    return folder


@pytest.fixture(scope="module")
def regression(tmp_path_factory, images):
    game = recipe("regression", **TINY, discriminator="none")
    return train(game, tmp_path_factory.mktemp("runs") / "regression", images)


def test_a_gan_starts_from_a_regression_and_is_measured_beside_filters(
    regression, images, tmp_path
):
    run = train(recipe("esrgan", **TINY), tmp_path / "run", images, init_from=regression.path)
    spec = ganzoo.info(run.bundle)
    assert spec.sizes == ganzoo.SizesSpec(scale=4)
    tensors, all_tensors, *_ = spec.provenance["initial_weights"]["counts"]["generator"]
    assert tensors == all_tensors > 0
    (sample,) = (run.path / "samples").glob("*.png")
    sheet = np.asarray(Image.open(sample))[4:68, 4:68]  # each pixel twice
    assert (sheet[::8, ::8].repeat(8, 0).repeat(8, 1) == sheet).all(), "a condition, enlarged"
    for held_out in range(2):
        paint(tmp_path / "held-out" / f"{held_out}.png", 40, 44, seed=10 + held_out)
    evaluation = ganzoo.evaluate(
        run.bundle, data=tmp_path / "held-out", metrics=["psnr-y", "ssim-y"], progress=False
    )
    assert list(evaluation.metrics) == [
        *(f"psnr_y{end}" for end in ("", "_bicubic", "_lanczos")),
        *(f"ssim_y{end}" for end in ("", "_bicubic", "_lanczos")),
    ]
    assert evaluation.metrics["psnr_y_bicubic"] > 20
    assert "border of 4 pixels" in evaluation.protocol["settings"]["psnr-y"]


def test_whole_images_of_several_sizes_are_measured_one_by_one(regression, tmp_path):
    """The figure is the mean of the images, and the last rows and columns are cropped."""
    for k, (height, width) in enumerate([(30, 41), (24, 28)]):
        paint(tmp_path / f"{k}.png", height, width, seed=k)
    evaluation = ganzoo.evaluate(
        regression.bundle, data=tmp_path, whole=True, metrics=["psnr-y"], progress=False
    )
    model, metric = ganzoo.load(regression.bundle), ganzoo.metrics.get("psnr-y")
    values = []
    for file, size in zip(sorted(tmp_path.glob("*.png")), [(40, 28), (28, 24)], strict=True):
        image = Image.open(file).crop((0, 0, *size))
        low = np.asarray(image.reduce(1).resize((size[0] // 4, size[1] // 4), Image.BICUBIC))[None]
        arrays = np.asarray(image)[None], model.upscale(low).numpy(), low
        real, fake, conditions = (ImageSet(x.transpose(0, 3, 1, 2), None) for x in arrays)
        values.append(metric.compute(ImageSets(real, fake, conditions=conditions)))
    for key in ("psnr_y", "psnr_y_bicubic", "psnr_y_lanczos"):
        expected = np.mean([each[key] for each in values])
        assert evaluation.metrics[key] == pytest.approx(expected)
    assert evaluation.protocol["samples"] == 2
    assert evaluation.protocol["whole_images"] == "cropped to multiples of the scale"
    assert not evaluation.protocol["training_images"]
    assert ganzoo.info(regression.bundle).provenance["metrics"][0]["metrics"]["psnr_y"]
    paint(tmp_path / "2.png", 8, 8)
    with pytest.raises(MetricError, match="needs images with sides of at least 9 pixels"):
        ganzoo.evaluate(
            regression.bundle, data=tmp_path, whole=True, metrics=["psnr-y"], progress=False
        )


def test_whole_images_of_the_training_are_named_as_such(regression, tmp_path):
    """The card repeats the evaluation with metrics that are not computed by default."""
    run = shutil.copytree(regression.path, tmp_path / "run")
    with pytest.warns(UserWarning, match="was trained on these pairs"):
        evaluation = ganzoo.evaluate(run, whole=True, metrics=["psnr-y"], progress=False)
    assert evaluation.protocol["training_images"]
    card = ganzoo.export(run, tmp_path / "bundle", figures=False) / "README.md"
    text = card.read_text()
    assert " --metrics psnr-y --whole --runtime torch " in text
    assert "- images at their own sizes, cropped to multiples of the scale" in text


def test_a_gan_starts_from_an_imported_network(images, tmp_path):
    file = tmp_path / "network.pth"
    torch.save(random_weights(ESRGAN(num_filters=4, num_blocks=1)).state_dict(), file)
    bundle = ganzoo.import_checkpoint(file, tmp_path / "imported", license="mit", figures=False)
    words = "--architecture spandrel --architecture.discriminator vgg --architecture.options in_nc"
    with pytest.raises(RecipeError, match=words):
        prepare(recipe("esrgan", **TINY), data=images, init_from=bundle)
    options = ganzoo.info(bundle).arguments["options"]
    game = recipe("esrgan", "spandrel", options=tuple(options), discriminator="vgg", width=4)
    run = train(game, tmp_path / "run", images, init_from=bundle)
    tensors, all_tensors, *_ = ganzoo.info(run.bundle).provenance["initial_weights"]["counts"][
        "generator"
    ]
    assert tensors == all_tensors > 0


@pytest.mark.parametrize(
    "name", ["srresnet", "srgan", "rrdbnet", "esrgan", "rrdbnet-emoji", "esrgan-emoji"]
)
def test_the_recipes_can_be_prepared(name, images):
    whole = find_recipe(name)
    assert whole.description
    small = whole.architecture.arguments | {"width": 2, "blocks": 1}
    dataset = whole.dataset.arguments | {"size": 32, "items_per_file": 1, "split": ""}
    prepared = prepare(
        Recipe(
            **vars(whole)
            | {
                "architecture": Component(whole.architecture.name, small),
                "dataset": Component("degraded", dataset),
            }
        ),
        data=images,
    )
    assert prepared.data.condition == ganzoo.ImageSpec(8, 8, 3)


def test_the_plugin_uses_only_public_names():
    allowed = {
        "ganzoo",
        "ganzoo.errors",
        "ganzoo.evaluation",
        "ganzoo.games",
        "ganzoo.importers",
        "ganzoo.nn",
        "ganzoo.sampling.corrupt_files",
        "ganzoo.sampling.file_times",
        "ganzoo.sampling.image_depth",
        "ganzoo.sampling.image_files",
        "ganzoo.sampling.image_fits",
        "ganzoo.sampling.image_folders",
        "ganzoo.sampling.image_options",
    }
    for file in Path(ganzoo_restore.__file__).parent.rglob("*.py"):
        used = re.findall(r"^\s*(?:from|import) (ganzoo(?:\.\w+)*)\b", file.read_text(), re.M)
        assert set(used) <= allowed, file
