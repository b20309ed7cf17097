import io

import numpy as np
import pytest
from PIL import Image

from ganzoo import ImageBatch
from ganzoo.errors import ImageFileError, OutputError, SampleError
from ganzoo.sampling.image_files import read_image
from ganzoo.sampling.images import write_image
from ganzoo.sampling.sizes import legible_scale


def batch(n=5, channels=1):
    rng = np.random.default_rng(0)
    return ImageBatch(rng.integers(0, 256, (n, 4, 6, channels), dtype=np.uint8))


def test_from_unit_rounds_to_levels():
    unit = np.float32([-1.5, -1, 0, 1, 1.5]).reshape(1, 1, 1, 5)
    assert ImageBatch.from_unit(unit).numpy().ravel().tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_no_pixels(value):
    unit = np.zeros((2, 1, 3, 3), np.float32)
    unit[1, 0, :2, 1] = value
    with pytest.raises(SampleError, match="2 of 18 values of the images are NaN or infinite"):
        ImageBatch.from_unit(unit)


@pytest.mark.parametrize("columns", [True, 1.5, "2"])
def test_columns_are_an_integer(columns):
    with pytest.raises(ValueError, match="columns is .*; it must be an integer"):
        ImageBatch(batch().numpy(), columns)


@pytest.mark.parametrize("how", [{"columns": 0}, {"columns": -2}, {"padding": -1}])
def test_a_grid_has_columns_and_no_negative_padding(how):
    with pytest.raises(ValueError, match="must be at least"):
        batch().grid(**how)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_image_files_hold_the_pixels(channels, mode):
    images = batch(channels=channels)
    for picture, pixels in zip(images.pil(), images.numpy(), strict=True):
        assert picture.mode == mode
        assert np.array_equal(np.asarray(picture).reshape(pixels.shape), pixels)


def test_grid_places_each_image():
    images = batch(5)
    grid = np.asarray(images.grid(columns=3, padding=1))
    assert grid.shape == (2 * 5 + 1, 3 * 7 + 1)
    assert np.array_equal(grid[1:5, 1:7], images.numpy()[0, :, :, 0])
    assert np.array_equal(grid[6:10, 8:14], images.numpy()[4, :, :, 0])
    assert (grid[6:10, 15:21] == 255).all()


def test_save_and_notebook_show_the_grid(tmp_path):
    images = batch()
    path = images.save(tmp_path / "new" / "grid.png")
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(images.grid(scale=None)))
    assert images._repr_png_().startswith(b"\x89PNG")
    assert len(images[1:3]) == 2


def test_small_images_are_enlarged_to_64_pixels(tmp_path):
    grid = ImageBatch(np.arange(2 * 16 * 16, dtype=np.uint8).reshape(2, 16, 16, 1))
    path = grid.save(tmp_path / "grid.png")
    plain = np.asarray(grid.grid())
    assert np.array_equal(np.asarray(Image.open(path)), plain.repeat(4, 0).repeat(4, 1))
    assert Image.open(grid.save(tmp_path / "grid.png", scale=2)).width == 2 * plain.shape[1]
    with pytest.raises(ValueError, match="scale"):
        grid.grid(scale=0)


@pytest.mark.parametrize(
    ("width", "side", "scale"),
    [
        (16, 300, 4),
        (28, 242, 3),
        (32, 100, 2),
        (63, 63, 2),
        (64, 64, 1),
        (16, 4_000, 1),
        (1, 9, 64),
    ],
)
def test_a_grid_is_enlarged_up_to_4096_pixels(width, side, scale):
    assert legible_scale(width, side) == scale


def test_save_refuses_an_unknown_ending(tmp_path):
    with pytest.raises(OutputError, match=r"Use \.png"):
        batch().save(tmp_path / "grid.xyz")
    assert not list(tmp_path.iterdir())


def test_save_refuses_an_unsuitable_format(tmp_path):
    for ending in (".psd", ".fits", ".xbm", ".h5"):
        with pytest.raises(OutputError, match=r"Use \.png"):
            batch().save(tmp_path / f"grid{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_other_channel_counts_show_the_first_channel(channels):
    images = batch(channels=channels)
    assert images.pil()[0].mode == "L"
    assert np.array_equal(np.asarray(images.pil()[0]), images.numpy()[0, :, :, 0])
    assert images.grid().size == (26, 14)


def test_an_index_is_an_image_and_a_slice_is_a_batch():
    images = ImageBatch(batch().numpy(), labels=np.arange(len(batch())))
    assert images.shape == images.numpy().shape
    assert np.array_equal(np.asarray(images[-1]), images.pil()[-1])
    assert np.array_equal(np.asarray(images[np.int64(1)]), images.pil()[1])
    part = images[1:3]
    assert np.array_equal(part.numpy(), images.numpy()[1:3])
    assert part.labels.tolist() == [1, 2]
    assert batch().labels is None
    with pytest.raises(IndexError):
        images[len(images)]
    with pytest.raises(TypeError):
        images["0"]
    with pytest.raises(ValueError, match="needs labels"):
        ImageBatch(batch().numpy(), labels=np.arange(99))


@pytest.mark.parametrize(("n", "side"), [(1, 28), (4, 28), (64, 28), (4, 256), (1000, 4)])
def test_a_notebook_shows_a_batch_large(n, side):
    png = ImageBatch(np.zeros((n, side, side, 1), np.uint8))._repr_png_()
    assert 440 <= max(Image.open(io.BytesIO(png)).size) <= 4_096


def test_only_uint8_images_are_accepted():
    with pytest.raises(ValueError, match="uint8"):
        ImageBatch(np.zeros((1, 2, 2, 1), dtype=np.float32))


def test_a_grid_that_is_too_large_is_refused():
    images = ImageBatch(np.zeros((4, 400, 400, 1), np.uint8))
    with pytest.raises(SampleError, match="a grid of 51,584x51,584 pixels is too large.*scale"):
        images.grid(scale=64)
    with pytest.raises(SampleError, match="fewer images"):
        images.grid(columns=10**12)


@pytest.mark.parametrize(("ending", "side"), [("webp", 16_383), ("jpg", 65_500), ("gif", 65_535)])
def test_an_image_that_is_too_large_for_its_format_is_refused(tmp_path, ending, side):
    image = Image.new("L", (1, side + 1))
    with pytest.raises(OutputError, match=f"{side + 1:,}x1 pixels.*at most {side:,}. Use .png"):
        write_image(image, tmp_path / f"a.{ending}")
    write_image(image, tmp_path / "a.png")
    write_image(image.crop((0, 0, 1, side)), tmp_path / f"a.{ending}")


def test_the_advice_about_a_file_that_is_no_image_suits_a_single_one(tmp_path):
    with pytest.raises(ImageFileError, match=r"it is not a file\. Use an image file\.$"):
        read_image("/dev/null", "RGB")
    Image.new("L", (4, 9)).save(tmp_path / "small.png")
    with pytest.raises(ImageFileError, match=r"minimum is 8x8\. Use a larger image, or remove it"):
        read_image(tmp_path / "small.png", "RGB")


def test_rows_repeat_the_pixels_of_smaller_images():
    """As conditions of a network that enlarges images, in grey beside colours."""
    small = np.arange(2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 3, 1)
    large = np.full((2, 4, 6, 3), 99, np.uint8)
    rows = ImageBatch.rows(ImageBatch(small), ImageBatch(large), columns=1).numpy()
    assert rows.shape == (4, 4, 6, 3)
    assert np.array_equal(rows[1::2], large)
    assert np.array_equal(rows[2, ::2, ::2, 2], small[1, ..., 0])
    assert np.array_equal(rows[2, 1::2, 1::2, 0], small[1, ..., 0])
    with pytest.raises(ValueError, match="must match"):
        ImageBatch.rows(ImageBatch(small), ImageBatch(large[:, :, :5]), columns=1)
