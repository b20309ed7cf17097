"""A look at a folder of image files: `ganzoo.data.describe` and `ganzoo data`."""

import dataclasses
import json
import multiprocessing
import os
import re
import shlex
import shutil
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from ganzoo.cli import main
from ganzoo.cli.options import parse_recipe
from ganzoo.data import describe
from ganzoo.data.survey.command import choose_recipe, find_start, with_location, write_command
from ganzoo.data.survey.describing import LABELS
from ganzoo.data.survey.hashes import group_near, hash_image
from ganzoo.data.survey.measures import measure_sizes
from ganzoo.data.survey.notes import write_notes
from ganzoo.data.survey.pool import map_parallel
from ganzoo.data.survey.recipes import find_folder_recipes, suggest_size
from ganzoo.data.survey.report import write_report
from ganzoo.data.survey.shapes import FitCost, cost_of, suggest_rectangle
from ganzoo.data.survey.text import rows_of
from ganzoo.data.survey.tiles import contact_sheet, draw_names
from ganzoo.errors import DataError, DataNotFoundError, ImageFileError, WorkerError
from ganzoo.nn import map_sizes
from ganzoo.registry import datasets
from ganzoo.sampling.image_warnings import ImageNotes
from ganzoo.spec import Component, ImageSpec
from ganzoo.training import prepare
from helpers.datasets import write_zip
from helpers.images import png_of
from helpers.recipes import tiny
from helpers.resampling import resample


def photo(seed, size=(80, 60)):
    """Return an image with structure: a smooth random field."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def save(image, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


@pytest.fixture(autouse=True)
def _short_measurements(monkeypatch):
    """Measure one small step of a suggested training."""
    monkeypatch.setattr("ganzoo.training.timing.PATIENCE", 0)
    monkeypatch.setattr("ganzoo.training.timing.FEW", 2)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A folder with two splits, several formats, duplicates, damaged files and other files."""
    root = tmp_path_factory.mktemp("mixed")
    for k in range(6):
        save(photo(k), root / "train" / f"{k}.jpg")
    save(photo(10, (40, 90)).convert("RGBA"), root / "train" / "tall.png")
    save(photo(11).convert("L"), root / "train" / "grey.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    save(photo(12), root / "train" / "turned.jpg", exif=exif)
    shutil.copy(root / "train" / "0.jpg", root / "train" / "copy.jpg")
    save(photo(1).resize((160, 120)), root / "test" / "again.jpg", quality=60)
    save(photo(20), root / "test" / "20.webp")
    deep = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    save(Image.fromarray(deep), root / "test" / "deep.png")
    (root / "test" / "cut.jpg").write_bytes((root / "train" / "2.jpg").read_bytes()[:900])
    (root / "test" / "text.png").write_text("no image")
    save(photo(21, (7, 30)), root / "test" / "narrow.png")
    colours = np.random.default_rng(5).integers(0, 4096, (64, 64, 3))  # 12 of 16 bits
    (root / "test" / "12bits.png").write_bytes(png_of(colours, 16))
    (root / "notes.txt").write_text("text")
    (root / ".hidden.png").write_text("")
    (root / "val").mkdir()
    return root


@pytest.fixture(scope="module")
def summary(mixed):
    return describe(mixed, workers=1)


def test_files_are_counted_by_their_properties(summary):
    assert (summary.images, summary.readable) == (17, 14)
    assert summary.formats == {"JPEG": 9, "PNG": 4, "WEBP": 1}
    assert summary.modes == {"RGB": 11, "RGBA": 1, "L": 1, "I;16": 1}
    assert summary.bits == {8: 12, 16: 2}
    assert (summary.turned, summary.grey, summary.channels) == (1, 2, 3)
    assert summary.classes == {"test": 7, "train": 10}
    assert summary.skipped == {"type .txt": 1, "hidden": 1, "folder without image files": 1}
    assert summary.empty_folders == ("val",)
    assert summary.sizes.common["60x80"] == 9
    assert summary.sizes.common["80x60"] == 1  # turned upright
    assert (summary.sizes.smallest, summary.sizes.largest) == ((90, 40), (120, 160))


def test_it_agrees_with_a_training(mixed, summary):
    """The same files, and the same reasons to refuse some."""
    dataset, _ = datasets.get("folder")(mixed, size=16)
    assert summary.files == dataset.file_counts
    assert list(summary.names) == dataset.names
    refusals, notes = {}, ImageNotes()
    for k, name in enumerate(dataset.names):
        try:
            with notes.of_image():
                dataset.read(k)
        except DataError as error:
            refusals[name] = str(error)
    assert {each.name: each.reason for each in summary.unreadable} == refusals
    assert len(refusals) == 3
    counts = {warning.text.split(",")[0]: warning.images for warning in summary.warnings}
    assert counts == {text.split(",")[0]: notes.images[kind] for kind, text in notes.first.items()}
    assert len(counts) == 2


def test_duplicates_are_groups_across_splits(mixed, summary):
    train = [os.path.join("train", f"{k}.jpg") for k in range(2)]
    assert summary.identical == ((train[0], os.path.join("train", "copy.jpg")),)
    assert summary.near == ((os.path.join("test", "again.jpg"), train[1]),)
    assert summary.splits == {"test": 7, "train": 10}
    assert summary.across_splits == 1
    assert any("in several splits" in note for note in summary.notes)
    assert describe(mixed / "train", workers=1).splits == {}


def test_the_notes_name_what_to_do(summary):
    text = "\n".join(summary.notes)
    assert "3 files cannot be read" in text
    assert "--dataset.skip-corrupt" in text
    assert "'val': no image files, so it is no class." in text
    assert "the folders 'test', 'train' look like splits, but a training uses them as classes" in (
        text
    )
    zipped = write_notes(dataclasses.replace(summary, folder="mixed.zip"), None)
    assert any("classes. Unpack the zip, and pass one of them with --data" in n for n in zipped)
    assert "1 of 14 images: " in text  # the tall one, from the warning of a training
    assert "centre crop" in text


def test_several_processes_give_the_same_summary(mixed, summary):
    again = describe(mixed, workers=2)
    fields = ("seconds", "decode_seconds", "processes", "free_bytes")
    same = {name: getattr(summary, name) for name in fields}
    assert dataclasses.replace(again, **same) == summary
    assert np.array_equal(again.mean, summary.mean)
    assert again.processes == 2


def test_the_mean_image_and_the_memory(tmp_path):
    for k, level in enumerate((40, 80, 120)):
        save(Image.new("RGB", (64, 64), (level, 0, 255)), tmp_path / f"{k}.png")
    summary = describe(tmp_path, workers=1, size=32)
    assert (summary.mean == (80, 0, 255)).all()
    assert summary.to_dict()["mean_colour"] == [80, 0, 255]
    assert (summary.suggested_size, summary.decoded_bytes) == (64, 3 * 32 * 32 * 3)
    assert not summary.streamed
    assert summary.enlarged == 0
    assert describe(tmp_path, workers=1, size=128).enlarged == 3


def test_a_grey_folder_suggests_one_channel(tmp_path):
    save(photo(1).convert("L").convert("RGB"), tmp_path / "1.jpg")
    summary = describe(tmp_path, workers=1)
    assert summary.channels == 1
    assert any("--dataset.channels 1" in note for note in summary.notes)
    assert not any(recipe.fits for recipe in summary.recipes)


def test_photos_of_other_types_and_alpha_are_noted(tmp_path):
    (tmp_path / "1.HEIC").write_text("")
    with pytest.raises(DataNotFoundError, match=r"Convert \.heic files to JPEG or PNG\. Pass a"):
        describe(tmp_path)
    archive = write_zip(tmp_path / "phone.zip", [("1.heic", b""), ("2.jxl", b"")])
    with pytest.raises(DataNotFoundError, match=r"Convert \.heic and \.jxl files to JPEG"):
        datasets.get("zip")(archive)
    save(photo(1).convert("RGBA"), tmp_path / "1.png")
    save(photo(2).convert("L"), tmp_path / "2.png")
    (tmp_path / "2.heic").write_text("")
    notes = describe(tmp_path, workers=1).notes
    assert notes[0] == (
        "2 images of type .heic are not read. Convert such files to JPEG or PNG to train on them."
    )
    assert "1 image of 2 has no colours." in notes
    assert (
        "1 image of 2 has an alpha channel. Transparent pixels become white, or black with "
        "--dataset.background black."
    ) in notes


def test_bad_folders_and_arguments_are_refused(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"folder not found: .*none\. Pass a folder"):
        describe(tmp_path / "none")
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(DataNotFoundError, match=r"contains no image files.*type \.txt \(1\)"):
        describe(tmp_path)
    (tmp_path / "bad.png").write_text("text")
    with pytest.raises(DataError, match=r"cannot read any of 1 image file .*not an image"):
        describe(tmp_path)
    wrong = [{"size": 0}, {"size": "64x"}, {"workers": 0}, {"distance": 9}, {"distance": 2.5}]
    for arguments in (*wrong, {"value_range": (1, 0)}, {"labels": "folder"}):
        with pytest.raises(DataError, match="0 to 8|labels is 'folder'|size|workers|range"):
            describe(tmp_path, **arguments)


def test_near_groups_equal_those_of_all_pairs():
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 2**64, (300, 2), dtype=np.uint64)
    levels = rng.integers(0, 256, (300, 81), dtype=np.uint8)
    for k in range(0, 200, 2):  # pairs at a distance of 0 to 6 in each hash
        for column in (0, 1):
            flips = rng.choice(64, rng.integers(0, 7), replace=False)
            mask = np.uint64(sum(1 << int(bit) for bit in flips))
            hashes[k + 1, column] = hashes[k, column] ^ mask
        levels[k + 1] = np.clip(levels[k].astype(int) + rng.integers(0, 6), 0, 255)
    levels[7] = 255 - levels[6]
    for distance in (0, 4, 8):
        pairs = []
        centred = levels - levels.mean(axis=1, keepdims=True)
        for a in range(300):
            for b in range(a + 1, 300):
                bits = [int(hashes[a, c] ^ hashes[b, c]).bit_count() for c in (0, 1)]
                if max(bits) <= distance and np.abs(centred[a] - centred[b]).mean() <= 3:
                    pairs.append([a, b])
        assert [group.tolist() for group in group_near(hashes, levels, distance)] == pairs
        assert len(pairs) < 100 or distance == 8


def test_equal_images_are_one_group_in_no_time():
    start = time.process_time()
    n = 20_000
    groups = group_near(np.zeros((n, 2), np.uint64), np.zeros((n, 81), np.uint8), 4)
    assert [len(group) for group in groups] == [n]
    assert time.process_time() - start < 5


def test_a_hash_compares_neighbours():
    ramp = np.tile(np.arange(0, 216, 8, dtype=np.uint8), (27, 1))  # brighter to the right
    across, down, levels = hash_image(Image.fromarray(ramp).convert("RGB"))
    assert (across, down, len(levels)) == (2**64 - 1, 0, 81)
    across, down, _ = hash_image(Image.fromarray(ramp.T.copy()).convert("RGB"))
    assert (across, down) == (0, 2**64 - 1)


def test_a_hash_equals_one_by_its_formula():
    for size in ((301, 467), (64, 64), (7, 5)):
        image = photo(2, size).convert("RGB")
        across, down, levels = hash_image(image)
        table = np.frombuffer(levels, np.uint8).reshape(9, 9).astype(int)
        colours = resample(np.asarray(image).transpose(2, 0, 1), (9, 9))
        grey = np.tensordot([0.299, 0.587, 0.114], colours, 1)  # ITU-R BT.601
        assert np.abs(table - grey).max() <= 1.5  # Pillow rounds three times
        bits = [(y, x) for y in range(8) for x in range(8)]
        pairs = {
            across: [(grey[y, x], grey[y, x + 1], table[y, x] < table[y, x + 1]) for y, x in bits],
            down: [(grey[y, x], grey[y + 1, x], table[y, x] < table[y + 1, x]) for y, x in bits],
        }
        for number, comparisons in pairs.items():
            text = f"{number:064b}"
            assert text == "".join(str(int(below)) for _, _, below in comparisons)
            clear = [k for k, (a, b, _) in enumerate(comparisons) if abs(a - b) > 2]
            assert len(clear) > 20
            assert all((text[k] == "1") == (comparisons[k][0] < comparisons[k][1]) for k in clear)


def test_a_reduced_image_has_nearly_the_hash_of_the_image():
    for k in range(5):
        image = photo(k, (301, 467)).convert("RGB")
        hashes = [hash_image(image), hash_image(image.reduce(4), (301 / 4, 467 / 4))]
        levels = np.array([np.frombuffer(each.levels, np.uint8) for each in hashes], float)
        assert np.abs(np.subtract(*levels)).max() <= 3
        for a, b in zip(hashes[0][:2], hashes[1][:2], strict=True):
            assert (a ^ b).bit_count() <= 2


def test_shapes_and_sizes():
    sizes = measure_sizes(np.array([[10, 20], [30, 40], [50, 51], [64, 32], [40, 30]]))
    assert sizes.shapes == {
        "1:2 or taller": 1,
        "portrait": 1,
        "square": 1,
        "landscape": 1,
        "2:1 or wider": 1,
    }
    assert sizes.shorter_sides == (10, 30, 30, 32, 50)
    assert (sizes.doubled, sizes.distinct) == (1, 5)


@pytest.mark.parametrize(
    ("side", "size"),
    [(8, 8), (28, 28), (31, 28), (63, 56), (64, 64), (200.5, 192), (9000, 1024), (5, 8)],
)
def test_the_suggested_size(side, size):
    assert suggest_size(side) == size


@pytest.mark.parametrize(
    ("size", "side", "rectangle"),
    [
        ((640, 480), 64, (48, 64)),
        ((480, 640), 64, (64, 48)),
        ((178, 218), 128, (160, 128)),
        ((1920, 1080), 256, (128, 224)),
        ((3000, 4000), 1024, (1024, 768)),
        ((300, 100), 64, (64, 192)),
        ((105, 100), 64, None),  # a square drops less than a tenth
        ((2000, 100), 64, None),  # a strip
        ((64, 64), 64, None),
    ],
)
def test_the_suggested_rectangle(size, side, rectangle):
    assert suggest_rectangle(np.array([size]), side) == rectangle
    if rectangle:
        map_sizes("any", ImageSpec(*rectangle, 3), 1024)  # architectures make it


def test_folders_of_both_orientations_suggest_no_rectangle():
    assert suggest_rectangle(np.array([(64, 48), (48, 64)] * 5), 32) is None


def test_what_each_fit_costs():
    cost = cost_of(np.array([(80, 60), (80, 60), (120, 60)]), 60, 60)
    assert cost.lost == pytest.approx(1 - (0.75 + 0.75 + 0.5) / 3, abs=1e-4)
    assert (cost.halved, cost.stretched) == (1, 1.333)
    assert cost_of(np.array([(80, 60)]), 30, 40) == FitCost(30, 40, 0.0, 0, 1.0)


def test_a_folder_of_landscapes_is_told_what_to_type(tmp_path, capsys):
    for k in range(3):
        save(photo(k), tmp_path / f"{k}.png")
    assert main(["data", str(tmp_path), "--workers", "1"]) == 0
    text = capsys.readouterr().out
    for part in (
        "size           height x width: 60x80 (3)",
        "or             24x32 (height x width)",
        "fit 32x32      crop drops 25 % of an image on average; pad fills 25 % of the result; stretch "
        "changes the ratio of the sides 1.33 times",
        "fit 24x32      crop drops 0 %",
        "estimates      for 24x32 (height x width); --size sets another size",
        "decoded at 24x32x3",
        "s on one core to 24x32; ",
        "note: a crop to 32x32 drops 25 % of an image on average. --dataset.size 24x32 ",
    ):
        assert part in text
    summary = describe(tmp_path, workers=1)
    assert (summary.suggested_size, summary.suggested_rectangle) == (32, (24, 32))
    assert (summary.size, summary.decoded_bytes) == ((24, 32), 3 * 24 * 32 * 3)


def test_a_stated_size_and_fit_are_described_alone(tmp_path, capsys):
    for k in range(3):
        save(photo(k), tmp_path / f"{k}.png")
    command = ["data", str(tmp_path), "--workers", "1", "--size", "20x50"]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "fit 32x32" not in text
    assert "fit 24x32" not in text
    assert "fit 20x50      crop drops 47 % of an image on average; pad fills 47 % of the" in text
    assert "decoded at 20x50x3" in text
    assert "note: a crop to 20x50 drops 47 % of an image on average. --dataset.fit pad or" in text
    assert main([*command, "--fit", "pad"]) == 0
    text = capsys.readouterr().out
    assert "fit 20x50      pad fills 47 % of the result\n" in text
    assert "note: a crop to" not in text
    summary = describe(tmp_path, workers=1, size="20x50", fit="pad")
    assert contact_sheet(summary).numpy().shape == (3, 51, 128, 3)
    assert (contact_sheet(summary).numpy()[:, :, :10] == 255).all(), "padding"
    with pytest.raises(DataError, match="fit is 'zoom'; it must be one of "):
        describe(tmp_path, fit="zoom")


@pytest.mark.parametrize(
    ("fit", "text"),
    [
        ("crop", "centre crop to 16x16"),
        ("pad", "become white padding at 16x16"),
        ("stretch", "twice"),
    ],
)
def test_the_warnings_are_those_of_the_stated_fit(tmp_path, fit, text):
    save(photo(1, (160, 40)), tmp_path / "wide.png")
    save(photo(2, (40, 40)), tmp_path / "b.png")
    (warning,) = describe(tmp_path, workers=1, size=16, fit=fit).warnings
    assert warning.images == 1
    assert text in warning.text


def test_the_suggested_size_is_that_of_a_recipe(tmp_path):
    save(photo(1, (90, 90)), tmp_path / "a.png")
    summary = describe(tmp_path, workers=1)
    assert summary.suggested_size == 64
    text = rows_of(summary)["suggested size"]
    assert text.startswith("64, the largest size of an installed recipe (dcgan-faces")
    assert text.endswith("not above 64, since there is no GPU")
    assert rows_of(dataclasses.replace(summary, recipes=(), gpu=True))["suggested size"] == (
        "64, the largest of 4, 5, 6 and 7 times a power of two not above the median shorter side"
    )
    assert suggest_size(90, summary.recipes) == 64


@pytest.mark.parametrize(
    ("side", "gpu", "command"),
    [
        (28, False, "dcgan-small --dataset.size 28 --dataset.channels 1"),
        (300, False, "dcgan-small --dataset.channels 1"),
        (300, True, "fastgan --dataset.channels 1"),
    ],
)
def test_recipes_for_a_cpu_come_first_without_a_gpu(tmp_path, monkeypatch, side, gpu, command):
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    save(photo(1, (side, side)).convert("L"), tmp_path / "a.png")
    summary = describe(tmp_path, workers=1)
    assert summary.command == f"ganzoo train {command}"
    assert any(note.startswith("there is no GPU") for note in summary.notes) is not gpu


@pytest.fixture(scope="module")
def phone(tmp_path_factory):
    """Images in folders and beside them, one of which cannot be read."""
    root = tmp_path_factory.mktemp("phone pictures")
    for k in range(4):
        save(photo(k, (96, 72)), root / "summer" / f"{k}.jpg")
    save(photo(5, (96, 72)), root / "loose.jpg")
    (root / "summer" / "cut.jpg").write_bytes((root / "loose.jpg").read_bytes()[:500])
    return root


FACES = [row for row in find_folder_recipes(5, 72, 3, 0) if row.name == "dcgan-faces"]


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({}, "--dataset.labels none --dataset.skip-corrupt"),
        ({"skipped": {}, "unreadable": ()}, ""),
        ({"skipped": {}, "unreadable": (), "channels": 1}, "--dataset.channels 1"),
        (
            {"skipped": {}, "unreadable": (), "fixed_size": True, "size": (48, 64), "fit": "pad"},
            "--dataset.size 48x64 --dataset.fit pad",
        ),
        (
            {"skipped": {}, "unreadable": (), "folder": "a.zip", "value_range": (0.0, 1.0)},
            "--dataset zip --dataset.size 64 --dataset.value-range 0.0 1.0",
        ),
    ],
)
def test_the_command_trains_on_the_folder(phone, monkeypatch, changes, options):
    summary = dataclasses.replace(describe(phone, workers=1), recipes=tuple(FACES), **changes)
    recipe = choose_recipe(summary)
    command = write_command(summary, recipe)
    assert command == f"ganzoo train dcgan-faces {options}".strip()
    parsed, _ = parse_recipe(shlex.split(with_location(command, "x y"))[2:], "ganzoo train")
    assert parsed.dataset.arguments.get("channels", 3) == summary.channels
    assert parsed.dataset.arguments.get("size", 64) == ("48x64" if "fit" in changes else 64)


def test_images_beside_class_folders_are_the_first_note(phone, capsys):
    assert main(["data", str(phone), "--workers", "1"]) == 0
    *_, before, last, time = lines = capsys.readouterr().out.splitlines()
    notes = [line for line in lines if line.startswith("note: ")]
    assert notes[0] == (
        "note: 1 of 6 images are not used: they are beside the sub-folders, which are the classes. "
        "--dataset.labels none uses all 6, without classes."
    )
    assert any("a crop to 64x64 drops 25 % of an image on average" in line for line in notes)
    assert before.startswith("next: the plan of a training on these images; ")
    assert last.startswith("  ganzoo train ")
    assert f"--data '{phone}' --dry-run" in last
    assert re.fullmatch("time: about .* at .* images/s, measured over 1 step of 2, for .*", time)
    recipe = tiny(dataset=Component("folder", {"size": 16, "skip_corrupt": True}))
    with pytest.warns(UserWarning, match="1 of 6 images are not used"):
        prepare(recipe, data=phone, device="cpu")
    with pytest.raises(
        ImageFileError, match=r"skip-corrupt\. Check all files: ganzoo data '.*phone"
    ):
        prepare(tiny(dataset=Component("folder", {"labels": "none"})), data=phone, device="cpu")


def test_a_misspelt_folder_is_suggested(phone):
    wrong = phone.with_name(phone.name.replace("phone", "fone"))
    with pytest.raises(DataNotFoundError, match=r"not found: .* Did you mean '.*phone pictures"):
        describe(wrong)
    with pytest.raises(DataNotFoundError, match=r"not found: .* Did you mean '.*phone pictures"):
        datasets.get("folder")(wrong)


def test_few_images_get_an_option_that_the_loss_has(phone):
    summary = describe(phone, workers=1)
    (recipe,) = FACES
    assert "memorises them. --loss.ada or --loss.augmentation" in write_notes(summary, recipe)[-1]
    augmented = dataclasses.replace(recipe, augments=True)
    assert "dcgan-faces augments them" in write_notes(summary, augmented)[-1]
    flipped = dataclasses.replace(recipe, images_per_epoch=2 * summary.images)
    assert "flipped, left to right. Add --dataset.no-flip" in write_notes(summary, flipped)[-2]
    alone = dataclasses.replace(summary, recipes=(recipe,))
    assert write_notes(alone, None)[-1].endswith("memorises them.")  # no model of faces is shipped
    grey = dataclasses.replace(recipe, channels=1)
    alone = dataclasses.replace(summary, recipes=(grey,))
    assert find_start(alone, grey) == ("dcgan-faces", "dcgan-fashion")
    assert (
        "dcgan-faces can start from trained weights: --init-from dcgan-"
        in (write_notes(alone, grey)[-1])
    )


def test_recipes_state_why_they_do_not_fit():
    fit = {recipe.name: recipe for recipe in find_folder_recipes(1000, 64, 3, 0)}
    faces = fit["dcgan-faces"]
    assert (faces.fits, faces.height, faces.width, faces.channels) == (True, 64, 64, 3)
    assert (faces.images_per_epoch, faces.epochs) == (1000, 5000)
    small = {recipe.name: recipe for recipe in find_folder_recipes(1000, 40, 1, 0)}
    assert small["dcgan-faces"].reason == (
        "enlarges at least half of the images to 64 pixels; the images have no colour: "
        "--dataset.channels 1"
    )


@pytest.mark.parametrize("short", [True, False])
def test_arguments_that_a_recipe_omits_have_their_defaults(monkeypatch, short):
    parts = {"architecture": "dcgan", "dataset": "folder"}
    names = parts if short else {part: {"name": name} for part, name in parts.items()}
    table = {"images": 640, **names}
    monkeypatch.setattr("ganzoo.data.survey.recipes.read_recipe", lambda entry: table)
    row = find_folder_recipes(10, 64, 3, 0)[0]
    assert (row.height, row.width, row.channels, row.fits) == (64, 64, 3, True)
    assert row.epochs == 64.0


def test_the_report_is_one_page_that_loads_nothing(mixed, tmp_path):
    hostile = tmp_path / "data" / "<script>alert(1)</script>"
    save(photo(1), hostile / "a.png")
    save(photo(1), hostile / "b.png")
    (hostile / "bad\x1b[31m.png").write_text("no image")
    write_report(describe(tmp_path / "data", workers=1), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert str(tmp_path) not in page, "it may be published"
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page
    assert set(re.findall(r'(?:src|href)="([^"]{15})', page)) == {"data:image/jpeg"}
    assert "http" not in page.replace("http-equiv", "")
    assert "2 files in 1 group." in page
    assert page.count("<img") == 2 + 1 + 2  # contact sheet, mean, identical files


def test_the_contact_sheet_shows_readable_images(summary):
    names = draw_names(summary)
    assert len(names) == 14
    assert len(draw_names(summary, 5)) == 5
    assert contact_sheet(summary).numpy().shape == (14, 128, 128, 3)


def test_the_command_prints_text_and_writes_what_it_is_told(mixed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["data", str(mixed), "--workers", "1"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{mixed}: 17 image files in 2 classes; skipped: ")
    for part in ("  files   ", "  near ", "train/0.jpg = train/copy.jpg", "note: 3 files cannot"):
        assert part in text
    assert list(tmp_path.iterdir()) == []
    options = ["--json", "-o", "look.html", "--sheet", "look.png", "--workers", "1"]
    assert main(["data", str(mixed), *options]) == 0
    assert json.loads(capsys.readouterr().out)["readable"] == 14
    assert Image.open("look.png").width > 800
    assert main(["data", str(mixed), "-o", "look.pdf"]) == 1
    assert "Use for example -o look.html" in capsys.readouterr().err


def pause(seconds):
    time.sleep(seconds)
    return seconds


def die(argument):
    os._exit(3)


def test_an_early_end_kills_the_processes():
    before = set(multiprocessing.active_children())
    results = map_parallel(pause, [0, 60, 60, 60], 2)
    assert next(results) == 0
    start = time.perf_counter()
    results.close()
    assert time.perf_counter() - start < 10
    assert set(multiprocessing.active_children()) <= before


def test_a_dead_process_is_an_error():
    with pytest.raises(WorkerError, match="ended"):
        list(map_parallel(die, [1, 2, 3], 2))


def test_results_keep_their_order():
    assert list(map_parallel(abs, range(-50, 0), 2)) == list(range(50, 0, -1))


def test_a_zip_is_described_as_its_folder(mixed, tmp_path):
    files = [path for path in sorted(mixed.rglob("*")) if path.is_file()]
    members = [(path.relative_to(mixed).as_posix(), path.read_bytes()) for path in files]
    archive = write_zip(tmp_path / "mixed.zip", members, method=zipfile.ZIP_DEFLATED)
    ours, theirs = (describe(each, workers=n) for each, n in ((archive, 2), (mixed, 1)))
    for name in ("images", "bytes", "formats", "modes", "sizes", "classes", "splits", "identical"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.near == theirs.near
    assert [each.name for each in ours.unreadable] == [each.name for each in theirs.unreadable]
    assert np.array_equal(ours.mean, theirs.mean)
    assert ours.notes[0].startswith(f"--dataset zip --data {archive} trains on")
    write_report(ours, tmp_path / "page.html")
    assert "mixed.zip" in (tmp_path / "page.html").read_text()
    assert len(contact_sheet(ours).numpy()) == len(contact_sheet(theirs).numpy())


def test_the_command_accepts_a_zip_that_names_absent_files(tmp_path):
    table = b'{"labels": [["a.png", 0], ["gone.png", 1]]}'
    save(photo(1), tmp_path / "a.png")
    members = [("a.png", (tmp_path / "a.png").read_bytes()), ("dataset.json", table)]
    archive = write_zip(tmp_path / "a.zip", members)
    summary = describe(archive, workers=1)
    assert summary.command.endswith(" --dataset.skip-corrupt")
    assert any("names 1 absent file, such as 'gone.png'" in note for note in summary.notes)
    assert not any("sub-folders" in note for note in summary.notes)  # the classes are numbers


@pytest.mark.parametrize(
    ("arguments", "option"),
    [({}, "--labels none"), ({"size": 0}, "--size 64"), ({"value_range": (1, 0)}, "--value-range")],
)
def test_errors_name_the_options_of_this_command(tmp_path, arguments, option):
    save(photo(1), tmp_path / "00000" / "a.png")
    (tmp_path / "dataset.json").write_text('{"labels": [["00000/a.png", 3]]}')
    with pytest.raises(DataError, match=f" {option}"):
        describe(tmp_path, **arguments)


def test_sub_folders_that_become_classes_are_noted(tmp_path):
    for name in ("2023/a.png", "2024/b.png"):
        save(photo(1), tmp_path / name)
    notes = {
        labels: " ".join(describe(tmp_path, labels=labels, workers=1).notes) for labels in LABELS
    }
    assert "or years, --labels none reads all image files without classes; in a " in notes["auto"]
    assert "--labels none" not in notes["none"] + notes["folders"]


def test_other_files_are_told_what_reads_them(tmp_path):
    for name, advice in (
        ("a.npz", r"--dataset arrays, .* --dry-run"),
        ("a.parquet", "--dataset parquet, "),
        ("a.txt", "Pass a folder or a zip"),
    ):
        (tmp_path / name).touch()
        with pytest.raises(DataError, match=f"only folders and zips .*{advice}"):
            describe(tmp_path / name)
