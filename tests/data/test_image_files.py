"""Image files of every format are read in one way."""

import numpy as np
import pytest
from PIL import Image

from ganzoo import ImageBatch, ImageSpec
from ganzoo.errors import DataError
from ganzoo.sampling.image_files import read_image

CLEAR_RED = {"RGBA": (255, 0, 0, 0), "LA": (0, 0)}


def saved(path, mode="RGB", color="red", size=(10, 8)):
    Image.new(mode, size, color).save(path)
    return path


@pytest.mark.parametrize("mode", CLEAR_RED)
@pytest.mark.parametrize(("target", "white"), [("RGB", (255, 255, 255)), ("L", 255)])
def test_transparent_pixels_become_white(tmp_path, mode, target, white):
    picture = read_image(saved(tmp_path / "a.png", mode, CLEAR_RED[mode]), target)
    assert picture.mode == target
    assert picture.getpixel((3, 3)) == white


def test_half_transparent_pixels_become_half_white(tmp_path):
    picture = read_image(saved(tmp_path / "a.png", "RGBA", (255, 0, 0, 51)))
    assert picture.getpixel((0, 0)) == (255, 204, 204)


def test_sixteen_bits_keep_their_brightness(tmp_path):
    Image.fromarray(np.full((8, 8), 257 * 100, np.uint16)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", "L").getpixel((0, 0)) == 100


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").size == (10, 20)


@pytest.mark.parametrize("size", [(7, 100), (100, 1)])
def test_a_too_small_image_file_is_named(tmp_path, size):
    with pytest.raises(
        DataError, match=rf"a\.png is {size[0]}x{size[1]} pixels; the minimum is 8x8"
    ):
        read_image(saved(tmp_path / "a.png", size=size))


def test_a_file_that_is_not_an_image_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG and no more")
    with pytest.raises(DataError, match=r"cannot read the image .*a\.png"):
        ImageBatch.open([tmp_path / "a.png"], ImageSpec(8, 8, 3))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"image file not found: .*a\.png"):
        read_image(tmp_path / "a.png")


def test_images_are_resized_and_cropped_to_the_size(tmp_path):
    wide = Image.new("RGB", (32, 16), "blue")
    wide.paste("red", (8, 0, 24, 16))
    wide.save(tmp_path / "wide.png")
    pixels = ImageBatch.open([tmp_path / "wide.png"], ImageSpec(16, 16, 3)).numpy()
    assert pixels.shape == (1, 16, 16, 3)
    assert (pixels == (255, 0, 0)).all()
