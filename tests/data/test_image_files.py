"""Image files of every format are read in one way."""

import io
import os
import struct
import warnings

import numpy as np
import pytest
from PIL import Image, ImageFile

from ganzoo import ImageBatch, ImageSpec
from ganzoo.errors import DataError, ImageFileError
from ganzoo.sampling.image_depth import NarrowRangeWarning, check_value_range
from ganzoo.sampling.image_files import (
    CropWarning,
    PartialImageWarning,
    decode_image,
    fit_image,
    read_image,
)
from ganzoo.sampling.image_warnings import ImageNotes
from helpers.images import png_of, with_damaged_tag

TURNED = Image.Exif()
TURNED[0x0112] = 6

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


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("target", ["L", "RGB"])
def test_opaque_files_have_the_pixels_of_opaque_alpha(tmp_path, mode, target):
    """They are read without alpha, which is faster."""
    levels = np.arange(48 * 64 * len(mode), dtype=np.uint32) * 2654435761 >> 24
    image = Image.fromarray(levels.astype(np.uint8).reshape(48, 64, -1).squeeze())
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    image.convert("RGBA").save(tmp_path / "alpha.png", exif=exif)
    opaque = read_image(tmp_path / "a.png", target)
    assert opaque.size == (48, 64)
    assert opaque.tobytes() == read_image(tmp_path / "alpha.png", target).tobytes()
    assert opaque.info == {}


def test_sixteen_bits_keep_their_brightness(tmp_path):
    Image.fromarray(np.full((8, 8), 257 * 100, np.uint16)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", "L").getpixel((0, 0)) == 100


GREY = np.random.default_rng(0).random((16, 16))  # 0 to 1


def grey(path, values, dtype, **options):
    """Write grey values as they are."""
    Image.fromarray(values.astype(dtype)).save(path, **options)
    return path


def error_of(image, exact=GREY):
    """The largest error of an image's levels, in levels."""
    return np.abs(np.asarray(image) - 255 * exact).max()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "dtype", "white"),
    [("a.png", "u1", 255), ("a.png", "u2", 65535), ("a.tif", "u2", 65535), ("a.tif", ">u2", 65535)],
)
def test_unsigned_values_have_the_range_of_their_bits(tmp_path, name, dtype, white):
    assert error_of(read_image(grey(tmp_path / name, GREY * white, dtype), "L")) <= 1


@pytest.mark.filterwarnings("error")
def test_a_file_that_states_its_white_has_it(tmp_path):
    """The largest value of a PGM, and the bits of a TIFF of 12 bits packed."""
    values = (GREY * 4095).astype(">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 16 16 4095\n" + values.tobytes())
    assert error_of(read_image(tmp_path / "a.pgm", "L")) <= 1
    inverted = grey(tmp_path / "a.tif", (1 - GREY) * 65535, "u2", tiffinfo={262: 0})  # 0 is white
    assert error_of(read_image(inverted, "L")) <= 1


UNDEFINED = {
    "float_of_1": ("f4", GREY, (0, 1)),
    "float_of_65535": ("f4", 65535 * GREY, (0, 65535)),
    "bits_32": ("i4", 255 * GREY, (0, 255)),
    "signed": ("i4", 2000 * GREY - 1000, (-1000, 1000)),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", UNDEFINED)
def test_values_without_a_defined_white_are_refused_or_have_a_stated_one(tmp_path, name):
    dtype, values, ends = UNDEFINED[name]
    file = grey(tmp_path / f"{name}.tif", values, dtype)
    low, high = values.astype(dtype).min(), values.astype(dtype).max()
    with pytest.raises(ImageFileError, match=rf"{name}\.tif holds .* from {low:g} to {high:g}, .*"):
        read_image(file, "L")
    assert error_of(read_image(file, "L", ends)) <= 1


def test_signed_bytes_are_not_read_as_unsigned_ones(tmp_path):
    """PIL reads -1 as 255."""
    file = grey(tmp_path / "a.tif", (255 * GREY).astype("u1") ^ 128, "u1", tiffinfo={339: 2})
    with pytest.raises(ImageFileError, match="signed values of 8 bits"):
        read_image(file)
    assert error_of(read_image(file, "L", (-128, 127))) <= 1


def tiff_of(values, sample_format):
    """Return a grey TIFF of 16x16 values of a dtype that PIL cannot write."""
    data = values.tobytes()
    numbers = {256: 16, 257: 16, 258: 8 * values.itemsize, 259: 1, 262: 1, 273: 8, 277: 1}
    numbers |= {278: 16, 279: len(data), 339: sample_format}
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, number) for tag, number in numbers.items())
    head = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return head + data + struct.pack("<H", len(numbers)) + tags + bytes(4)


def test_unsigned_values_of_32_bits_are_not_read_as_signed_ones(tmp_path):
    """PIL reads 2**32 - 1 as -1."""
    (tmp_path / "a.tif").write_bytes(tiff_of((GREY * (2**32 - 1)).astype("<u4"), 1))
    with pytest.raises(ImageFileError, match=r"holds unsigned values of 32 bits from .* to 4\.2"):
        read_image(tmp_path / "a.tif")
    assert error_of(read_image(tmp_path / "a.tif", "L", (0, 2**32 - 1))) <= 1


def test_signed_values_of_16_bits_are_named(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff_of((1000 * GREY - 500).astype("<i2"), 2))
    with pytest.raises(ImageFileError, match="holds signed values of 16 bits from -"):
        read_image(tmp_path / "a.tif")
    assert error_of(read_image(tmp_path / "a.tif", "L", (-500, 500))) <= 1


@pytest.mark.parametrize("white", [255, 1023, 4095, 16383])
def test_fewer_bits_than_the_file_has_are_warned_of(tmp_path, white):
    file = grey(tmp_path / "a.png", GREY * white, "u2")
    with pytest.warns(
        NarrowRangeWarning, match=r"a\.png has only values from .*--dataset\.value-range"
    ):
        read_image(file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert error_of(read_image(file, "L", (0, white))) <= 1


@pytest.mark.parametrize("white", [1023, 4095, 16383])
def test_colours_of_fewer_bits_than_the_file_has_are_warned_of(tmp_path, white):
    values = np.broadcast_to((GREY * white).astype(">u2")[..., None], (*GREY.shape, 3))
    (tmp_path / "a.png").write_bytes(png_of(values, 16))
    with pytest.warns(NarrowRangeWarning, match=r"a\.png has only values from 0 to") as record:
        read_image(tmp_path / "a.png")
    assert "--dataset.value-range" not in str(record[0].message), "it is for grey files"


@pytest.mark.parametrize("ending", ["gif", "png", "tif", "webp"])
def test_an_image_file_of_several_images_is_warned_of(tmp_path, ending):
    colours = ("red", "green", "blue")
    first, *others = (Image.new("RGB", (10, 8), colour) for colour in colours)
    first.save(tmp_path / f"a.{ending}", save_all=True, append_images=others)
    with pytest.warns(PartialImageWarning, match=rf"a\.{ending} holds several images"):
        read_image(tmp_path / f"a.{ending}")


@pytest.mark.filterwarnings("error")
def test_further_views_of_a_photo_are_not_warned_of(tmp_path):
    photo = Image.new("RGB", (10, 8), "red")
    photo.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[photo])
    read_image(tmp_path / "a.jpg")


def test_a_process_that_completes_truncated_images_is_warned_of(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    first, second = (Image.new("RGB", (10, 8), colour) for colour in ("red", "green"))
    first.save(tmp_path / "a.png", save_all=True, append_images=[second])
    with pytest.warns(PartialImageWarning) as record:
        ImageBatch.open([tmp_path / "a.png"], ImageSpec(8, 8, 3))
    texts = [str(warning.message) for warning in record]
    assert len(texts) == 2, "of two kinds"
    assert "holds several images" in texts[0]
    assert "the missing part of a truncated image" in texts[1]


@pytest.mark.parametrize("value_range", [None, (0, 65535)])
def test_transparent_values_of_sixteen_bits_become_white(tmp_path, value_range):
    values = np.zeros((8, 10), "u2")
    values[:, 5:] = 65535
    values[0, 0] = 300
    Image.fromarray(values).save(tmp_path / "a.png", transparency=300)
    assert np.asarray(read_image(tmp_path / "a.png", "L", value_range))[0, :2].tolist() == [255, 0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_value_becomes_white_at_every_depth(tmp_path, bits):
    values = np.zeros((8, 16, 1), int)
    values[:, 6:11], values[:, 11:] = 2**bits // 3, 2**bits - 1
    for transparent in (2**bits // 3, 0):
        (tmp_path / "a.png").write_bytes(png_of(values, bits, (transparent,)))
        levels = np.rint(values[0, [0, 6, 11], 0] * 255 / (2**bits - 1))
        levels[values[0, [0, 6, 11], 0] == transparent] = 255
        row = np.asarray(read_image(tmp_path / "a.png", "L"))[0, [0, 6, 11]]
        assert row.tolist() == levels.tolist()


@pytest.mark.filterwarnings("error")
def test_a_transparent_colour_of_eight_bits_becomes_white(tmp_path):
    values = np.zeros((8, 16, 3), int)
    values[:, 8:] = (9, 80, 255)
    (tmp_path / "a.png").write_bytes(png_of(values, 8, (9, 80, 255)))
    assert np.asarray(read_image(tmp_path / "a.png"))[0, [0, 8]].tolist() == [[0] * 3, [255] * 3]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_of_sixteen_bits_is_read(tmp_path, channels):
    values = np.zeros((8, 16, channels), int)
    values[:, 8:] = 65535
    values[:, 8:, 0] = 0
    values[:, 12:, -1] = 257 * 51
    (tmp_path / "a.png").write_bytes(png_of(values, 16))
    row = np.asarray(read_image(tmp_path / "a.png"))[0, [0, 8, 12], 0]
    assert row.tolist() == [255, 0, 204]


def test_a_transparent_colour_of_sixteen_bits_is_refused(tmp_path):
    """PIL reduces the pixels to 8 bits, where other colours equal the transparent one."""
    values = np.full((8, 16, 3), 65535)
    (tmp_path / "a.png").write_bytes(png_of(values, 16, (65280, 65280, 65280)))
    with pytest.raises(
        ImageFileError, match=r"cannot read the image .*a\.png: it has colours of 16 bits.*alpha"
    ):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_classes_as_levels_are_warned_of(tmp_path, mode):
    """A segmentation of 8 bits holds the numbers 0 to 5."""
    Image.fromarray((5 * GREY).astype("u1")).convert(mode).save(tmp_path / "a.png")
    with pytest.warns(NarrowRangeWarning, match="has only values from 0 to 4"):
        read_image(tmp_path / "a.png")


def test_a_mask_whose_middle_row_is_empty_is_warned_of(tmp_path):
    """Colour files are narrow by all rows, of which the middle one is read first."""
    pixels = np.zeros((9, 9, 3), np.uint8)
    pixels[0] = 1
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with pytest.warns(NarrowRangeWarning, match="has only values from 0 to 1,"):
        read_image(tmp_path / "a.png")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_fog_is_not_warned_of(tmp_path, mode):
    Image.fromarray((5 * GREY + 120).astype("u1")).convert(mode).save(tmp_path / "a.png")
    read_image(tmp_path / "a.png")


@pytest.mark.filterwarnings("error")
def test_an_image_of_one_value_and_a_stated_range_are_not_warned_of(tmp_path):
    for level in (0, 3, 255):
        read_image(saved(tmp_path / "a.png", "L", level))
    assert error_of(read_image(grey(tmp_path / "b.png", 5 * GREY, "u1"), "L", (0, 5))) <= 51


def test_values_that_are_no_numbers_and_colours_with_a_range_are_refused(tmp_path):
    values = GREY.copy()
    values[0, 0] = np.nan
    with pytest.raises(ImageFileError, match=r"a\.tif contains values that are NaN"):
        read_image(grey(tmp_path / "a.tif", values, "f4"), "L", (0, 1))
    with pytest.raises(ImageFileError, match="colour mode RGB"):
        read_image(saved(tmp_path / "a.png"), "L", (0, 1))


@pytest.mark.parametrize("values", [(1.0,), (1.0, 1.0), (2.0, 1.0), (0.0, np.inf), (1, 2, 3)])
def test_a_wrong_value_range_is_refused(values):
    with pytest.raises(DataError, match="dataset 'folder' cannot use the value range"):
        check_value_range("folder", values)


def test_a_damaged_tag_beside_the_orientation_does_no_harm(tmp_path):
    image = read_image(with_damaged_tag(tmp_path / "a.jpg", size=(20, 10)))
    assert image.size == (10, 20)


@pytest.mark.parametrize(
    "error", [RuntimeError("a\nb"), KeyError("x"), IndexError(), MemoryError(), SyntaxError("bad")]
)
def test_whatever_a_decoder_raises_names_the_file_in_one_line(tmp_path, monkeypatch, error):
    def broken(*_):
        raise error

    file = saved(tmp_path / "a.png")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", broken)
    with pytest.raises(
        ImageFileError, match=r"cannot read the image .*a\.png: .+\. Repair"
    ) as error_info:
        read_image(file)
    assert "\n" not in str(error_info.value)
    with (
        pytest.raises(ImageFileError, match=r"cannot read the image of mine: "),
        file.open("rb") as f,
    ):
        decode_image(f, "RGB", "of mine")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    for path in (tmp_path / "a.png", tmp_path):
        with pytest.raises(ImageFileError, match="is not a file"):
            read_image(path)


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").size == (10, 20)


@pytest.mark.parametrize(
    ("mode", "ending", "target", "options", "names"),
    [
        ("RGB", "png", "RGB", {}, []),
        ("P", "png", "RGB", {}, []),
        ("RGBA", "png", "RGB", {}, ["transparent on white"]),
        ("CMYK", "tif", "L", {}, ["colour to grey"]),
        ("RGB", "png", "L", {}, ["colour to grey"]),
        ("L", "jpg", "L", {}, []),
        ("L", "jpg", "RGB", {}, ["grey to RGB"]),
        ("I;16", "png", "L", {}, ["of 16 bits reduced to 8"]),
        ("CMYK", "jpg", "RGB", {}, ["CMYK to RGB"]),
        ("P", "gif", "RGB", {"transparency": 0}, ["transparent on white"]),
        (
            "RGB",
            "png",
            "RGB",
            {"save_all": True, "append_images": [Image.new("RGB", (8, 10))]},
            ["of several frames or pages (first only)"],
        ),
        ("RGB", "jpg", "RGB", {"exif": TURNED}, ["turned by EXIF"]),
    ],
)
def test_conversions_are_counted_by_name(tmp_path, mode, ending, target, options, names):
    file = tmp_path / f"a.{ending}"
    Image.new(mode, (8, 10)).save(file, **options)
    notes = ImageNotes()
    for _ in range(2):
        with notes.of_image():
            read_image(file, target)
    assert notes.counts == dict.fromkeys(names, 2)


@pytest.mark.parametrize("size", [(7, 100), (100, 1)])
def test_a_too_small_image_file_is_named(tmp_path, size):
    with pytest.raises(
        DataError, match=rf"a\.png is {size[1]}x{size[0]} pixels; the minimum is 8x8"
    ):
        read_image(saved(tmp_path / "a.png", size=size))


def test_a_file_that_is_not_an_image_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG and no more")
    with pytest.raises(DataError, match=r"cannot read the image .*a\.png"):
        ImageBatch.open([tmp_path / "a.png"], ImageSpec(8, 8, 3))


@pytest.mark.parametrize(
    ("head", "advice"),
    [
        (b"\0\0\0\x18ftypheic", r"its content is HEIC, .*\. Convert it to JPEG or PNG\."),
        (b"\0\0\0\x18ftypmif1", "its content is HEIC"),
        (b"\xff\x0a\x01", "its content is JPEG XL"),
        (b"\0\0\0\x18ftypisom", r"its content is a video, .* Replace it or remove it\."),
        (b"\n<!DOCTYPE html><title>404</title>", "its content is an HTML page"),
        (b'<?xml version="1.0"?><svg/>', "its content is SVG"),
        (b"%PDF-1.7", "its content is PDF"),
        (b"", "it is empty. Repair it or remove it"),
        (b"text", r"not an image of a kind that Pillow reads\. Repair it or remove it\."),
    ],
)
def test_a_file_of_another_format_than_its_name_is_named(tmp_path, head, advice):
    (tmp_path / "a.jpg").write_bytes(head)
    with pytest.raises(ImageFileError, match=rf"cannot read the image .*a\.jpg: .*{advice}"):
        read_image(tmp_path / "a.jpg")
    with pytest.raises(ImageFileError, match=rf"cannot read the image b of the zip: .*{advice}"):
        decode_image(io.BytesIO(head), "RGB", "b of the zip")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"image file not found: .*a\.png"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("size", [(32, 16), (16, 32), (33, 16)])
def test_the_loss_of_half_an_image_is_warned_of(size):
    with pytest.warns(
        CropWarning,
        match=rf"a\.png has {size[1]}x{size[0]} pixels \(height x width\), and loses half of them",
    ):
        assert fit_image(Image.new("L", size), 8, 8, "a.png").size == (8, 8)


@pytest.mark.filterwarnings("error")
def test_the_loss_of_less_than_half_an_image_is_not_warned_of():
    for size in ((31, 16), (16, 31), (16, 16)):
        fit_image(Image.new("L", size), 8, 8, "a.png")
    fit_image(Image.new("L", (64, 32)), 16, 8, "a.png")


def test_files_of_a_batch_are_warned_of_once(tmp_path):
    sizes = [(32, 16), (16, 16), (16, 64)]
    files = [saved(tmp_path / f"{k}.png", size=size) for k, size in enumerate(sizes)]
    with pytest.warns(CropWarning) as record:
        ImageBatch.open(files, ImageSpec(8, 8, 3))
    (warning,) = record
    assert str(warning.message).startswith("2 of 3 images have this warning: the image ")
    with pytest.warns(CropWarning, match=r"^the image .*0\.png has 16x32"):
        ImageBatch.open(files[:1], ImageSpec(8, 8, 3))


@pytest.mark.filterwarnings("ignore::ganzoo.sampling.image_files.CropWarning")
def test_images_are_resized_and_cropped_to_the_size(tmp_path):
    wide = Image.new("RGB", (32, 16), "blue")
    wide.paste("red", (8, 0, 24, 16))
    wide.save(tmp_path / "wide.png")
    pixels = ImageBatch.open([tmp_path / "wide.png"], ImageSpec(16, 16, 3)).numpy()
    assert pixels.shape == (1, 16, 16, 3)
    assert (pixels == (255, 0, 0)).all()
