"""Image files of any shape become images of one size."""

import numpy as np
import pytest
from PIL import Image

from ganzoo.errors import DataError
from ganzoo.sampling.image_files import CropWarning, fit_image, read_image
from ganzoo.sampling.image_fits import Fitting, PadWarning, StretchWarning, parse_size
from ganzoo.sampling.image_warnings import ImageNotes


def stripes():
    """An image of 30x10 pixels: red, green and blue squares."""
    image = Image.new("RGB", (30, 10), "red")
    image.paste("lime", (10, 0, 20, 10))
    image.paste("blue", (20, 0, 30, 10))
    return image


def noise(width, height):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(64, (64, 64)), ("64", (64, 64)), ("48x64", (48, 64)), ("1x4096", (1, 4096))],
)
def test_sizes_are_height_and_width(size, expected):
    assert parse_size("folder", size, 1, 4096) == expected


@pytest.mark.parametrize(
    "size",
    [0, -1, 4097, 10**30, "", " ", "64x", "x64", "0x64", "64x0", "-64x64", "64x64x3", "64 x 64"]
    + ["64X64", "64.0", "1e2", "٦٤", "9" * 5000, "64x5000"],
)
def test_other_sizes_are_refused_in_one_line(size):
    with pytest.raises(
        DataError, match=r"'folder' cannot resize images to .*--dataset\.size HEIGHTxWIDTH"
    ) as error:
        parse_size("folder", size, 1, 4096)
    assert len(str(error.value)) < 250


def test_a_crop_is_that_of_other_images():
    image = noise(41, 30)
    assert Fitting(8, 8).apply(image, "a", "a").tobytes() == fit_image(image, 8, 8, "a").tobytes()


@pytest.mark.filterwarnings("ignore::ganzoo.sampling.image_warnings.ImageFileWarning")
def test_fits_keep_the_centre_or_all_of_an_image():
    fits = {
        fit: np.asarray(Fitting(10, 10, fit).apply(stripes(), "a", "a")).astype(int)
        for fit in ("crop", "pad", "stretch")
    }
    assert (fits["crop"] == (0, 255, 0)).all()
    assert (fits["pad"][[0, 1, 2, -3, -2, -1]] == 255).all(), "the same padding at both ends"
    assert (fits["pad"][4:6].argmax(2) == [0] * 3 + [1] * 4 + [2] * 3).all()
    assert (fits["stretch"].argmax(2) == [0] * 3 + [1] * 4 + [2] * 3).all()
    black = Fitting(10, 10, "pad", "black").apply(stripes().convert("L"), "a", "a")
    assert not np.asarray(black)[:3].any()


def test_a_rectangle_of_the_same_shape_changes_nothing():
    image = noise(24, 16)
    for fit in ("crop", "random-crop", "pad", "stretch"):
        assert Fitting(16, 24, fit).apply(image, "a", "a").tobytes() == image.tobytes()


@pytest.mark.filterwarnings("ignore::ganzoo.sampling.image_files.CropWarning")
def test_a_random_crop_depends_on_the_name_alone():
    """Its left end is the share of the free pixels that the SHA-256 of the name states."""
    image = Image.new("L", (1010, 10))
    image.putdata([k % 1010 // 4 for k in range(10100)])
    fitting = Fitting(10, 10, "random-crop")
    keys = ("0.png", "1.png", "a/0.png")
    crops = [np.asarray(fitting.apply(image, "any file", key)) for key in keys]
    assert [4 * int(crop[0, 0]) for crop in crops] == pytest.approx([59, 580, 139], abs=6)


@pytest.mark.filterwarnings("ignore::ganzoo.sampling.image_files.CropWarning")
def test_random_crops_reach_both_ends():
    image = Image.new("L", (20, 10))
    image.putdata([k % 20 for k in range(200)])
    fitting = Fitting(10, 10, "random-crop")
    lefts = [int(np.asarray(fitting.apply(image, "a", str(k)))[5, 0]) for k in range(60)]
    assert {0, 10} <= set(lefts)


@pytest.mark.parametrize(
    ("fit", "kind", "text"),
    [
        ("crop", CropWarning, r"loses half of them or more to the centre crop to 16x8"),
        ("random-crop", CropWarning, r"more to the random crop to 16x8"),
        ("pad", PadWarning, r"at least half of its pixels become white padding at 16x8"),
        ("stretch", StretchWarning, r"at least twice as much as the other at 16x8"),
    ],
)
def test_each_fit_warns_of_images_that_it_changes_much(fit, kind, text, recwarn):
    Fitting(16, 8, fit).apply(noise(31, 32), "b.png", "b.png")
    assert not recwarn.list
    with pytest.warns(kind, match=rf"b\.png has 32x32 pixels \(height x width\), and .*{text}"):
        assert Fitting(16, 8, fit).apply(noise(32, 32), "b.png", "b.png").size == (8, 16)


def test_the_background_is_white_or_black(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.png")
    white, black = (
        np.asarray(read_image(tmp_path / "a.png", background=colour))
        for colour in ("white", "black")
    )
    assert (white == 255).all()
    assert not black.any()


def test_the_plan_names_the_fit():
    assert str(Fitting(48, 64)) == "crop to 48x64 (height x width)"
    assert str(Fitting(8, 8, "pad", "black")) == "pad to 8x8 (height x width) with black"


@pytest.mark.parametrize(
    ("width", "count"),
    [(17, []), (18, ["cropped by a tenth to half"]), (32, ["cropped by half or more"])],
)
def test_crops_are_counted_by_their_share(width, count):
    notes = ImageNotes()
    with notes.of_image():
        Fitting(16, 16).warn((width, 16), "a.png")
    assert list(notes.counts) == count
