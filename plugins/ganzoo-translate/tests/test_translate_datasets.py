import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from translate_helpers import paint, paint_all

import ganzoo
from ganzoo.data import decode
from ganzoo.data.fingerprints import fingerprint_stream
from ganzoo.errors import DataError, DataNotFoundError, ImageFileError
from ganzoo.registry.signatures import bind
from ganzoo.sampling.image_files import CropWarning
from ganzoo.sampling.image_warnings import ImageFileWarning
from ganzoo_translate.datasets.lineart import FinishedPairWarning, draw_lines


def read(name: str, root: Path | None, **arguments):
    return ganzoo.datasets.get(name)(root, **arguments)


def halves(left: str, right: str, width: int = 32, height: int = 32) -> Image.Image:
    picture = Image.new("RGB", (2 * width, height), left)
    picture.paste(Image.new("RGB", (width, height), right), (width, 0))
    return picture


def is_all(image: torch.Tensor, colour: tuple[int, int, int]) -> bool:
    return bool((image == torch.tensor(colour, dtype=torch.uint8)[:, None, None]).all())


RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


@pytest.mark.parametrize("name", ["paired", "lineart", "unpaired"])
def test_the_fingerprint_of_a_stream_covers_every_file(name, pairs, domains, tmp_path):
    folder = shutil.copytree(domains if name == "unpaired" else pairs, tmp_path / "copy")
    arguments = {"size": 16} | ({"repeat_shorter": True} if name == "unpaired" else {})
    before = fingerprint_stream(*read(name, folder, **arguments))
    assert fingerprint_stream(*read(name, folder, **arguments)) == before
    middle = sorted(folder.rglob("*.png"))[2]
    middle.write_bytes(middle.read_bytes() + b"edit")
    assert fingerprint_stream(*read(name, folder, **arguments)) != before


@pytest.mark.parametrize("name", ["paired", "lineart", "unpaired"])
def test_items_are_an_image_no_label_and_a_condition(name, pairs, domains):
    if name == "unpaired":
        dataset, spec = read(name, domains, size=16, repeat_shorter=True)
    else:
        dataset, spec = read(name, pairs, size=16)
    image, label, condition = dataset[0]
    assert (image.dtype, image.shape) == (torch.uint8, (3, 16, 16))
    assert (condition.dtype, condition.shape) == (torch.uint8, spec.condition.shape)
    assert spec.image.shape == image.shape
    assert int(label) == 0
    assert spec.classes == 0
    assert spec.paired is (name != "unpaired")
    assert spec.condition.channels == (1 if name == "lineart" else 3)
    assert len(dataset) == 7
    assert "7 " in spec.origin


@pytest.mark.parametrize("condition_half", ["left", "right"])
def test_halves_of_an_image_file_are_image_and_condition(tmp_path, condition_half):
    halves("red", "blue").save(tmp_path / "a.png")
    dataset, _ = read("paired", tmp_path, size=16, condition_half=condition_half)
    image, _, condition = dataset[0]
    colours = (BLUE, RED) if condition_half == "left" else (RED, BLUE)
    assert is_all(image, colours[0])
    assert is_all(condition, colours[1])


def test_folders_are_matched_by_file_stem(tmp_path):
    for k in range(3):
        Image.new("RGB", (20, 20), (0, 0, 80 * k)).save(paint(tmp_path / "sketch" / f"x/{k}.bmp"))
        Image.new("RGB", (20, 20), (80 * k, 0, 0)).save(paint(tmp_path / "photo" / f"x/{k}.png"))
    dataset, _ = read(
        "paired",
        tmp_path,
        size=16,
        layout="folders",
        condition_folder="sketch",
        target_folder="photo",
    )
    assert len(dataset) == 3
    for k, (image, _, condition) in enumerate(dataset):
        assert is_all(image, (80 * k, 0, 0))
        assert is_all(condition, (0, 0, 80 * k))


def test_both_images_of_a_pair_are_cropped_alike(tmp_path):
    """Both halves are resized by their short side and cropped to the centre."""
    picture = halves("red", "red", 64, 32)
    picture.paste(Image.new("RGB", (32, 32), "blue"), (16, 0))
    picture.paste(Image.new("RGB", (32, 32), "blue"), (64 + 16, 0))
    picture.save(tmp_path / "a.png")
    image, _, condition = read("paired", tmp_path, size=32)[0][0]
    assert is_all(image, BLUE)
    assert torch.equal(image, condition)


@pytest.mark.parametrize("fit", ["crop", "random-crop", "pad", "stretch"])
@pytest.mark.parametrize("layout", ["side-by-side", "folders"])
def test_both_images_of_a_pair_fit_alike(tmp_path, fit, layout):
    """A pair of equal images stays one, in rectangles and flipped."""
    picture = Image.open(paint(tmp_path / "seed.png", 40, 32))
    (tmp_path / "seed.png").unlink()
    if layout == "folders":
        for part in ("A", "B"):
            picture.save(paint(tmp_path / part / f"0.{'png' if part == 'A' else 'bmp'}"))
    else:
        both = Image.new("RGB", (80, 32))
        both.paste(picture, (0, 0))
        both.paste(picture, (40, 0))
        both.save(tmp_path / "0.png")
    dataset, spec = read("paired", tmp_path, size="16x24", layout=layout, fit=fit, flip=True)
    assert (len(dataset), spec.image.shape) == (2, (3, 16, 24))
    for image, _, condition in (dataset[0], dataset[1]):
        assert torch.equal(image, condition)
    assert torch.equal(dataset[1][0], dataset[0][0].flip(2))
    assert dataset.file_counts.startswith("1 pair, each also flipped")


@pytest.mark.filterwarnings("ignore::ganzoo.sampling.image_files.CropWarning")
def test_layouts_have_the_same_random_crops(tmp_path):
    """The position follows from the pair's name, without extension and folder."""
    picture = Image.open(paint(tmp_path / "seed.png", 64, 16))
    for part in ("A", "B"):
        picture.save(paint(tmp_path / "folders" / part / "0.png"))
    both = Image.new("RGB", (128, 16))
    both.paste(picture, (0, 0))
    both.paste(picture, (64, 0))
    both.save(paint(tmp_path / "one" / "0.bmp"))
    arguments = {"size": 16, "fit": "random-crop"}
    folders, _ = read("paired", tmp_path / "folders", layout="folders", **arguments)
    one, _ = read("paired", tmp_path / "one", **arguments)
    assert torch.equal(folders[0][0], one[0][0])


@pytest.mark.parametrize("name", ["paired", "unpaired"])
def test_target_and_condition_may_be_grey(tmp_path, name):
    for part in ("A/", "B/") if name == "unpaired" else ("",):
        halves("red", "blue").save(paint(tmp_path / f"{part}0.png"))
    grey = {"size": 16, "channels": 1, "condition_channels": 1}
    dataset, spec = read(name, tmp_path, **grey)
    assert (spec.image.channels, spec.condition.channels) == (1, 1)
    image, _, condition = dataset[0]
    assert image.shape == condition.shape == (1, 16, 16)
    if name == "paired":
        assert (image == 29).all(), "the luma of blue"
        assert (condition == 76).all(), "the luma of red"
    mixed, spec = read(name, tmp_path, size=16, condition_channels=1)
    assert (mixed[0][0].shape[0], mixed[0][2].shape[0]) == (3, 1)
    assert "channels" not in bind("dataset", name, ganzoo.datasets.get(name), {})


def test_domains_are_flipped_together(domains):
    dataset, spec = read("unpaired", domains, size="16x8", repeat_shorter=True, flip=True)
    assert (len(dataset), spec.image.shape) == (14, (3, 16, 8))
    for ours, theirs in zip(dataset[9], dataset[2], strict=True):
        assert torch.equal(ours, theirs.flip(2) if theirs.dim() else theirs)


@pytest.mark.filterwarnings("ignore::ganzoo.sampling.image_warnings.ImageFileWarning")
@pytest.mark.parametrize("name", ["paired", "unpaired", "lineart"])
def test_transparent_pixels_take_the_background(tmp_path, name):
    for part in ("A/", "B/") if name == "unpaired" else ("",):
        Image.new("RGBA", (32, 16), (0, 0, 0, 0)).save(paint(tmp_path / f"{part}0.png"))
    assert read(name, tmp_path, size=16, fit="pad")[0][0][0].min() == 255
    assert read(name, tmp_path, size=16, fit="pad", background="black")[0][0][0].max() == 0


def test_line_art_of_a_rectangle(pairs):
    image, _, drawing = read("lineart", pairs, size="16x24", flip=True)[0][0]
    assert (image.shape, drawing.shape) == ((3, 16, 24), (1, 16, 24))
    with pytest.raises(DataError, match=r"--dataset\.thickness 2 to 16, which is the shorter"):
        read("lineart", pairs, size="16x24", thickness=17)


def test_line_art_has_dark_lines_at_edges(tmp_path):
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:, 16:] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image, _, drawing = read("lineart", tmp_path, size=32)[0][0]
    assert torch.equal(image, torch.from_numpy(pixels).permute(2, 0, 1))
    # A square of 5 widens the bright half by 2 pixels into the dark one: 255 - (200 - 0).
    assert (drawing[0, :, 14:16] == 55).all()
    assert (drawing[0, :, :14] == 255).all()
    assert (drawing[0, :, 16:] == 255).all()
    _, _, thin = read("lineart", tmp_path, size=32, thickness=3)[0][0]
    assert (thin[0, :, 15] == 55).all()
    assert (thin[0, :, 14] == 255).all()


def test_line_art_is_grey_dilated_subtracted_and_inverted(tmp_path):
    picture = Image.open(paint(tmp_path / "a.png"))
    grey = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_GRAYSCALE)
    expected = 255 - cv2.absdiff(cv2.dilate(grey, np.ones((5, 5), np.uint8)), grey)
    drawing = np.asarray(draw_lines(picture))
    assert np.abs(drawing.astype(int) - expected).max() <= 1
    assert expected.min() < 200


def test_the_smaller_domain_repeats(domains):
    with pytest.raises(DataError, match="'A' has 7 images and 'B' has 5.*repeat-shorter to"):
        read("unpaired", domains, size=16)
    assert len(read("unpaired", domains, size=16, count=5)[0]) == 5
    dataset, _ = read("unpaired", domains, size=16, repeat_shorter=True)
    items = [dataset[k] for k in range(7)]
    assert torch.equal(items[0][0], items[5][0]), "B holds five pictures"
    assert not torch.equal(items[0][0], items[4][0])
    assert len({condition.numpy().tobytes() for _, _, condition in items}) == 7
    turned, _ = read(
        "unpaired", domains, size=16, condition_folder="B", target_folder="A", repeat_shorter=True
    )
    assert torch.equal(turned[6][0], items[6][2])


def test_start_and_count_select_a_part(pairs, domains):
    whole, part, rest = (
        read("paired", pairs, size=16, **part)[0]
        for part in ({}, {"count": 5}, {"start": 5, "count": 2})
    )
    assert (len(whole), len(part), len(rest)) == (7, 5, 2)
    assert all(torch.equal(whole[k][0], part[k][0]) for k in range(5))
    assert torch.equal(whole[5][0], rest[0][0])
    assert len(read("lineart", pairs, size=16, start=3)[0]) == 4
    assert len(read("unpaired", domains, size=16, start=3, repeat_shorter=True)[0]) == 4


@pytest.mark.parametrize(
    "kind", ["palette", "palette-alpha", "RGBA", "LA", "L", "1", "I;16", "CMYK"]
)
def test_images_of_any_mode_become_rgb_on_white(tmp_path, kind):
    file = tmp_path / f"a.{'tif' if kind == 'CMYK' else 'png'}"
    match kind:
        case "palette":
            halves("red", "blue").convert("P").save(file)
        case "palette-alpha":
            halves("red", "blue").quantize(2).save(file, transparency=0)
        case "RGBA":
            clear = Image.new("RGBA", (64, 32), (0, 0, 0, 0))
            clear.paste(Image.new("RGBA", (32, 32), (0, 0, 255, 255)), (32, 0))
            clear.save(file)
        case "LA":
            Image.new("LA", (64, 32), (0, 0)).save(file)
        case "I;16":
            Image.fromarray(np.full((32, 64), 65535, np.uint16)).save(file)
        case _:
            halves("white", "white").convert(kind).save(file)
    image, _, condition = read("paired", tmp_path, size=32)[0][0]
    if kind == "palette":
        assert is_all(condition, RED)
        assert is_all(image, BLUE)
    elif kind == "palette-alpha":
        assert sorted([is_all(condition, WHITE), is_all(image, WHITE)]) == [False, True]
    elif kind == "RGBA":
        assert is_all(condition, WHITE)
        assert is_all(image, BLUE)
    else:
        assert is_all(condition, WHITE)
        assert is_all(image, WHITE)


def test_hidden_files_and_other_files_are_skipped(tmp_path):
    paint_all(tmp_path, ["a.png", ".b.png", ".thumbs/c.png"])
    (tmp_path / "notes.txt").write_text("mine")
    assert len(read("lineart", tmp_path, size=16)[0]) == 1


@pytest.mark.parametrize("name", ["paired", "lineart", "unpaired"])
def test_missing_data_is_refused(tmp_path, name):
    with pytest.raises(DataNotFoundError, match=f"'{name}' needs a folder.*--data DIR"):
        read(name, None)
    with pytest.raises(DataNotFoundError, match="folder not found: .*--data DIR"):
        read(name, tmp_path / "nowhere")
    for folder in "AB":
        (tmp_path / folder).mkdir()
    with pytest.raises(DataNotFoundError, match="contains no image files"):
        read(name, tmp_path)


@pytest.mark.parametrize(
    ("name", "arguments"), [("paired", {"layout": "folders"}), ("unpaired", {})]
)
def test_a_missing_sub_folder_is_refused(tmp_path, name, arguments):
    paint_all(tmp_path, ["trainA/1.png", "trainB/1.png"])
    with pytest.raises(
        DataNotFoundError, match=r"'A' in .* trainA, trainB\..*--dataset\.condition-folder NAME"
    ):
        read(name, tmp_path, **arguments)
    with pytest.raises(DataNotFoundError, match=r"'B' in .*--dataset\.target-folder NAME"):
        read(name, tmp_path, condition_folder="trainA", **arguments)


def test_folders_without_matching_names_are_refused(tmp_path):
    paint_all(tmp_path, ["A/1.png", "A/2.png", "A/3.png", "B/1.png", "B/4.png"])
    with pytest.raises(
        DataError, match=r"contains 3, .* 2, and only one of them has '2', '3', '4'\. .*unp"
    ):
        read("paired", tmp_path, layout="folders")
    paint_all(tmp_path, [f"A/{k}.png" for k in range(10, 20)])
    with pytest.raises(DataError, match=r"'10', '11', '12' and 10 more\."):
        read("paired", tmp_path, layout="folders")


def test_two_files_with_one_stem_are_refused(tmp_path):
    paint_all(tmp_path, ["A/1.png", "A/1.jpg", "B/1.png"])
    with pytest.raises(DataError, match=r"1\.jpg and .*1\.png have the same name"):
        read("paired", tmp_path, layout="folders")


def test_a_pair_of_different_sizes_is_refused(tmp_path):
    paint(tmp_path / "A" / "1.png", 40, 40)
    paint(tmp_path / "B" / "1.png", 40, 30)
    dataset, _ = read("paired", tmp_path, layout="folders")
    with pytest.raises(
        DataError, match=r"are a pair, but are 40x40 and 30x40 pixels \(height x width\)\. Resize"
    ):
        dataset[0]


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (
            33,
            16,
            r"16x33 pixels \(height x width\), and its width is odd.*--dataset\.layout folders",
        ),
        (14, 16, r"is 16x7 pixels; the minimum is 8x8"),
        (16, 7, r"is 7x16 pixels; the minimum is 8x8"),
    ],
)
def test_an_image_file_without_two_halves_is_refused(tmp_path, width, height, message):
    paint(tmp_path / "odd.png", width, height)
    with pytest.raises(DataError, match=f"odd.png .*{message}"):
        read("paired", tmp_path)[0][0]


@pytest.mark.parametrize("layout", ["side-by-side", "folders"])
def test_pairs_of_other_sizes_are_skipped_like_corrupt_ones(tmp_path, layout):
    sizes = {"1": 33, "2": 32}
    for name, width in sizes.items():
        if layout == "folders":
            paint(tmp_path / "A" / f"{name}.png", width, 16)
            paint(tmp_path / "B" / f"{name}.png", 32, 16)
        else:
            paint(tmp_path / f"{name}.png", width, 16)
    dataset, _ = read("paired", tmp_path, layout=layout)
    with pytest.raises(
        DataError, match=r"1\.png .*Or skip such files with --dataset\.skip-corrupt"
    ):
        dataset[0]
    dataset, _ = read("paired", tmp_path, layout=layout, skip_corrupt=True)
    with pytest.warns(UserWarning, match=r"1\.png .*The next image replaces it"):
        image, _, _ = dataset[0]
    assert torch.equal(image, dataset[1][0])


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nno more", b"text"])
def test_a_corrupt_image_file_is_named(tmp_path, content):
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot read the image .*bad\.png: .*Repair it or remove"):
        read("lineart", tmp_path)[0][0]


def test_a_truncated_image_file_is_named(tmp_path):
    file = paint(tmp_path / "half.png", 200, 200)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"half\.png"):
        read("lineart", tmp_path)[0][0]


@pytest.mark.parametrize("name", ["paired", "lineart", "unpaired"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 4}, r"to 4 pixels\. Sides are 8 to 1024 pixels: use --dataset\.size 64"),
        ({"size": "8x"}, r"to '8x' pixels\. .*--dataset\.size HEIGHTxWIDTH"),
        ({"size": 10**6}, "cannot resize images to 1000000"),
        ({"start": -1}, r"cannot use start=-1 .*--dataset\.start 0"),
        ({"count": -1}, "count=-1"),
        ({"start": 7}, r"cannot select items from 7 on: it has \d items\. Use --dataset"),
        ({"start": 1, "count": 10_000}, r"select 10,000 items from index 1 on: it has \d"),
    ],
)
def test_numbers_out_of_range_are_refused(pairs, domains, name, arguments, message):
    with pytest.raises(DataError, match=f"dataset '{name}'.*{message}"):
        read(name, domains if name == "unpaired" else pairs, **arguments)


@pytest.mark.parametrize("thickness", [1, 17])
def test_a_thickness_out_of_range_is_refused(pairs, thickness):
    with pytest.raises(
        DataError, match=rf"thickness {thickness}\. Use --dataset\.thickness 2 to 16"
    ):
        read("lineart", pairs, size=16, thickness=thickness)


def test_openmoji_has_two_splits_and_a_licence(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"openmoji/train\. Download .*DIR/openmoji/train"):
        read("openmoji", tmp_path)
    paint_all(tmp_path / "openmoji" / "train", ["a.png", "b.png"])
    with pytest.raises(DataNotFoundError, match=r"OpenMoji not found: .*openmoji/val\. Download"):
        read("openmoji", tmp_path, split="val")
    paint_all(tmp_path / "openmoji" / "val", ["c.png"])
    train, spec = read("openmoji", tmp_path, size=32)
    val, _ = read("openmoji", tmp_path, split="val", size=32)
    assert (len(train), len(val)) == (2, 1)
    assert spec.license == "cc-by-sa-4.0"
    assert "OpenMoji" in spec.origin
    alone, _ = read("lineart", tmp_path / "openmoji" / "val", size=32)
    assert all((a == b).all() for a, b in zip(val[0][::2], alone[0][::2], strict=True))


def grey_pairs(folder: Path, count: int = 3) -> Path:
    """Pairs of floats from 0 to 1, side by side, the left one dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        pixels = np.random.default_rng(k).random((16, 32), np.float32)
        pixels[:, :16] /= 2
        Image.fromarray(pixels).save(folder / f"{k}.tif")
    return folder


@pytest.mark.parametrize("name", ["paired", "unpaired", "lineart"])
def test_grey_files_of_any_depth_need_a_range_where_their_format_has_none(tmp_path, name):
    root = tmp_path / "data"
    for part in ("A", "B") if name == "unpaired" else ("",):
        grey_pairs(root / part)
    with pytest.raises(DataError, match=r"0\.tif holds float values .* --dataset\.value-range"):
        read(name, root, size=16)[0][0]
    dataset, _ = read(name, root, size=16, value_range=(0.0, 1.0))
    image, _, _ = dataset[0]
    assert image.max() > 200
    with pytest.raises(DataError, match="cannot use the value range 1, 0"):
        read(name, root, value_range=(1.0, 0.0))


def test_finished_pairs_are_no_drawings(tmp_path):
    for k in range(2):
        halves("red", "blue").save(tmp_path / f"{k}.png")
    Image.new("RGB", (40, 32)).save(tmp_path / "2.png")
    with pytest.warns(ImageFileWarning) as record:
        decode(*read("lineart", tmp_path, size=16))
    texts = [str(warning.message) for warning in record]
    assert [warning.category for warning in record] == [FinishedPairWarning, CropWarning]
    assert all(text.startswith("2 of 3 images have this warning: the image ") for text in texts)
    assert re.search(
        r"0\.png has 32x64 pixels, so it looks like a finished pair .* --dataset paired", texts[0]
    )


@pytest.mark.filterwarnings("error")
def test_halves_of_pairs_are_not_cropped(tmp_path):
    halves("red", "blue").save(tmp_path / "0.png")
    decode(*read("paired", tmp_path, size=16))


@pytest.mark.parametrize(
    ("name", "sizes"), [("paired", {"0.png": (32, 32)}), ("unpaired", {"A/0.png": (64, 32)})]
)
def test_images_that_a_crop_halves_are_counted(tmp_path, name, sizes):
    """The halves of a square file are twice as high as wide."""
    for part in ("A/", "B/") if name == "unpaired" else ("",):
        for k in range(3):
            file = f"{part}{k}.png"
            size = sizes.get(file, (64, 32) if name == "paired" else (32, 32))
            Image.new("RGB", size).save(paint(tmp_path / file))
    with pytest.warns(CropWarning, match=r"^1 of 3 images has this warning: .*0\.png") as record:
        decode(*read(name, tmp_path, size=16))
    assert len(record) == 1


@pytest.mark.parametrize("name", ["paired", "unpaired", "lineart"])
def test_a_corrupt_image_is_named_or_skipped(tmp_path, name):
    for part in ("A/", "B/") if name == "unpaired" else ("",):
        for k in range(3):
            paint_all(tmp_path, [f"{part}{k}.png"])
    (file,) = tmp_path.glob("A/1.png" if name == "unpaired" else "1.png")
    file.write_bytes(file.read_bytes()[:100])
    advice = r" Or skip such .*--dataset\.skip-corrupt\. Check all files: ganzoo data "
    with pytest.raises(ImageFileError, match=rf"1\.png.*{advice}{re.escape(str(tmp_path))}$"):
        read(name, tmp_path, size=16)[0][1]
    dataset, _ = read(name, tmp_path, size=16, skip_corrupt=True)
    with pytest.warns(UserWarning, match=r"1\.png.* The next image replaces it"):
        item = dataset[1]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(item, dataset[2], strict=True))
    assert "skip_corrupt" not in bind("dataset", name, ganzoo.datasets.get(name), {})


def test_one_odd_pair_does_not_end_a_training(tmp_path):
    """A width that is odd, two sizes, and an image without its partner."""
    for k in range(3):
        paint(tmp_path / "whole" / f"{k}.png", 65 if k == 1 else 64, 32)
        for part in "AB":
            paint(tmp_path / "parts" / part / f"{k}.png", 32, 40 if (k, part) == (1, "B") else 32)
    paint(tmp_path / "parts" / "A" / "9.png", 32, 32)
    for root, layout in (("whole", "side-by-side"), ("parts", "folders")):
        arguments = {"size": 16, "layout": layout, "skip_corrupt": True}
        dataset, _ = read("paired", tmp_path / root, **arguments)
        with pytest.warns(UserWarning, match=r"1\.png.* The next image replaces it"):
            item = dataset[1]
        assert all(torch.equal(a, b) for a, b in zip(item, dataset[2], strict=True))
    assert "3 pairs; skipped: image without a partner (1)" in dataset.file_counts
    with pytest.raises(DataError, match=r"'9'.*skip these with --dataset\.skip-corrupt"):
        read("paired", tmp_path / "parts", layout="folders")


def test_datasets_count_what_links_repeat(tmp_path):
    root = paint_all(tmp_path, [f"{part}/{k}.png" for part in "AB" for k in range(2)])
    for part in "AB":
        (root / part / "2.png").symlink_to("0.png")
    for name, arguments in (("paired", {"layout": "folders"}), ("unpaired", {}), ("lineart", {})):
        assert "; repeated by links: 2; " in read(name, root, **arguments)[0].file_counts


def test_datasets_count_what_they_pass_over(tmp_path):
    root = paint_all(tmp_path, [*(f"A/{k}.png" for k in range(3)), "B/0.png", "B/1.png", "B/2.png"])
    (root / "A" / "notes.txt").touch()
    (root / "B" / "link").symlink_to(root)
    passed = "link to a folder that contains it (1)", "type .txt (1)"
    for name, arguments, counted in (
        ("paired", {"layout": "folders"}, "3 pairs"),
        ("unpaired", {}, "3 image files in 'A' and 3 in 'B'"),
        ("lineart", {"count": 4}, "4 image files"),
    ):
        counts = read(name, root, **arguments)[0].file_counts
        assert counts.startswith(f"{counted}; skipped: ")
        assert all(part in counts for part in passed)
        assert ("not selected by start and count (2)" in counts) is (name == "lineart")
