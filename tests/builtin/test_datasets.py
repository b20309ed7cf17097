import gzip
import os
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.datasets import digits
from ganzoo.data import find_root
from ganzoo.data.fingerprints import fingerprint_stream
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.data.workers import ReadAhead
from ganzoo.errors import DataError, DataNotFoundError, RecipeError
from ganzoo.registry.signatures import bind
from ganzoo.sampling.image_depth import NarrowRangeWarning
from ganzoo.sampling.image_files import CropWarning
from ganzoo.spec import Component
from helpers.datasets import CPU, fake_celeba, fake_mnist, fake_tinyhero, get, pictures
from helpers.images import with_damaged_tag
from helpers.processes import run_cli
from helpers.recipes import tiny

REAL_DATA = Path(os.environ.get("GANZOO_DATA", "."))


def listing(folder):
    return sorted((p, p.stat().st_mtime_ns) for p in folder.rglob("*"))


@pytest.mark.parametrize("size", [8, 16, 28])
def test_digits_need_no_files(size):
    dataset, spec = get("digits", size=size)
    images, labels = dataset.tensors
    assert images.dtype == torch.uint8
    assert images.shape == (1797, *spec.image.shape) == (1797, 1, size, size)
    assert spec.classes == len(set(labels.tolist())) == 10
    assert images.min() == 0
    assert images.max() == 255


def test_digits_equal_scikit_learns(monkeypatch):
    raw = load_digits()
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "sklearn.datasets", None)  # no import finds it
        read = get("digits", size=8)[0].tensors
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    imported = get("digits", size=8)[0].tensors
    for images, labels in (read, imported):
        assert np.array_equal(images[:, 0].numpy(), np.rint(raw.images * 255 / 16))
        assert np.array_equal(labels.numpy(), raw.target)


def test_digits_refuses_a_size():
    with pytest.raises(DataError, match="8 to 256"):
        get("digits", size=4)


def test_mnist_is_read_without_changing_its_folder(tmp_path):
    root = fake_mnist(tmp_path)
    before = listing(root)
    dataset, spec = get("mnist", root)
    image, label = dataset[3]
    assert image.shape == spec.image.shape == (1, 28, 28)
    assert spec.hub == "ylecun/mnist"
    assert label in range(10)
    ganzoo.train(
        tiny(dataset=Component("mnist")), data=root, out=tmp_path.parent / "run", progress=False
    )
    assert listing(root) == before


def test_damaged_mnist_is_a_data_error(tmp_path):
    path = fake_mnist(tmp_path) / "MNIST/raw/train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="cannot read MNIST in"):
        get("mnist", tmp_path)


@pytest.mark.skipif(
    not (REAL_DATA / "FashionMNIST").is_dir(), reason="GANZOO_DATA names no FashionMNIST"
)
def test_real_fashion_mnist():
    dataset, spec = get("fashion-mnist", REAL_DATA, split="test")
    assert dataset.tensors[0].shape == (10_000, 1, 28, 28)
    assert spec.labels[9] == "ankle boot"


def test_celeba_is_read_in_torchvisions_layout(tmp_path, monkeypatch):
    root = fake_celeba(tmp_path, monkeypatch)
    dataset, spec = get("celeba", root, size=32)
    assert len(dataset) == 2
    image, _ = dataset[1]
    assert image.dtype == torch.uint8
    assert image.shape == spec.image.shape == (3, 32, 32)
    assert len(get("celeba", root, split="all")[0]) == 4
    assert "skip_corrupt" not in bind("dataset", "celeba", ganzoo.datasets.get("celeba"), {})
    (root / "celeba/img_align_celeba/000003.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"000003\.jpg.*--dataset\.skip-corrupt"):
        dataset[1]
    with pytest.warns(UserWarning, match=r"000003\.jpg"):
        image, _ = get("celeba", root, size=32, split="all", skip_corrupt=True)[0][2]
    assert torch.equal(image, get("celeba", root, size=32, split="all")[0][3][0])
    flipped, spec = get("celeba", root, size="48x32", split="all", fit="pad", flip=True)
    assert len(flipped) == 8
    assert spec.image.shape == (3, 48, 32)
    assert torch.equal(flipped[4][0], flipped[0][0].flip(2))


def test_mnist_of_another_type_is_damaged(tmp_path):
    """torchvision raises a TypeError for 16-bit integers."""
    path = fake_mnist(tmp_path) / "MNIST/raw/train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[2] = 11
    path.write_bytes(content + content[16:])
    with pytest.raises(DataError, match="cannot read MNIST in"):
        get("mnist", tmp_path)


def test_missing_celeba_says_what_to_do(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"--data DIR or GANZOO_DATA=DIR.*--dataset folder"):
        get("celeba", tmp_path)
    with pytest.raises(DataError, match="8 to 256"):
        get("celeba", tmp_path, size=4)


def test_tinyhero_labels_are_viewing_directions(tmp_path):
    dataset, spec = get("tinyhero", fake_tinyhero(tmp_path))
    assert spec.image.shape == (3, 32, 32)
    assert spec.labels == ("back", "left", "front", "right")
    assert [int(label) for _, label in dataset] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert spec.license == "cc-by-sa-3.0"
    assert spec.extractor == "pixels"
    assert get("tinyhero", tmp_path, size=64)[1].extractor == ""  # more pixels than images
    (tmp_path / "tinyhero/3").rename(tmp_path / "tinyhero/4")
    for root in (tmp_path, None):
        with pytest.raises(DataNotFoundError, match=r"git clone .* and pass --data DIR"):
            get("tinyhero", root)


def test_tinyhero_has_four_sides(tmp_path):
    pictures(fake_tinyhero(tmp_path) / "tinyhero", ["left/5.png"])
    with pytest.raises(DataNotFoundError, match="the four folders 0, 1, 2 and 3"):
        get("tinyhero", tmp_path)


def test_iterating_over_a_dataset_ends(tmp_path):
    dataset, _ = get("folder", pictures(tmp_path, ["1.png", "2.png"]), size=8)
    with pytest.raises(IndexError):
        dataset[2]


def test_folder_skips_other_files(tmp_path):
    pictures(tmp_path, ["1.png"])
    (tmp_path / "paper.pdf").write_bytes(b"%PDF")
    (tmp_path / "figure.eps").write_bytes(b"%!PS")
    (tmp_path / "folder.png").mkdir()
    assert len(get("folder", tmp_path)[0]) == 1


def linked_classes(root):
    """Three classes of 8 images; two of the folders are links to elsewhere."""
    for name in ("cat", "dog", "owl"):
        home = root / ("data" if name == "owl" else "elsewhere")
        pictures(home / name, [f"{k}.png" for k in range(8)])
    for name in ("cat", "dog"):
        (root / "data" / name).symlink_to(root / "elsewhere" / name)
    return root / "data"


def test_class_folders_that_are_links_are_followed(tmp_path):
    dataset, spec = get("folder", linked_classes(tmp_path), size=8)
    assert len(dataset) == 24
    assert spec.labels == ("cat", "dog", "owl")
    assert [int(label) for _, label in dataset] == [k // 8 for k in range(24)]
    assert dataset.file_counts == "24 image files in 3 classes; skipped: none"


def test_links_that_lead_back_end(tmp_path):
    """To the folder itself, to its parent, to a folder above a linked one, and to each other."""
    root = linked_classes(tmp_path)
    (root / "loop").symlink_to(root)
    (root / "cat" / "up").symlink_to(tmp_path)
    (root / "owl" / "up").symlink_to("..")
    (root / "owl" / "gone.png").symlink_to("nowhere")
    dataset, spec = get("folder", root, size=8)
    assert len(dataset) == 24
    assert spec.labels == ("cat", "dog", "owl")
    assert "link to a folder that contains it (3)" in dataset.file_counts
    assert "broken link (1)" in dataset.file_counts


def test_flipped_images_follow_after_all_images(tmp_path):
    root = pictures(tmp_path, [*(f"{c}/{k}.png" for c in "ab" for k in range(2))], size=(8, 8))
    plain, spec = get("folder", root, size=8)
    flipped, both = get("folder", root, size=8, flip=True)
    assert (len(plain), len(flipped)) == (4, 8)
    for k, (image, label) in enumerate(plain):
        assert torch.equal(flipped[k][0], image)
        assert torch.equal(flipped[k + 4][0], image.flip(2))
        assert flipped[k][1] == flipped[k + 4][1] == label
    assert fingerprint_stream(plain, spec) != fingerprint_stream(flipped, both)
    assert both.origin == f"{spec.origin}, each also flipped"
    assert flipped.file_counts == "4 image files in 2 classes, each also flipped; skipped: none"


def test_a_flipped_corrupt_image_gives_way_to_the_next(tmp_path):
    root = pictures(tmp_path, [f"{k}.png" for k in range(3)], size=(8, 8))
    (root / "2.png").write_text("no image")
    dataset, _ = get("folder", root, size=8, flip=True, skip_corrupt=True)
    with pytest.warns(UserWarning, match=r"2\.png.*The next image replaces it"):
        assert torch.equal(dataset[2][0], dataset[0][0].flip(2))


def test_each_corrupt_image_is_warned_of_once_and_counted(tmp_path):
    """The first and the last item are read for the fingerprint, too."""
    root = pictures(tmp_path, [f"{k}.png" for k in range(5)], size=(8, 8))
    for bad in ("0.png", "1.png", "4.png"):
        (root / bad).write_text("no image")
    data = get("folder", root, size=8, flip=True, skip_corrupt=True)
    for kind, options in ((MemoryBatches, {}), (StreamedBatches, {"workers": 0})):
        with warnings.catch_warnings(record=True, action="always") as record:
            batches = kind(*data, 10, 0, CPU, **options)
            next(batches)
            batches.draw(10)
        texts = [str(w.message) for w in record]
        assert len(texts) == 3
        assert all(sum(f"{bad}.png" in text for text in texts) == 1 for bad in (0, 1, 4))
        assert batches.image_counts == {"unreadable": 3}


@pytest.mark.parametrize("fit", ["crop", "random-crop", "pad", "stretch"])
def test_rectangles_are_equal_from_memory_and_streamed(tmp_path, fit):
    root = pictures(tmp_path, [f"{k}.png" for k in range(4)])
    data = get("folder", root, size="8x12", fit=fit, flip=True)
    assert data[1].image == ImageSpec(8, 12, 3)
    memory = MemoryBatches(*data, 8, 0, CPU)
    streamed = StreamedBatches(*data, 8, 0, CPU, workers=0)
    assert memory.fitting == f"{fit} to 8x12 (height x width)" + " with white" * (fit == "pad")
    for _ in range(2):
        assert torch.equal(next(memory).images, next(streamed).images)


def test_a_random_crop_follows_the_name_in_the_folder(tmp_path):
    """Another location, or another order, gives the same crops; another name gives another."""
    names = [f"{k}.png" for k in range(4)]
    roots = [pictures(tmp_path / part, names, size=(60, 40)) for part in ("x", "y/z")]
    crops = [get("folder", root, size=8, fit="random-crop")[0] for root in roots]
    for k in range(4):
        assert torch.equal(crops[0][k][0], crops[1][k][0])
    centre = get("folder", roots[0], size=8)[0]
    assert any(not torch.equal(crops[0][k][0], centre[k][0]) for k in range(4))
    (roots[1] / "3.png").rename(roots[1] / "4.png")
    assert not torch.equal(
        get("folder", roots[1], size=8, fit="random-crop")[0][3][0], crops[0][3][0]
    )


def test_recipes_hold_only_fits_that_differ_from_the_default():
    bound = bind("dataset", "folder", ganzoo.datasets.get("folder"), {"size": 64, "flip": True})
    assert bound["size"] == 64
    assert bound["flip"] is True
    assert not {"fit", "background"} & bound.keys()
    assert bind("dataset", "folder", ganzoo.datasets.get("folder"), {"size": "48x64"})["size"] == (
        "48x64"
    )
    for wrong in ({"size": True}, {"size": 64.0}, {"size": [48, 64]}, {"fit": "squeeze"}):
        with pytest.raises(RecipeError):
            bind("dataset", "folder", ganzoo.datasets.get("folder"), wrong)


def test_a_link_to_the_data_is_followed(tmp_path):
    root = linked_classes(tmp_path)
    (tmp_path / "link").symlink_to(root)
    dataset, spec = get("folder", tmp_path / "link", size=8)
    assert (len(dataset), spec.classes) == (24, 3)


def test_images_that_links_repeat_are_counted(tmp_path):
    """Links to a file and to a folder of the same root; a link to elsewhere repeats nothing."""
    root = pictures(tmp_path / "data", [f"{c}/{k}.png" for c in "ab" for k in range(3)])
    elsewhere = pictures(tmp_path / "elsewhere", ["0.png", "1.png"])
    (root / "a" / "far.png").symlink_to(elsewhere / "0.png")
    dataset, _ = get("folder", root, size=8)
    assert dataset.file_counts == "7 image files in 2 classes; skipped: none"
    (root / "a" / "near.png").symlink_to("0.png")
    (root / "b" / "far.png").symlink_to(elsewhere / "0.png")
    (root / "c").symlink_to("b")
    dataset, _ = get("folder", root, size=8)
    assert dataset.file_counts == "13 image files in 3 classes; repeated by links: 6; skipped: none"
    assert len(dataset) == 13


def wide(root, n=5):
    """Images of which two lose half of their pixels to a square crop."""
    pictures(root, [f"{k}.png" for k in range(n - 2)])
    return pictures(root, [f"wide-{k}.png" for k in range(2)], size=(40, 20))


@pytest.mark.parametrize("flip", [False, True])
def test_images_that_a_crop_halves_are_counted_once(tmp_path, flip):
    data = get("folder", wide(tmp_path), size=8, flip=flip)
    with pytest.warns(CropWarning) as record:
        MemoryBatches(*data, 4, 0, CPU)
    (warning,) = record
    assert re.fullmatch(
        r"2 of 5 images have this warning: the image .*wide-0\.png has 20x40 pixels \(height x width\), and loses half "
        r"of them or more to the centre crop to 8x8\. .*",
        str(warning.message),
    )


@pytest.mark.parametrize("workers", [0, 1])
def test_a_stream_warns_of_one_image_that_its_crop_halves(tmp_path, workers):
    stream = StreamedBatches(*get("folder", wide(tmp_path), size=8), 5, 0, CPU, workers=workers)
    with pytest.warns(CropWarning, match=r"^the image .*wide-") as record:
        batches = [*(next(stream) for _ in range(3)), stream.draw(5)]
    assert len(record) == 1
    counts = {"cropped by half or more": 2, "cropped by a tenth to half": 3}
    assert stream.image_counts == counts, "each file once in three epochs"
    assert all(len(batch) == 5 for batch in batches)


def test_a_training_says_how_many_images_its_crop_halves(tmp_path):
    recipe = tiny(dataset=Component("folder", {"size": 16}), images=16)
    recipe_file = tmp_path / "recipe.toml"
    recipe_file.write_text(recipe.to_toml())
    run = tmp_path / "run"
    result = run_cli("train", recipe_file, "--data", wide(tmp_path / "data"), "--out", run)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("2 of 5 images have this warning: ") == 1
    assert result.stderr.count("centre crop") == 1


def test_a_stray_image_does_not_remove_the_classes(tmp_path):
    root = pictures(tmp_path, [*(f"{c}/{k}.png" for c in "ab" for k in range(3)), "stray.png"])
    dataset, spec = get("folder", root, size=8)
    assert (len(dataset), spec.labels) == (6, ("a", "b"))
    assert dataset.file_counts.endswith("skipped: beside the class folders (1)")
    assert "--dataset.labels none" in dataset.advice
    everything, spec = get("folder", root, size=8, labels="none")
    assert (len(everything), spec.classes, everything.advice) == (7, 0, "")
    pictures(root, [f"{k}.png" for k in range(9)])
    dataset, spec = get("folder", root, size=8)
    assert (len(dataset), spec.classes) == (16, 0)
    dataset, spec = get("folder", root, size=8, labels="folders")
    assert (len(dataset), spec.classes) == (6, 2)
    with pytest.raises(DataError, match="contain no image files"):
        get("folder", pictures(tmp_path / "flat", ["1.png"]), labels="folders")


def test_what_is_skipped_is_counted_with_its_reason(tmp_path):
    root = pictures(tmp_path, ["a/1.png", "b/2.png", ".thumbs/1.png", "a/.3.png"])
    for name in ("a/notes.txt", "b/more.TXT", "README"):
        (root / name).write_text("no picture")
    (root / "empty").mkdir()
    counts = get("folder", root, size=8)[0].file_counts
    assert counts.startswith("2 image files in 2 classes; skipped: ")
    parts = counts.partition("skipped: ")[2].split(", ")
    assert sorted(parts) == [
        "folder without image files (1)",
        "hidden (2)",
        "no extension (1)",
        "type .txt (2)",
    ]


@pytest.mark.skipif(os.getuid() == 0, reason="the superuser reads every folder")
def test_a_folder_that_may_not_be_read_is_named(tmp_path):
    root = pictures(tmp_path, ["a/1.png"])
    (root / "a").chmod(0)
    try:
        with pytest.raises(DataError, match=r"cannot read the folder .*a: Permission denied"):
            get("folder", root)
    finally:
        (root / "a").chmod(0o755)


def test_a_training_and_an_evaluation_say_what_they_count(tmp_path, capfd):
    root = pictures(tmp_path / "data", [f"{c}/{k}.png" for c in "ab" for k in range(10)])
    (root / "a" / "notes.txt").touch()
    line = "20 image files in 2 classes; skipped: type .txt (1)"
    recipe = tiny(dataset=Component("folder", {"size": 16}))
    run = ganzoo.train(recipe, data=root, out=tmp_path / "run", monitors="off", tensorboard="off")
    assert capfd.readouterr().err.count(line) == 1
    options = {"data": root, "samples": 8, "metrics": ["precision-recall"], "extractor": "pixels"}
    ganzoo.evaluate(run.bundle, **options)
    assert capfd.readouterr().err.count(f"data: {line}\n") == 1
    ganzoo.evaluate(run.bundle, **options, progress=False)
    assert line not in capfd.readouterr().err


def float_images(root, n=6):
    """Grey TIFFs of floats from 0 to 1."""
    root.mkdir(parents=True)
    for k in range(n):
        pixels = np.random.default_rng(k).random((20, 20), np.float32)
        Image.fromarray(pixels).save(root / f"{k}.tif")
    return root


def test_a_stated_range_applies_to_the_whole_folder(tmp_path):
    root = float_images(tmp_path / "data")
    with pytest.raises(DataError, match=r"0\.tif holds float values .* --dataset\.value-range"):
        get("folder", root)[0][0]
    dataset, _ = get("folder", root, size=20, channels=1, value_range=(0.0, 1.0))
    for k in range(len(dataset)):
        exact = 255 * np.random.default_rng(k).random((20, 20), np.float32)
        assert np.abs(dataset[k][0][0].numpy() - exact).max() <= 0.5 + 1e-3
    values = {"size": 16, "value_range": [0, 1]}  # as in a recipe
    recipe = tiny(dataset=Component("folder", values))
    assert ganzoo.train(recipe, data=root, out=tmp_path / "run", progress=False).finished


def test_a_narrow_range_is_warned_of_once(tmp_path):
    for k in range(6):
        pixels = np.random.default_rng(k).integers(0, 4096, (20, 20), np.uint16)
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
    for workers in (0, 1):
        stream = StreamedBatches(*get("folder", tmp_path, size=8), 6, 0, CPU, workers=workers)
        with pytest.warns(NarrowRangeWarning) as record:
            next(stream)
        assert len(record) == 1


def test_a_damaged_tag_ends_no_training(tmp_path):
    root = pictures(tmp_path / "data", [f"{k}.jpg" for k in range(5)])
    with_damaged_tag(root / "5.jpg")
    recipe = tiny(dataset=Component("folder", {"size": 16}))
    assert ganzoo.train(recipe, data=root, out=tmp_path / "run", progress=False).finished


class Odd(torch.utils.data.Dataset):
    """A dataset whose item 3 raises what nobody expects, or has another size."""

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 6

    def __getitem__(self, index):
        if index == 3 and self.error:
            raise self.error
        side = 9 if index == 3 else 8
        return torch.zeros(1, side, side, dtype=torch.uint8), torch.tensor(0)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ZeroDivisionError("x"), "the item 3 of the dataset: ZeroDivisionError"),
        (None, "cannot join"),
    ],
)
def test_whatever_an_item_raises_becomes_an_error_of_the_data(error, message, workers):
    spec = DataSpec(ImageSpec(8, 8, 1))
    with pytest.raises(DataError, match=message):
        MemoryBatches(Odd(error), spec, 6, 0, CPU)
    places = range(6)
    with pytest.raises(DataError, match=message):
        next(ReadAhead(Odd(error), spec, [(places, places)], workers=workers))


def test_a_batch_that_no_memory_holds_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"a batch of 1,000,000,000,000 images takes .* GiB"):
        ganzoo.train(tiny(batch_size=10**12), out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_missing_mnist_says_how_to_get_it(tmp_path):
    for root in (tmp_path, tmp_path / "absent", None):
        with pytest.raises(DataNotFoundError, match=r"--data DIR or GANZOO_DATA=DIR"):
            get("mnist", root)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not (REAL_DATA / "MNIST").is_dir(), reason="GANZOO_DATA names no MNIST")
def test_real_mnist():
    for split, n in (("train", 60_000), ("test", 10_000)):
        images, labels = get("mnist", REAL_DATA, split=split)[0].tensors
        assert images.shape == (n, 1, 28, 28)
        assert torch.bincount(labels).min() > n // 12


def test_folder_crops_the_middle_and_names_classes(tmp_path):
    root = pictures(tmp_path, ["b/1.png", "a/x/2.jpg", "a/3.png", "b/.hidden.png"])
    (root / "b" / "notes.txt").write_text("no picture")
    dataset, spec = get("folder", root, size=16)
    assert [dataset[k][1].item() for k in range(len(dataset))] == [0, 0, 1]
    assert spec.labels == ("a", "b")
    image, _ = dataset[0]
    assert image.dtype == torch.uint8
    assert image.shape == spec.image.shape == (3, 16, 16)
    with Image.open(root / "b/1.png") as picture:
        middle = picture.resize((16, 16), Image.Resampling.LANCZOS, box=(5, 0, 35, 30))
    assert np.array_equal(np.asarray(middle).transpose(2, 0, 1), dataset[2][0].numpy())


def test_items_do_not_depend_on_the_default_device(tmp_path):
    dataset, _ = get("folder", pictures(tmp_path, ["a/1.png", "b/1.png"]), size=8)
    with torch.device("meta"):
        image, label = dataset[1]
    assert (image.device.type, label.device.type, int(label)) == ("cpu", "cpu", 1)


def test_folders_of_stylegans_tool_are_no_classes(tmp_path):
    pictures(tmp_path, [f"0000{k}/img0000000{k}.png" for k in range(4)])
    labels = tmp_path / "dataset.json"
    for text, classes in (("{}", 4), ("[", 4), ('{"labels": null}', 0)):
        labels.write_text(text)
        assert get("folder", tmp_path, size=8)[1].classes == classes
    assert get("folder", tmp_path, size=8, labels="folders")[1].classes == 4
    labels.write_text('{"labels": [["00000/img00000000.png", 3]]}')
    with pytest.raises(DataError, match=r"dataset.json states the classes .*--dataset zip --data"):
        get("folder", tmp_path, size=8)
    assert get("folder", tmp_path, size=8, labels="none")[1].classes == 0


def test_folder_without_sub_folders_has_no_classes(tmp_path):
    dataset, spec = get("folder", pictures(tmp_path, ["1.png", "s/2.png"]), size=8, channels=1)
    assert spec.classes == 0
    assert dataset[0][0].shape == (1, 8, 8)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "I;16"])
def test_folder_reads_every_image_format(tmp_path, mode):
    if mode == "I;16":
        Image.fromarray(np.full((9, 9), 30_000, dtype=np.uint16)).save(tmp_path / "1.png")
        assert set(get("folder", tmp_path, size=8)[0][0][0].unique().tolist()) == {117}
    else:
        pictures(tmp_path, ["1.png"], mode=mode)
    assert get("folder", tmp_path, size=8)[0][0][0].shape == (3, 8, 8)


def test_missing_and_empty_folders_are_two_errors(tmp_path):
    with pytest.raises(DataNotFoundError, match="folder not found:"):
        get("folder", tmp_path / "absent")
    with pytest.raises(DataNotFoundError, match="contains no image files"):
        get("folder", tmp_path)
    with pytest.raises(DataNotFoundError, match="--data DIR or set GANZOO_DATA"):
        get("folder", None)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"GIF89"])
def test_one_corrupt_image_is_named(tmp_path, damage):
    root = pictures(tmp_path / "data", [f"{k}.png" for k in range(5)])
    bad = root / "3.png"
    bad.write_bytes(damage(bad.read_bytes()))
    recipe = tiny(dataset=Component("folder", {"size": 16}))
    with pytest.raises(DataError, match=r"cannot read the image .*3\.png"):
        ganzoo.train(recipe, data=root, out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_the_environment_variable_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_DATA", str(pictures(tmp_path / "data", ["1.png", "2.png"])))
    recipe = tiny(dataset=Component("folder", {"size": 16}))
    assert ganzoo.train(recipe, out=tmp_path / "run", progress=False).finished


def digits_batches(batch_size=100, seed=0):
    return MemoryBatches(*get("digits"), batch_size, seed, CPU)


def test_an_epoch_shows_every_image_once():
    dataset, spec = get("digits", size=8)
    batches = MemoryBatches(dataset, spec, 599, 0, CPU)
    epoch = torch.cat([next(batches).images for _ in range(3)])
    expected = dataset.tensors[0].float() / 127.5 - 1
    assert epoch.shape == expected.shape
    assert epoch.min() == -1
    assert epoch.max() == 1
    torch.testing.assert_close(
        epoch.flatten(1).double().sum(1).sort()[0], expected.flatten(1).double().sum(1).sort()[0]
    )


def test_batches_are_seekable_across_epochs():
    whole, moving = digits_batches(), digits_batches()
    for position in range(40):
        batch = next(whole)
        assert len(batch) == len(batch.labels) == 100
        if position in (0, 17, 18, 39):
            moving.position = position
            again = next(moving)
            assert torch.equal(batch.images, again.images)
            assert torch.equal(batch.labels, again.labels)


def test_order_depends_on_the_seed():
    assert not torch.equal(next(digits_batches()).images, next(digits_batches(seed=1)).images)


def test_a_batch_can_be_larger_than_the_data():
    assert len(next(digits_batches(batch_size=4000))) == 4000


def test_a_dataset_that_contradicts_its_spec_is_refused():
    images, labels = torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.arange(4)
    data = torch.utils.data.TensorDataset(images, labels)
    with pytest.raises(DataError, match=r"uint8 \(3, 8, 8\)"):
        MemoryBatches(data, DataSpec(ImageSpec(8, 8, 3)), 2, 0, CPU)
    with pytest.raises(DataError, match="declares 2 classes"):
        MemoryBatches(data, DataSpec(ImageSpec(8, 8, 1), classes=2), 2, 0, CPU)
    floats = torch.utils.data.TensorDataset(images.float(), labels)
    with pytest.raises(DataError, match="they are float32"):
        MemoryBatches(floats, DataSpec(ImageSpec(8, 8, 1)), 2, 0, CPU)


def test_gzip_is_not_read_as_an_image(tmp_path):
    (tmp_path / "x.png").write_bytes(gzip.compress(b"not a picture"))
    with pytest.raises(DataError, match=r"x\.png"):
        get("folder", tmp_path)[0][0]


@pytest.mark.parametrize("name", ["digits", "ring"])
def test_a_folder_for_a_dataset_that_reads_none_is_not_used(name, tmp_path, monkeypatch):
    with pytest.warns(UserWarning, match=f"dataset '{name}' comes with .* is not used"):
        assert find_root(name, tmp_path) is None
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path))
    assert find_root(name, None) is None
    assert find_root("folder", None) == tmp_path
