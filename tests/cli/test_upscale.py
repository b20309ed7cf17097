"""`ganzoo upscale` on files and folders."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from torch import nn

from ganzoo.bundle.files import write_file
from ganzoo.cli import main
from ganzoo.errors import ImageFileError, OutputError
from ganzoo.sampling import image_files
from ganzoo.sampling.image_files import read_with_metadata
from ganzoo.sampling.image_folders import AVIF
from ganzoo.sampling.png_files import write_png
from ganzoo.spec import SizesSpec
from ganzoo.zoo import list_models
from helpers.translators import LocalTranslator, spec_of

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION = 0x0112  # the EXIF tag


@pytest.fixture
def load(monkeypatch):
    """Return a function that makes a model of every name: it doubles images."""

    def load(function=None, **sizes) -> LocalTranslator:
        spec = spec_of(SizesSpec(**{"scale": 2, "reach": 0, "memory": 1} | sizes), channels=3)
        model = LocalTranslator(function or nn.Upsample(scale_factor=2), spec)
        monkeypatch.setattr("ganzoo.zoo.load", lambda *_, **__: model)
        return model

    return load


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "trip").mkdir(parents=True)
    red = Image.new("RGB", (20, 10), "red")
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    red.save("photos/a.png", icc_profile=PROFILE)
    red.save("photos/b.jpg", exif=turned, icc_profile=PROFILE)
    red.save("photos/trip/c.webp", icc_profile=PROFILE, lossless=True)
    red.save("photos/d.bmp")
    return tmp_path / "photos"


def test_files_keep_their_names_profiles_and_orientation(load, photos, capsys):
    load()
    assert main(["upscale", "n", "photos", "-o", "out"]) == 0
    assert "out: 4 images upscaled, " in capsys.readouterr().out
    sizes = {"a.png": (40, 20), "b.jpg": (20, 40), "trip/c.webp": (40, 20), "d.png": (40, 20)}
    for name, size in sizes.items():
        with Image.open(photos.parent / "out" / name) as image:
            assert image.size == size
            assert np.abs(np.asarray(image).astype(int) - (255, 0, 0)).max() <= 3
            assert image.info.get("icc_profile") == (None if name == "d.png" else PROFILE)
            assert ORIENTATION not in image.getexif()
    assert len(list((photos.parent / "out").rglob("*.*"))) == 5, "with translation.json"
    assert main(["upscale", "n", "photos", "-o", "out"]) == 0
    assert capsys.readouterr().out == "out: 4 images already existed\n"


def test_an_image_that_changed_is_upscaled_again(load, photos, capsys):
    load()
    command = ["upscale", "n", "photos", "-o", "out"]
    assert main(command) == 0
    Image.new("RGB", (9, 12), "blue").save("photos/a.png")
    os.utime("photos/a.png", (0, 0))  # an older file in its place
    capsys.readouterr()
    assert main(command) == 0
    assert "out: 1 image upscaled" in (text := capsys.readouterr().out)
    assert "; 3 images already existed" in text
    assert Image.open("out/a.png").size == (18, 24)


def test_outputs_of_other_images_of_the_same_names_are_replaced(load, photos, capsys):
    """Even if these are older than the outputs, such as photos of another folder."""
    load()
    assert main(["upscale", "n", "photos", "-o", "out"]) == 0
    (photos.parent / "others").mkdir()
    Image.new("RGB", (9, 12), "blue").save("others/a.png")
    os.utime("others/a.png", (1, 1))
    assert main(["upscale", "n", "others", "-o", "out"]) == 0
    assert Image.open("out/a.png").getpixel((0, 0)) == (0, 0, 255)
    Image.new("RGB", (3, 3)).save("out/a.png")
    assert main(["upscale", "n", "others", "-o", "out"]) == 0
    assert Image.open("out/a.png").size == (3, 3), "an output that the user edits is kept"
    assert capsys.readouterr().out.endswith("out: 1 image already existed\n")


@pytest.mark.parametrize("name", ["o.jpg", "o.bmp", "o.ppm"])
def test_transparency_becomes_white_in_formats_without_it(load, photos, capsys, name):
    load()
    Image.new("RGBA", (9, 8), (255, 0, 0, 128)).save("photos/a.png")
    assert main(["upscale", "n", "photos/a.png", "-o", name]) == 0
    assert "a.png has transparency, and its output ends in ." in capsys.readouterr().err
    assert np.abs(np.asarray(Image.open(name)).astype(int) - (255, 127, 127)).max() <= 3


def test_files_are_missing(load, photos, capsys):
    load()
    assert main(["upscale", "n", "-o", "out"]) == 1
    error = "error: there are no image files. Name files or folders after the model.\n"
    assert capsys.readouterr().err == error
    assert not (photos.parent / "out").exists()


def test_transparency_in_a_file_that_ends_in_jpg_becomes_white(load, photos, capsys):
    load()
    Image.new("RGBA", (9, 8), (255, 0, 0, 128)).save("photos/b.jpg", "png", icc_profile=PROFILE)
    Image.new("LA", (9, 8), (0, 128)).save("photos/e.jpeg", "png")
    assert main(["upscale", "n", "photos", "-o", "out"]) == 0
    assert "b.jpg has transparency, and its output ends in .jpg" in capsys.readouterr().err
    with Image.open("out/b.jpg") as image:
        assert np.abs(np.asarray(image).astype(int) - (255, 127, 127)).max() <= 3
        assert image.info["icc_profile"] == PROFILE
    with Image.open("out/e.jpeg") as image:
        assert image.mode == "L"
        assert np.abs(np.asarray(image).astype(int) - 127).max() <= 3


def test_a_profile_of_grey_is_not_that_of_colours(load, photos):
    model = load(lambda grey: nn.Upsample(scale_factor=2)(grey).expand(-1, 3, -1, -1))
    data = model.spec.data
    data = replace(data, condition=replace(data.condition, channels=1))
    model.spec = replace(model.spec, data=data)
    Image.new("L", (9, 8), 90).save("photos/a.png", icc_profile=PROFILE)
    assert main(["upscale", "n", "photos/a.png", "-o", "colour.png"]) == 0
    with Image.open("colour.png") as image:
        assert (image.mode, image.info.get("icc_profile")) == ("RGB", None)


def test_files_beyond_the_limit_of_pillow_are_read(load, photos, monkeypatch, capsys):
    """Its limit of 89 megapixels warns, and twice the limit refuses: here, 50 and 100 pixels."""
    load()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    assert main(["upscale", "n", "photos", "-o", "out"]) == 0
    assert capsys.readouterr().err == ""
    assert Image.MAX_IMAGE_PIXELS == 50
    with pytest.raises(ImageFileError, match=r"more than 100 pixels\. Crop it, cut it into parts"):
        read_with_metadata("photos/a.png")


def test_a_file_that_exceeds_the_free_memory_stops_no_others(load, photos, monkeypatch, capsys):
    model = load()
    monkeypatch.setattr(model, "free_memory", lambda: 3 * 40 * 20)
    Image.new("RGB", (21, 10)).save("photos/a.png")
    assert main(["upscale", "n", "photos", "-o", "out"]) == 0
    output = capsys.readouterr()
    assert "out: 3 images upscaled" in output.out
    assert "cannot enlarge photos/a.png: the result of 1 image of 10x21 pixels" in output.err
    monkeypatch.setattr(image_files, "LARGE", 205)
    monkeypatch.setattr(image_files, "free_host_memory", lambda: 2000)
    assert main(["upscale", "n", "photos/a.png", "-o", "a.png"]) == 1
    message = "cannot read the image photos/a.png: its 10x21 pixels take 0.0 GiB, and 0.0 GiB"
    assert message in capsys.readouterr().err


def test_a_pattern_selects_files(load, photos, capsys):
    load()
    assert main(["upscale", "n", "photos/*.[pj]*g", "-o", "out"]) == 0
    assert sorted(file.name for file in (photos.parent / "out").glob("*.*g")) == ["a.png", "b.jpg"]
    assert main(["upscale", "n", "photos/a*", "-o", "one"]) == 0
    assert (photos.parent / "one" / "a.png").is_file()
    assert main(["upscale", "n", "photos/*.gif", "-o", "out"]) == 1
    assert "image file not found: photos/*.gif" in capsys.readouterr().err


def test_a_full_disk_in_the_middle_keeps_what_is_complete(load, photos, capsys, monkeypatch):
    def write(path, content):
        if path.name == "b.jpg":
            raise OutputError(f"cannot write {path}: No space left on device.")
        write_file(path, content)

    load()
    with monkeypatch.context() as patch:
        patch.setattr("ganzoo.sampling.images.write_file", write)  # of all but PNG
        assert main(["upscale", "n", "photos", "-o", "out"]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert main(["upscale", "n", "photos", "-o", "out"]) == 0
    assert "out: 3 images upscaled" in (text := capsys.readouterr().out)
    assert "; 1 image already existed" in text


def test_transparency_and_grey_stay(load, photos, capsys):
    model = load()
    colours = Image.new("RGBA", (16, 16), (0, 200, 0, 100))
    colours.putpixel((15, 15), (9, 9, 9, 0))
    colours.save("rgba.png")
    Image.new("LA", (16, 16), (70, 50)).save("la.png")
    Image.new("L", (16, 16), 130).save("l.png")
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save("cmyk.jpg", icc_profile=PROFILE)
    for name, mode, value in [
        ("rgba.png", "RGBA", (0, 200, 0, 100)),
        ("la.png", "LA", (70, 50)),
        ("l.png", "L", 130),
        ("cmyk.jpg", "RGB", (254, 0, 0)),
    ]:
        assert main(["upscale", "n", name, "-o", f"out-{name}"]) == 0
        with Image.open(f"out-{name}") as image:
            assert (image.mode, image.size) == (mode, (32, 32))
            assert image.getpixel((2, 2)) == value
            assert "icc_profile" not in image.info, "CMYK's does not fit"
        warns = "cmyk.jpg has the colours CMYK: it becomes RGB" in capsys.readouterr().err
        assert warns == (name == "cmyk.jpg")
    assert {shape[1] for shape in model.shapes} == {3}


def test_tiles_are_chosen_by_the_free_memory(load, photos, capsys, monkeypatch):
    model = load(memory=100, reach=3, multiple=2)
    Image.new("RGB", (300, 200), "red").save("wide.png")
    assert main(["upscale", "n", "wide.png", "-o", "out.png"]) == 0
    assert model.shapes == [(1, 3, 200, 300)]
    monkeypatch.setattr(type(model), "free_memory", lambda _: 10 * 2**20)
    monkeypatch.setattr("ganzoo.sampling.translation.MAX_TILE_MEMORY", 64**2 * 100)
    assert main(["upscale", "n", "wide.png", "-o", "out.png"]) == 0
    assert set(model.shapes[1:]) == {(1, 3, 64, 64)}
    assert "in tiles, the same as whole: 1 of 1" in capsys.readouterr().out
    monkeypatch.setattr(type(model), "free_memory", lambda _: 500_000)
    assert main(["upscale", "n", "wide.png", "-o", "out.png"]) == 1
    assert "the result of 1 image of 200x300 pixels takes 0.0 GiB" in capsys.readouterr().err


class Exhausted(nn.Module):
    def forward(self, images):
        raise MemoryError


def test_too_little_memory_beside_the_result_is_one_clear_line(load, photos, capsys):
    load(Exhausted())
    assert main(["upscale", "n", "photos/a.png", "-o", "out.png"]) == 1
    assert "takes 0.0 GiB, which is too much beside the images" in capsys.readouterr().err


@pytest.mark.parametrize("tile", ["auto", "64"])
def test_a_network_of_the_whole_image_says_that_its_tiles_differ(load, photos, capsys, tile):
    load(reach=None, memory=2**20)
    Image.new("RGB", (300, 200), "red").save("wide.png")
    with pytest.warns(UserWarning, match="'local' combines the whole image"):
        load(reach=None, memory=2**20).upscale(
            np.zeros((1, 200, 300, 3), np.uint8), tile=tile if tile == "auto" else int(tile)
        )


def test_one_size_and_other_models_are_refused(load, photos, capsys):
    has_no_upscaler = "esrgan-emoji" not in list_models()
    model = load()
    model.spec = replace(model.spec, sizes=None)
    assert main(["upscale", "n", "photos"]) == 1
    message = capsys.readouterr().err
    assert "n does not enlarge images of any size. Use " in message
    assert has_no_upscaler or "esrgan-emoji" in message
    load(reach=8)
    assert main(["upscale", "n", "photos/a.png", "-o", "x.png", "--tile", "12"]) == 1
    assert "too small for an overlap of 16. Pass a tile of 17 or more" in capsys.readouterr().err
    assert main(["upscale", "n", "photos", "-o", "photos/out"]) == 1
    assert "photos/out is in the folder photos" in capsys.readouterr().err


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (7, 2)])
def test_the_smallest_images(load, photos, size):
    load()
    Image.new("RGB", size, "red").save("dot.png")
    assert main(["upscale", "n", "dot.png", "-o", "x.png"]) == 0
    with Image.open("x.png") as image:
        assert image.size == (2 * size[0], 2 * size[1])
        assert image.getpixel((0, 0)) == (255, 0, 0)


def test_exif_data_are_kept_without_orientation_and_size(load, photos):
    load()
    exif = Image.Exif()
    exif[ORIENTATION], exif[ExifTags.Base.Make] = 6, "camera"
    times = exif.get_ifd(ExifTags.IFD.Exif)
    times[ExifTags.Base.DateTimeOriginal] = "2020:01:02 03:04:05"
    times[ExifTags.Base.ExifImageWidth] = 20
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    for name in ("e.jpg", "e.png", "e.webp", *(["e.avif"] if AVIF else [])):
        Image.new("RGB", (20, 10), "red").save(name, exif=exif)
        assert main(["upscale", "n", name, "-o", f"out-{name}"]) == 0
        with Image.open(f"out-{name}") as image:
            assert image.size == (20, 40)
            assert np.abs(np.asarray(image).astype(int) - (255, 0, 0)).max() <= 3
            written = image.getexif()
        assert written[ExifTags.Base.Make] == "camera"
        assert ORIENTATION not in written
        assert written.get_ifd(ExifTags.IFD.Exif) == {
            ExifTags.Base.DateTimeOriginal: "2020:01:02 03:04:05"
        }
        assert written.get_ifd(ExifTags.IFD.GPSInfo) == {ExifTags.GPS.GPSLatitudeRef: "N"}
    Image.new("RGB", (20, 10), "red").save("d.jpg", exif=b"Exif\0\0damaged")
    assert main(["upscale", "n", "d.jpg", "-o", "out.png"]) == 0


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_images_of_16_bits_keep_them(load, photos, channels, orientation):
    """The network doubles images exactly; a Lanczos filter enlarges alpha."""
    load()
    pixels = np.random.default_rng(0).integers(0, 65536, (9, 14, channels)).astype(np.uint16)
    pixels[..., 3:] = 40_000
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    write_png(photos / "deep.png", pixels, PROFILE, exif.tobytes())
    assert main(["upscale", "n", "photos/deep.png", "-o", "out.png"]) == 0
    content = read_with_metadata("out.png")
    turned = {1: pixels, 6: np.rot90(pixels, -1), 7: pixels[::-1, ::-1].swapaxes(0, 1)}
    expected = turned[orientation].repeat(2, 0).repeat(2, 1)
    assert content.pixels.dtype == np.uint16
    # float32 has 24 bits, and the average of three equal channels is rounded
    assert np.abs(content.pixels.astype(int) - expected).max() <= 1
    assert content.profile == PROFILE
    assert main(["upscale", "n", "photos/deep.png", "-o", "out.webp"]) == 0
    with Image.open("out.webp") as image:
        assert image.size == expected.shape[1::-1]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_files_are_written_in_strips(tmp_path, monkeypatch, dtype, channels):
    monkeypatch.setattr("ganzoo.sampling.png_files.STRIP", 300)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, np.iinfo(dtype).max + 1, (23, 17, channels)).astype(dtype)
    pixels[5:15] = np.arange(17)[:, None] * 3  # smooth, so that each prediction is used
    write_png(tmp_path / "x.png", pixels)
    if dtype is np.uint16 and channels == 2:  # Pillow reads the high bytes, and as colours
        pixels = (pixels[..., [0, 0, 0, 1]] >> 8).astype(np.uint8)
    read = read_with_metadata(tmp_path / "x.png").pixels
    assert read.dtype == pixels.dtype
    assert np.array_equal(read, pixels)


def test_progress_of_one_image_is_its_share(load, photos, capsys, monkeypatch):
    load(multiple=1, reach=1)
    monkeypatch.setattr("ganzoo.sampling.progress.INTERVAL", 0)
    Image.new("RGB", (22, 22), "red").save("square.png")
    assert main(["upscale", "n", "square.png", "-o", "x.png", "--tile", "12"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["25 %", "50 %", "75 %", "99 %", "100 %"]
    assert lines[-1] == "100 %, 0:00:00 left"
    assert main(["upscale", "n", "photos", "-o", "out", "--tile", "12"]) == 0
    assert "3 of 4 images, " in capsys.readouterr().err


def test_networks_of_one_channel_read_colours_one_by_one(load, photos):
    model = load()
    model.spec = spec_of(SizesSpec(scale=2, reach=0, memory=1), channels=1)
    image = np.random.default_rng(0).integers(0, 256, (1, 9, 11, 3)).astype(np.uint8)
    output = model.upscale(image).numpy()
    assert np.array_equal(output, image.repeat(2, 1).repeat(2, 2))


def test_an_animation_gives_its_first_frame(load, photos, capsys):
    load()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:])
    assert main(["upscale", "n", "a.gif", "-o", "a.png"]) == 0
    assert "only the first is read" in capsys.readouterr().err
    with Image.open("a.png") as image:
        assert image.getpixel((0, 0)) == (255, 0, 0)
