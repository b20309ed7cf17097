"""Models with classes: labels choose the class, on both runtimes."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.bundle import open_bundle
from ganzoo.demo.sampling import samples as demo_samples
from ganzoo.errors import ArchitectureError, BundleError, SampleError
from ganzoo.exporters.targets.triton import write_triton
from ganzoo.sampling.shards import sample_to
from ganzoo.spec import Component
from helpers.bundles import change_config
from helpers.processes import run_cli
from helpers.recipes import tiny

RUNTIMES = ["torch", "onnx"]


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """An exported model of ten classes, briefly trained."""
    folder = tmp_path_factory.mktemp("labelled")
    architecture = Component("dcgan", {"latent_dim": 8, "width": 4, "conditioning": "concat"})
    run = ganzoo.train(tiny(architecture=architecture), out=folder / "run", progress=False)
    return ganzoo.export(run.path, folder / "bundle")


def pixels(batch):
    return batch.numpy().astype(int)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_labels_are_numbers_names_or_sequences(labelled, runtime):
    model = ganzoo.load(labelled, runtime=runtime)
    sevens = model.sample(5, seed=3, label=7)
    assert np.array_equal(pixels(sevens), pixels(model.sample(5, seed=3, label="7")))
    assert np.array_equal(pixels(sevens), pixels(model.sample(5, seed=3, label=[7] * 5)))
    mixed = model.sample(5, seed=3, label=[7, 1, 7, "2", 7])
    assert np.array_equal(pixels(mixed)[[0, 2, 4]], pixels(sevens)[[0, 2, 4]])
    assert not np.array_equal(pixels(mixed)[1], pixels(sevens)[1])


@pytest.mark.parametrize(
    "label", [1.5, [1.7, 2], [None, 1], True, object(), b"\1\2", {1, 2}, {1: 0, 2: 0}]
)
def test_invalid_labels_are_refused(labelled, label):
    with pytest.raises(SampleError, match="is not a label. Pass the name or index of a class"):
        ganzoo.load(labelled).sample(2, label=label)


@pytest.mark.parametrize("y", [None, [0.0, 1.9], [0], [[0, 1]]])
def test_labels_other_than_whole_numbers_are_refused(labelled, y):
    with pytest.raises(SampleError, match=r"y of whole numbers, \(n,\)"):
        ganzoo.load(labelled).generate(np.zeros((2, 8), np.float32), y)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_default_labels_cycle_through_the_classes(labelled, runtime):
    model = ganzoo.load(labelled, runtime=runtime)
    expected = model.sample(23, label=[k % 10 for k in range(23)])
    assert np.array_equal(pixels(model.sample(23)), pixels(expected))
    assert np.array_equal(pixels(model.sample(6, start=17)), pixels(expected)[17:])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_class_grid_has_rows_of_classes_and_columns_of_latents(labelled, runtime):
    model = ganzoo.load(labelled, runtime=runtime)
    grid = model.class_grid(4, seed=1)
    assert len(grid) == 40
    assert grid.grid().size == (4 * 18 + 2, 10 * 18 + 2)
    for label in (0, 9):
        row = pixels(grid)[4 * label : 4 * label + 4]
        assert np.array_equal(row, pixels(model.sample(4, seed=1, label=label)))


def test_the_runtimes_agree_on_every_class(labelled):
    a, b = (pixels(ganzoo.load(labelled, runtime=r).class_grid(3)) for r in RUNTIMES)
    assert np.abs(a - b).max() <= 1
    rows = a.reshape(10, -1)
    assert len({row.tobytes() for row in rows}) == 10


def test_interpolation_keeps_the_class(labelled):
    model = ganzoo.load(labelled, runtime="onnx")
    walk = pixels(model.interpolate(1, 2, 5, label=4))
    assert np.array_equal(walk[0], pixels(model.sample(1, seed=1, label=4))[0])
    assert np.array_equal(walk[4], pixels(model.sample(1, seed=2, label=4))[0])


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("label", "message"),
    [
        (10, "no class '10'.*Classes: 0, 1"),
        (-1, "no class '-1'"),
        ("eight", "no class 'eight'.*Classes: 0, 1"),
        ([1, 2], "2 labels were given for 3 images"),
        ([1, 2, 30], "no class '30'"),
    ],
)
def test_unknown_labels_are_refused(labelled, runtime, label, message):
    with pytest.raises(SampleError, match=message):
        ganzoo.load(labelled, runtime=runtime).sample(3, label=label)


def test_latents_without_labels_are_refused(labelled):
    model = ganzoo.load(labelled, runtime="onnx")
    with pytest.raises(SampleError, match="one label per latent"):
        model.generate(np.zeros((2, 8), np.float32))
    with pytest.raises(SampleError, match="no class 12"):
        model.generate(np.zeros((2, 8), np.float32), np.array([1, 12]))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_model_without_classes_refuses_labels(tiny_bundle, runtime):
    model = ganzoo.load(tiny_bundle, runtime=runtime)
    with pytest.raises(SampleError, match="has no classes"):
        model.sample(2, label=1)
    with pytest.raises(SampleError, match="has no classes"):
        model.class_grid()


def test_the_preview_is_the_class_grid(labelled):
    picture = np.asarray(Image.open(labelled / "samples.png")).astype(int)
    assert (
        np.abs(picture - np.asarray(ganzoo.load(labelled).class_grid().grid(scale=None))).max() <= 1
    )
    assert "One row per class" in (labelled / "README.md").read_text()


def test_the_command_line_accepts_a_label(labelled, tmp_path):
    out = tmp_path / "sevens.png"
    done = run_cli("sample", labelled, "-n", "4", "--label", "7", "-o", out)
    assert done.returncode == 0, done.stderr
    expected = np.asarray(ganzoo.load(labelled).sample(4, label=7).grid(scale=None))
    assert np.array_equal(np.asarray(Image.open(out)), expected)
    result = run_cli("sample", labelled, "--label", "11", "-o", out)
    assert result.returncode == 1
    assert "has no class '11'" in result.stderr


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_config_with_wrong_inputs_is_refused(labelled, tmp_path, runtime):
    import shutil

    folder = shutil.copytree(labelled, tmp_path / "b")
    change_config(folder, lambda c: c.update(inputs=["z"]))
    with pytest.raises(BundleError):
        ganzoo.load(folder, runtime=runtime)
    change_config(folder, lambda c: c.update(inputs=["z", "y", "y"]))
    with pytest.raises(BundleError, match="they must be z, z and"):
        ganzoo.load(folder, runtime=runtime)


def folder_of_classes(root, *names):
    for name in names:
        for k in range(3):
            path = root / name / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.effect_noise((20, 20), 50 + k).save(path)
    return root


@pytest.mark.parametrize("classes", [[""], ["only"]])
def test_conditioning_needs_two_classes(tmp_path, classes):
    data = folder_of_classes(tmp_path / "data", *classes)
    architecture = Component("dcgan", {"width": 4, "conditioning": "projection"})
    recipe = tiny(architecture=architecture, dataset=Component("folder", {"size": 16}))
    with pytest.raises(ArchitectureError, match="needs two classes or more"):
        ganzoo.train(recipe, data=data, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_folder_classes_are_chosen_by_name(tmp_path):
    data = folder_of_classes(tmp_path / "data", "cats", "dogs")
    architecture = Component("mlp", {"width": 4, "conditioning": "concat"})
    recipe = tiny(architecture=architecture, dataset=Component("folder", {"size": 16}))
    run = ganzoo.train(recipe, data=data, out=tmp_path / "run", progress=False)
    model = ganzoo.load(run.bundle)
    assert np.array_equal(pixels(model.sample(2, label="dogs")), pixels(model.sample(2, label=1)))
    with pytest.raises(SampleError, match="Did you mean 'cats'"):
        model.sample(label="cat")


def test_the_torch_model_accepts_label_tensors(labelled):
    model = ganzoo.load(labelled, runtime="torch")
    with torch.no_grad():
        images = model(torch.randn(3, 8), torch.tensor([1, 2, 3]))
    assert images.shape == (3, 1, 16, 16)


@pytest.fixture(scope="module")
def numbered(labelled, tmp_path_factory):
    """A model whose classes are named 1, 2, 5 and so on, not by their indices."""
    bundle = shutil.copytree(labelled, tmp_path_factory.mktemp("numbered") / "bundle")
    names = ["1", "2", "5", "10", "11", "12", "13", "14", "15", "16"]

    def rename(config):
        config["data"]["labels"] = names

    change_config(bundle, rename)
    return bundle, names


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_where_all_names_are_numbers_a_number_is_a_name(numbered, runtime):
    bundle, names = numbered
    model = ganzoo.load(bundle, runtime=runtime)
    by_index = [model.decode(z := latents(3), np.full(len(z), k)) for k in range(10)]
    for k, name in enumerate(names):
        for label in (name, int(name), np.int64(name), [name] * 3):
            assert np.array_equal(model.sample(3, label=label).numpy(), by_index[k].numpy())
    for label in ("0", 0, "3", 3, 9, "9", [1, 0, 2]):
        with pytest.raises(SampleError, match="has no class '[039]'.*Classes: 1, 2, 5, 10"):
            model.sample(3, label=label)
        with pytest.raises(SampleError, match="has no class"):
            model.interpolate(0, 1, label=label if isinstance(label, str | int) else "0")
    assert len(model.class_grid(2)) == 20
    assert np.array_equal(
        model.interpolate(0, 1, 3).numpy(), model.interpolate(0, 1, 3, label="1").numpy()
    )


def latents(n):
    return ganzoo.latents.normal(0, n, 8)


def test_targets_and_shards_name_the_classes(numbered, tmp_path):
    bundle, names = numbered
    sample_to(ganzoo.load(bundle), tmp_path / "shards", 3, label="5")
    index = json.loads((tmp_path / "shards" / "index.json").read_text())
    assert (index["label"], index["classes"]) == (2, names)
    (version,) = write_triton(open_bundle(bundle), tmp_path / "triton")
    config = (version.parent / "config.pbtxt").read_text()
    assert "# y 2 is the class '5'\n" in config
    with pytest.raises(SampleError, match="has no class '0'"):
        demo_samples(ganzoo.load(bundle), 0, 3, "0")
    assert len(demo_samples(ganzoo.load(bundle), 0, 3, "5")) == 3


def test_the_command_line_refuses_what_is_no_name(numbered, tmp_path):
    bundle, _ = numbered
    output = tmp_path / "a.png"
    done = run_cli("sample", bundle, "-n", "2", "--label", "0", "-o", output)
    assert done.returncode == 1
    assert "has no class '0'. Did you mean '10'? Classes: 1, 2, 5" in done.stderr
    assert run_cli("sample", bundle, "-n", "2", "--label", "5", "-o", output).returncode == 0
