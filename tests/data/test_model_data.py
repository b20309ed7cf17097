"""What a model is compared with: the images of its training, whatever GANZOO_DATA says."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.bundle.summary import ModelSummary
from ganzoo.cli import main
from ganzoo.cli.plotting.datasets import ModelDataset
from ganzoo.data.run_data import RunData
from ganzoo.errors import CheckpointError, DataError, DataNotFoundError
from ganzoo.spec import Component
from helpers.recipes import tiny

QUICK = {"samples": 20, "extractor": "pixels", "metrics": ["kernel"], "progress": False}
KIND = "which are not the training images"


def draw(folder, n, seed):
    rng = np.random.default_rng(seed)
    for k in range(n):
        path = folder / str(k * 3 // n) / f"{k:03d}.png"  # sorted by class
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(80 * (k * 3 // n), 80 * (k * 3 // n) + 80, (16, 16))
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    return folder


def recipe(**changes):
    folder = Component("folder", {"size": 16, "channels": 1})
    return tiny(dataset=folder, images=32, **changes)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A run, the folder of its images, and a folder of others."""
    root = tmp_path_factory.mktemp("data")
    own, other = draw(root / "shapes", 30, 0), draw(root / "other", 60, 1)
    architecture = Component("mlp-autoencoder", {"latent_dim": 2, "width": 8})
    run = ganzoo.train(
        recipe(architecture=architecture, loss=Component("vae")),
        data=own,
        out=root / "run",
        progress=False,
    )
    return run.path, own, other


@pytest.fixture
def elsewhere(places, tmp_path, monkeypatch):
    """The places, with a copy of the run, in an empty folder where GANZOO_DATA names others."""
    run, own, other = places
    monkeypatch.setenv("GANZOO_DATA", str(other))
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(run, tmp_path / "run"), own, other


@pytest.mark.parametrize("part", ["", "bundle"])
def test_a_run_is_measured_on_its_own_folder(elsewhere, part):
    run, _, _ = elsewhere
    protocol = ganzoo.evaluate(run / part, **QUICK).protocol
    assert (protocol["real_images"], protocol["training_images"]) == (30, True)
    rows = ganzoo.compare([run / part, run / part], **QUICK)
    assert [row.evaluation.protocol["real_images"] for row in rows] == [30, 30]


def test_plots_of_a_run_read_its_own_folder(elsewhere, capsys):
    run, _, _ = elsewhere
    for kind in ("neighbours", "latent-map", "reconstructions"):
        assert main(["plot", kind, str(run / "bundle")]) == 0, capsys.readouterr().err
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "neighbours.png: 10 samples and their nearest of 30 training images"
    assert "30 random images of 30 image files in the folder 'shapes'" in lines[1]
    assert "10 random images" in lines[2]
    assert KIND not in "".join(lines)


def test_a_bundle_outside_its_run_refuses_other_images(elsewhere, tmp_path, capsys):
    run, own, other = elsewhere
    bundle = shutil.copytree(run / "bundle", tmp_path / "alone")
    expected = (
        "'tiny' was trained on 30 images of 30 image files in the folder 'shapes', but no data "
        f"folder was given and GANZOO_DATA points to 60 others, in {other}. Pass --data DIR, or "
        f"--data {other} to use the other images."
    )
    for call in (
        lambda: ganzoo.evaluate(bundle, **QUICK),
        lambda: ganzoo.evaluate(bundle, dataset="folder", **QUICK),
        lambda: ganzoo.compare([bundle, bundle], **QUICK),
    ):
        with pytest.raises(DataError) as error:
            call()
        assert str(error.value) == expected
    for kind in ("neighbours", "umap", "latent-map", "reconstructions"):
        assert main(["plot", kind, str(bundle)]) == 1
        assert expected in capsys.readouterr().err
    assert ganzoo.evaluate(bundle, data=own, **QUICK).protocol["training_images"]


def test_other_images_of_the_same_number_are_noticed(elsewhere, tmp_path):
    run, _, _ = elsewhere
    bundle = shutil.copytree(run / "bundle", tmp_path / "alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_DATA", str(draw(tmp_path / "same-number", 30, 2)))
        with pytest.raises(DataError, match="points to 30 others"):
            ganzoo.evaluate(bundle, **QUICK)


def test_another_part_of_data_that_moved_is_not_read_elsewhere(places, tmp_path, monkeypatch):
    """Whether other arguments give the data of the run cannot be checked by a fingerprint."""
    run, own, other = places
    monkeypatch.setenv("GANZOO_DATA", str(other))
    run = shutil.copytree(run, tmp_path / "run")
    fields = json.loads((run / "run.json").read_text()) | {"folder": str(tmp_path / "gone")}
    (run / "run.json").write_text(json.dumps(fields))
    part = Component("folder", {"size": 16, "channels": 1, "labels": "none"})
    with pytest.raises(DataNotFoundError, match="gone, which is no folder any more"):
        ganzoo.evaluate(run, dataset=part, **QUICK)
    assert ganzoo.evaluate(run, dataset=part, data=own, **QUICK).protocol["real_images"] == 30


def test_a_dataset_with_its_distribution_has_the_arguments_of_the_training(elsewhere):
    run, _, _ = elsewhere
    protocol = ganzoo.evaluate(run, dataset="torch-ganzoo:folder", **QUICK).protocol
    assert (protocol["real_images"], protocol["dataset"]["size"]) == (30, 16)
    spec = ganzoo.info(run / "bundle")
    opened = ModelDataset(spec, "torch-ganzoo:folder", None, None, f"{run}/bundle")
    assert opened.spec.image.channels == 1


def test_a_distance_to_other_images_is_not_that_of_the_model(elsewhere):
    run, _, _ = elsewhere
    bundle = ganzoo.zoo.find(run / "bundle")
    protocol = {"extractor": "pixels", "sha256": "0" * 64, "samples": 10}
    trained = bundle.spec.provenance["data"]["sha256"]
    evaluations = [
        {"metrics": {"frechet_distance": value}, "protocol": protocol | changes}
        for value, changes in (
            (5.0, {"sha256": trained, "samples": 99}),
            (6.0, {"training_images": True}),
            (7.0, {"training_images": False}),
            (8.0, {}),
        )
    ]
    spec = replace(bundle.spec, provenance=bundle.spec.provenance | {"metrics": evaluations})
    assert ModelSummary(spec, 0, 0).distances == {"pixels": 5.0}


def test_a_changed_folder_is_refused(elsewhere, tmp_path):
    run, _, _ = elsewhere
    moved = draw(tmp_path / "moved", 30, 0)
    RunData(str(moved), 30, RunData.read(run).sha256, "").write(run)
    assert ganzoo.evaluate(run, **QUICK).protocol["training_images"]
    draw(moved, 30, 5)
    with pytest.raises(DataError, match=f"in {moved}, but the folder now contains 30 others"):
        ganzoo.evaluate(run, **QUICK)


def test_a_card_says_which_images_a_figure_compares_with(elsewhere, capsys):
    run, _, other = elsewhere
    bundle = ganzoo.export(run)
    ganzoo.evaluate(run, data=other, **QUICK)
    ganzoo.evaluate(run, **QUICK)
    card = (bundle / "README.md").read_text()
    training, others = card.index("against 30 images"), card.index("against 60 images")
    assert training < others  # the older one is of other images
    assert card.index("), the training images") < others < card.index(f"), {KIND}")
    header = card.partition("\n---\n")[0]
    assert "30 image files in the folder 'shapes'" in header
    assert "60 image files in the folder 'other'" in header
    assert header.count("not the training images") == 1
    assert main(["plot", "neighbours", str(bundle), "--data", str(other)]) == 0
    text = capsys.readouterr().out
    assert f"nearest of 60 images of 60 image files in the folder 'other', {KIND}" in text


def test_a_run_without_a_checkpoint_starts_again_on_its_own_folder(elsewhere):
    run, _, other = elsewhere
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(CheckpointError, match=f"the data in {other} differs"):
        ganzoo.resume(run, data=other, progress=False)
    resumed = ganzoo.resume(run, progress=False)
    assert ganzoo.info(resumed.bundle).provenance["data"]["images"] == 30
    shutil.rmtree(run / "checkpoints")
    text = (run / "recipe.toml").read_text()
    (run / "recipe.toml").write_text(text.replace("seed = 0", "seed = 8"))
    with pytest.raises(CheckpointError, match="has changed since the run began"):
        ganzoo.resume(run, progress=False)


@pytest.mark.parametrize("text", ["{", "[]", '{"folder": 1}', "[" * 100_000])
def test_a_damaged_file_of_the_data_is_warned_of(elsewhere, text):
    run, own, _ = elsewhere
    (run / "run.json").write_text(text)
    with (
        pytest.warns(UserWarning, match=r"run\.json.*pass it with --data DIR"),
        pytest.raises(DataError, match="points to 60 others"),
    ):
        ganzoo.evaluate(run, **QUICK)
    with pytest.warns(UserWarning, match=r"run\.json"):
        assert ganzoo.resume(run, data=own, progress=False).finished
    assert json.loads((run / "run.json").read_text())["folder"] == str(own)


def test_images_are_drawn_from_the_whole_of_a_sorted_dataset(elsewhere):
    run, own, _ = elsewhere
    dataset = ModelDataset(ganzoo.info(run / "bundle"), None, None, own)
    images = dataset.draw(9, 5)
    assert set(images.labels.tolist()) == {0, 1, 2}
    assert np.array_equal(images.images.numpy(), dataset.draw(9, 5).images.numpy())
    assert len(dataset.draw(None, 5_000).images) == 30
    real, held_out = dataset.draw_sets(None, 2_000, 2)
    assert len(real.images) == len(held_out.images) == 15
    both = {image.tobytes() for part in (real, held_out) for image in part.images.numpy()}
    assert len(both) == 30
    assert set(real.labels.tolist()) == set(held_out.labels.tolist()) == {0, 1, 2}
    with pytest.raises(DataError, match="cannot draw 2 x 16 images.*has 30.*-n 1 to 15"):
        dataset.draw_sets(16, 2_000, 2)
    classes = dataset.of_classes("0", "2").labels.tolist()
    assert classes == [0, 2]


def test_previews_are_drawn_from_the_whole_of_a_sorted_dataset(places):
    _, own, _ = places
    batch = ganzoo.training.prepare(recipe(), data=own).batches.draw(9)
    assert set(batch.labels.tolist()) == {0, 1, 2}
