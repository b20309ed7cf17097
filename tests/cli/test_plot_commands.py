"""The commands `ganzoo plot KIND`."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.cli import main
from ganzoo.cli.plotting.datasets import ModelDataset
from ganzoo.errors import DataError, PlotError
from ganzoo.evaluation.extraction import extract, make_extractor
from ganzoo.spec import Component
from helpers.playback import Playback
from helpers.processes import run_new
from helpers.recipes import tiny


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    """A run of an autoencoder with two-dimensional latents."""
    recipe = tiny(
        name="plane",
        architecture=Component("mlp-autoencoder", {"latent_dim": 2, "width": 8}),
        loss=Component("vae"),
        sample_every=16,
    )
    return ganzoo.train(recipe, out=tmp_path_factory.mktemp("runs") / "plane", progress=False).path


@pytest.fixture
def plot(tmp_path, monkeypatch, capsys):
    """Return a function that runs a plot command and returns its image and output."""
    monkeypatch.chdir(tmp_path)

    def typed(*args):
        assert main(["plot", *map(str, args)]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        file = tmp_path / out.partition(":")[0].strip()
        assert [p.name for p in tmp_path.iterdir()] == [file.name], "one file, the one it named"
        picture = Image.open(file)
        picture.load()
        file.unlink()
        return picture, out

    return typed


def test_curves(plot, tiny_run):
    picture, out = plot("curves", tiny_run)
    assert out == "curves.png: 4 log lines\n"
    assert picture.width == 1260


def test_samples_beside_real_images(plot, tiny_bundle):
    picture, output = plot("samples", tiny_bundle, "-n", 12)
    assert output == "samples.png: 12 samples of seed 0\n"
    both, output = plot("samples", tiny_bundle, "-n", 12, "--beside-real")
    assert output == "samples.png: 12 samples of seed 0 beside 12 real images\n"
    assert picture.width < both.width <= 1260


def test_earth_mover(plot):
    picture, output = plot("earth-mover")
    assert output == "earth-mover.png\n"
    assert picture.width == 1260


def test_metric(plot, tiny_run, tmp_path_factory):
    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("measured") / "run")
    lines = [{"images": k, "metrics": {"a": 1.0 / k, "b": 1.0}} for k in (1, 2)]
    (run / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    both, out = plot("metric", run)
    assert out == "metric.png: 2 measurements\n"
    one, _ = plot("metric", run, "--metrics", "a")
    assert one.height < both.height


@pytest.mark.parametrize("ending", ["png", "gif", "webp"])
def test_progress(plot, autoencoder, ending):
    picture, out = plot("progress", autoencoder, "-o", f"a.{ending}")
    assert out == f"a.{ending}: 4 frames, up to 64 images seen\n"
    assert picture.format == ending.upper()
    assert getattr(picture, "n_frames", 1) == (1 if ending == "png" else 4)
    other, _ = plot("progress", autoencoder, "--kind", "manifold", "-o", f"a.{ending}")
    assert np.asarray(other.convert("L")).mean() != np.asarray(picture.convert("L")).mean()


def test_run(tiny_run, tmp_path, capsys):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    assert main(["plot", "run", str(run)]) == 0
    files = sorted(map(str, (run / "plots").iterdir()))
    assert sorted(capsys.readouterr().out.split()) == files
    assert len(files) == 4


def test_comparison(plot, tiny_bundle):
    picture, out = plot("comparison", "dcgan-mnist", tiny_bundle, "-n", "3", "--seed", "5")
    assert out == "comparison.png: 3 images of seed 5\n"
    pixels = np.asarray(picture.convert("L"))
    first = ganzoo.load("dcgan-mnist").sample(3, seed=5).numpy()[:, :, :, 0]
    assert holds(pixels, first[0].repeat(4, 0).repeat(4, 1))


def test_truncation_without_w(plot):
    picture, out = plot("truncation", "dcgan-mnist", "--seeds", "3", "5", "--truncation", 2, 0.5)
    assert out == "truncation.png: seeds 3,5 at threshold 2, 0.5\n"
    model = ganzoo.load("dcgan-mnist")
    image = model.sample(seeds=[5], sampler="truncated-normal", threshold=2.0).numpy()[0, :, :, 0]
    assert holds(np.asarray(picture.convert("L")), image.repeat(6, 0).repeat(6, 1))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("truncation dcgan-mnist --truncation 0", "must be above 0"),
        ("truncation dcgan-mnist --seeds 5-", "--seeds 5-: '5-' is no seed"),
        ("truncation dcgan-mnist --seeds 0-999", "5,000 images is too large"),
        ("style-mixing dcgan-mnist", "has no w"),
        ("style-mixing dcgan-mnist --columns 3-1", "--columns 3-1: '3-1' is no seed"),
        ("noise dcgan-mnist", "has no noise"),
    ],
)
def test_plots_of_latent_space_name_wrong_options(capsys, tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    assert main(["plot", *options.split()]) == 1
    assert says in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def holds(pixels, part):
    """Return whether an image contains another."""
    height, width = part.shape
    windows = np.lib.stride_tricks.sliding_window_view(pixels, width, axis=1)
    rows = np.argwhere((windows == part[height // 2]).all(axis=2))
    return any(
        np.array_equal(pixels[y - height // 2 :][:height, x : x + width], part) for y, x in rows
    )


def test_neighbours(plot, tiny_bundle):
    picture, out = plot("neighbours", tiny_bundle, "-n", 4)
    assert out == "neighbours.png: 4 samples and their nearest of 1,797 training images\n"
    one_row, _ = plot("comparison", tiny_bundle, "-n", 4)
    assert picture.height > 1.5 * one_row.height  # a row of samples and a row of their neighbours


def test_neighbours_by_another_extractor(plot, tiny_bundle):
    """The digits have the extractor `pixels`; another one adds a row with its name."""
    resized = ("--extractor", "lenet-mnist@1", "--resize")
    picture, _ = plot("neighbours", tiny_bundle, "-n", 3, *resized)
    plain, _ = plot("neighbours", tiny_bundle, "-n", 3)
    assert picture.height > 1.3 * plain.height
    extractor = make_extractor("lenet-mnist@1")
    images = ModelDataset(ganzoo.info(tiny_bundle), None, None, None).all().images.numpy()
    samples = ganzoo.load(tiny_bundle).sample(3, seed=0).numpy()
    ours, theirs = (
        extract(extractor, torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).features
        for x in (samples, images)
    )
    pixels = np.asarray(picture.convert("L"))
    for features in ours:
        nearest = np.linalg.norm(theirs - features, axis=1).argmin()
        assert holds(pixels, images[nearest, :, :, 0].repeat(7, 0).repeat(7, 1))


def test_interpolation_between_seeds(plot):
    picture, out = plot("interpolation", "dcgan-mnist", "--seeds", "3,9", "--steps", "5")
    assert out == "interpolation.png: 5 steps from seed 3 to seed 9\n"
    pixels = np.asarray(picture.convert("L"))
    model = ganzoo.load("dcgan-mnist")
    for path in ("spherical", "linear"):
        for image in model.interpolate(3, 9, 5, path=path).numpy():
            assert holds(pixels, image[:, :, 0].repeat(4, 0).repeat(4, 1))
    one, _ = plot("interpolation", "dcgan-mnist", "--seeds", "3,9", "--path", "linear")
    assert one.height < picture.height


def test_interpolation_between_real_images(plot, autoencoder):
    picture, out = plot("interpolation", autoencoder / "bundle", "--between", "7", "2")
    assert out == "interpolation.png: 10 steps from real 7 to real 2\n"
    dataset = ModelDataset(ganzoo.info(autoencoder / "bundle"), None, None, None)
    real = dataset.of_classes("7", "2")
    assert real.labels.tolist() == [7, 2]
    same, other = dataset.of_classes("7", "7").images.numpy()
    assert np.array_equal(same, real.images.numpy()[0])
    assert not np.array_equal(same, other), "between two images of one class"
    pixels = np.asarray(picture.convert("L"))
    for image in real.images.numpy():
        scale = 5  # for which twelve columns leave room
        assert holds(pixels, image[:, :, 0].repeat(scale, 0).repeat(scale, 1))
    index = [str(k) for k in range(2)]
    _, out = plot("interpolation", autoencoder / "bundle", "--index", *index, "-o", "a.svg.png")
    assert out == "a.svg.png: 10 steps from real 0 to real 1\n"


def test_an_animated_interpolation(plot):
    picture, _ = plot("interpolation", "dcgan-mnist", "--steps", "6", "-o", "a.gif")
    assert picture.n_frames == 10


def test_reconstructions_have_the_classes_of_their_images(autoencoder, tmp_path, monkeypatch):
    """A model may number the classes in another way than the dataset."""
    spec = ganzoo.info(autoencoder / "bundle")
    data = replace(spec.data, labels=tuple("9876543210"))
    model = Playback(np.zeros((1, 16, 16, 1), np.uint8), data, ("z", "y"))
    model.spec = replace(model.spec, provenance=spec.provenance)
    decoded = []

    def decode(z, y):
        decoded.extend(y.tolist())
        return ganzoo.ImageBatch(np.zeros((len(z), 16, 16, 1), np.uint8))

    model.decode = decode
    encoder = SimpleNamespace(encode=lambda images: np.zeros((len(images), 1), np.float32))
    monkeypatch.setattr(
        "ganzoo.cli.plotting.models.load_autoencoder", lambda name: (model, encoder)
    )
    assert main(["plot", "reconstructions", "n", "-n", "9", "-o", str(tmp_path / "r.png")]) == 0
    labels = ModelDataset(spec, None, None, None).draw(9, 10).labels
    assert decoded == (9 - labels).tolist()


def test_reconstructions(plot, autoencoder):
    picture, out = plot("reconstructions", autoencoder / "bundle", "-n", "4")
    assert out.startswith("reconstructions.png: 4 random images of ")
    dataset = ModelDataset(ganzoo.info(autoencoder / "bundle"), None, None, None)
    generator = ganzoo.load(autoencoder / "bundle")
    encoder = ganzoo.load(autoencoder / "bundle", role="encoder")
    real = dataset.draw(4, 10).images
    pixels = np.asarray(picture.convert("L"))
    for batch in (real, generator.decode(encoder.encode(real))):
        for image in batch.numpy():
            assert holds(pixels, image[:, :, 0].repeat(7, 0).repeat(7, 1))


def test_latent_map(plot, autoencoder):
    bundle = autoencoder / "bundle"
    picture, out = plot("latent-map", bundle, "-n", "200", "--dataset", "digits")
    assert out.startswith("latent-map.png: 200 random images of ")
    assert picture.height > picture.width


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["curves", "absent"], "absent is not a run"),
        (["metric", "RUN"], "metrics.jsonl has no readable line"),
        (["progress", "RUN", "--kind", "manifold"], "Choose samples"),
        (["run", "EMPTY"], "has no good log line and no good image file. Wait for the first"),
        (["curves", "RUN", "-o", "a.jpg"], "not one of .png, .svg. Use for example -o a.png"),
        (["curves", "RUN", "-o", "a.gif"], "not one of .png, .svg"),
        (["progress", "RUN", "-o", "a"], "not one of .png, .svg, .gif, .webp"),
        (["comparison"], "no model is named"),
        (["comparison", "dcgan-mnits"], "Did you mean 'dcgan-mnist'"),
        (["interpolation", "dcgan-mnist", "--between", "7", "2"], "has no encoder"),
        (["interpolation", "PLANE", "--between", "7", "x"], "no class 'x'. Choose from 0, 1"),
        (["interpolation", "PLANE", "--between", "1", "2", "--index", "1", "2"], "Pass only one of them"),
        (["interpolation", "PLANE", "--index", "0", "99999"], "the dataset has no image 99999"),
        (["interpolation", "dcgan-mnist", "--steps", "1"], "in 1 steps"),
        (["interpolation", "dcgan-mnist", "--seeds", "1-3"], "has two seeds, such as 3,9"),
        (["interpolation", "dcgan-mnist", "--label", "3"], "has no classes"),
        (["reconstructions", "dcgan-mnist"], "has no encoder"),
        (["reconstructions", "PLANE", "-n", "9999"], "the dataset has 1797"),
        (["reconstructions", "PLANE", "--split", "test"], "'digits' has no argument 'split'"),
        (["reconstructions", "vae-mnist"], "--data DIR or GANZOO_DATA=DIR"),
        (["latent-map", "vae-mnist"], "latents have length 10"),
        (["umap", "dcgan-mnist", "--thumbnails", "-3"], "cannot draw -3 thumbnails. Use --thumbnails 0"),
        (["umap", "dcgan-mnist"], "--data DIR or GANZOO_DATA=DIR"),
        (["umap", "PLANE", "--extractor", "lenet-mnist@1"], "does not read images of 16x16"),
        (["neighbours", "PLANE", "--extractor", "lenet-mnist@1"], "Pass --resize to do so"),
        (["samples", "dcgan-mnist", "--beside-real"], "--data DIR or GANZOO_DATA=DIR"),
        (["translation", "dcgan-mnist"], "does not translate images"),
    ],
)  # fmt: skip
def test_invalid_plots_are_one_clear_line(
    tmp_path, monkeypatch, capsys, tiny_run, autoencoder, command, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "recipe.toml").touch()
    places = {"RUN": tiny_run, "PLANE": autoencoder / "bundle", "EMPTY": "empty"}
    assert main(["plot", *(str(places.get(word, word)) for word in command)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["empty"]


def test_help_names_every_kind(capsys):
    for command in (["plot"], ["plot", "--help"]):
        with pytest.raises(SystemExit):
            main(command)
        out = "".join(capsys.readouterr())
        for kind in ("curves", "metric", "progress", "interpolation", "latent-map", "umap"):
            assert kind in out
    with pytest.raises(SystemExit):
        main(["plot", "interpolation", "--help"])
    assert "--between" in capsys.readouterr().out


# Sources


def test_the_training_data_is_read_with_its_arguments(autoencoder):
    spec = ganzoo.info(autoencoder / "bundle")
    dataset = ModelDataset(spec, None, None, None)
    first = dataset.consecutive(3, start=5)
    assert first.images.numpy().shape == (3, 16, 16, 1)
    assert first.conditions is None
    again = dataset.numbered(7, 5)
    assert np.array_equal(again.images.numpy(), first.images.numpy()[[2, 0]])
    assert again.labels.tolist() == [first.labels[2], first.labels[0]]
    with pytest.raises(DataError, match="has 1797"):
        dataset.consecutive(2, start=1796)


def test_another_dataset_is_read_at_the_models_size(autoencoder, tmp_path):
    from helpers.datasets import pictures

    spec = ganzoo.info(autoencoder / "bundle")
    data = pictures(tmp_path / "data", [f"{k}.png" for k in range(4)])
    dataset = ModelDataset(spec, "folder", None, data)
    assert dataset.draw(None, 10).images.numpy().shape == (4, 16, 16, 1)  # all that there are
    with pytest.raises(PlotError, match="It has no classes. Choose.*--index"):
        dataset.of_classes("7", "2")


def test_random_sets_hold_no_flipped_images(autoencoder, tmp_path):
    """A held-out image could be the mirror image of one that the plane is fitted on."""
    from helpers.datasets import pictures

    spec = ganzoo.info(autoencoder / "bundle")
    data = pictures(tmp_path / "data", [f"{k}.png" for k in range(6)])
    arguments = {"name": "folder", "size": 16, "channels": 1, "flip": True}
    trained = replace(spec, provenance={"recipe": {"dataset": arguments}})
    dataset = ModelDataset(trained, None, None, data)
    assert len(dataset) == 12
    first, second = dataset.draw_sets(None, 2_000, 2)
    images = [image.tobytes() for part in (first, second) for image in part.images.numpy()]
    originals = [image.tobytes() for image in dataset.consecutive(6, 0).images.numpy()]
    assert sorted(images) == sorted(originals)
    with pytest.raises(DataError, match="cannot draw 7 images: the dataset has 6"):
        dataset.draw(7, 1)


def test_images_of_another_size_are_refused(autoencoder):
    spec = ganzoo.info(autoencoder / "bundle")

    @ganzoo.datasets.register("squares")
    def squares(root):
        images = torch.zeros((4, 1, 8, 8), dtype=torch.uint8)
        return TensorDataset(images, torch.zeros(4)), DataSpec(ImageSpec(8, 8, 1))

    try:
        with pytest.raises(
            PlotError, match="'squares' are 8x8x1, but those of 'plane' are 16x16x1"
        ):
            ModelDataset(spec, "squares", None, None)
    finally:
        ganzoo.datasets.unregister("squares")
    with pytest.raises(PlotError, match="'plane' does not record its training dataset"):
        ModelDataset(replace(spec, provenance={}), None, None, None)


def test_the_command_line_does_not_import_matplotlib():
    code = """
import sys
from ganzoo.cli import main
main(["list"])
assert not {"matplotlib", "umap", "numpy", "torch"} & set(sys.modules), sorted(sys.modules)
"""
    result = run_new("-c", code)
    assert result.returncode == 0, result.stderr
