"""The dataset ``degraded``, and the parts of its degradations against closed forms."""

import numpy as np
import pytest
import torch
from PIL import Image
from restore_helpers import paint

import ganzoo
from ganzoo.data.reading import read_items
from ganzoo.data.workers import ReadAhead
from ganzoo.errors import DataError, DataNotFoundError, ImageFileError
from ganzoo_restore import degradations


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for k in range(3):
        paint(folder / f"{k}.png", 40, 60, seed=k)
    return folder


def read(root, **arguments):
    return ganzoo.datasets.get("degraded")(root, **{"size": 16, "items_per_file": 2} | arguments)


def pixels(file):
    return torch.from_numpy(np.asarray(Image.open(file)).transpose(2, 0, 1).copy())


def contains(file, crop):
    """Return whether an image file contains a crop."""
    image, (height, width) = pixels(file), crop.shape[1:]
    windows = image.unfold(1, height, 1).unfold(2, width, 1).permute(1, 2, 0, 3, 4)
    return bool((windows == crop).flatten(2).all(2).any())


def test_items_are_crops_in_the_resolution_of_the_files(folder):
    dataset, spec = read(folder, scale=2)
    assert len(dataset) == 6
    assert (spec.image.shape, spec.condition.shape) == ((3, 16, 16), (3, 8, 8))
    for k, (image, label, condition) in enumerate(dataset):
        assert contains(folder / f"{k % 3}.png", image)
        assert int(label) == 0
        expected = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((8, 8), Image.BICUBIC)
        assert np.array_equal(condition.permute(1, 2, 0), np.asarray(expected))
    assert not torch.equal(dataset[0][0], dataset[3][0]), "two crops of a file"
    assert not torch.equal(dataset[0][0], read(folder, seed=1)[0][0][0])


def test_an_item_depends_on_its_file_and_its_number_alone(folder, tmp_path):
    """Not on other files, on the process, or on the items that were read before it."""
    dataset, spec = read(folder, degradation="second-order", scale=2)
    (tmp_path / "2.png").write_bytes((folder / "2.png").read_bytes())
    alone, _ = read(tmp_path, degradation="second-order", scale=2)
    for a, b in ((dataset[5], alone[1]), (dataset[5], dataset[5])):
        assert all(map(torch.equal, a, b))
    places = [5, 0, 4]
    (items,) = [next(ReadAhead(dataset, spec, [(places, places)], workers=1))]
    expected = read_items(dataset, spec, places, places)
    assert torch.equal(items.images, expected.images)
    assert torch.equal(items.conditions, expected.conditions)


def test_a_split_is_read_alone(folder):
    dataset, _ = read(folder.parent, split=folder.name)
    assert dataset.files == 3
    with pytest.raises(DataNotFoundError, match="folder not found: .*missing"):
        read(folder, split="missing")


def test_flipped_items_follow_all_others(folder):
    dataset, _ = read(folder, flip=True)
    assert (len(dataset), dataset.files) == (12, 3)
    for a, b in zip(dataset[1], dataset[7], strict=True):
        assert torch.equal(a.flip(-1) if a.ndim else a, b)


def test_whole_images_fit_the_size(folder):
    dataset, _ = read(folder, whole=True, items_per_file=1, fit="stretch", size="20x32")
    expected = Image.open(folder / "0.png").resize((32, 20), Image.LANCZOS)
    assert np.array_equal(dataset[0][0].permute(1, 2, 0), np.asarray(expected))
    assert dataset.fitting == "stretch to 20x32 (height x width)"
    assert "in the resolution of the files" in read(folder)[0].fitting


def test_small_files_are_refused_or_skipped(folder, tmp_path):
    paint(tmp_path / "a.png", 12, 60)
    paint(tmp_path / "b.png", 40, 60)
    with pytest.raises(
        ImageFileError, match="has 12x60 .* 16x16. Use .* --dataset.who.* ganzoo data "
    ):
        read(tmp_path)[0][0]
    with pytest.warns(UserWarning, match="The next image replaces it"):
        image = read(tmp_path, skip_corrupt=True)[0][0][0]
    assert contains(tmp_path / "b.png", image)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 3}, "cannot divide images of 16x16 by the scale 3"),
        ({"scale": 0}, "Use --dataset.scale 1 to 16"),
        ({"items_per_file": 0}, "Use --dataset.items-per-file 1 or more"),
    ],
)
def test_arguments_out_of_range_are_refused(folder, arguments, message):
    with pytest.raises(DataError, match=message):
        read(folder, **arguments)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_second_order_degradation_keeps_what_an_image_shows(folder, mode):
    """It is noise, blur and JPEG of the image, and a random one each time."""
    high = Image.open(folder / "0.png").convert(mode)
    clean = np.asarray(degradations.bicubic(high, 4), float)
    worse = [
        np.asarray(degradations.second_order(high, 4, np.random.default_rng(k)), float)
        for k in range(8)
    ]
    assert {image.shape for image in worse} == {clean.shape}
    errors = [np.abs(image - clean).mean() for image in worse]
    assert min(errors) > 2
    assert np.mean(errors) < 40
    assert np.corrcoef(np.mean(worse, 0).ravel(), clean.ravel())[0, 1] > 0.7


def test_blur_kernels_have_their_closed_forms():
    blur = degradations.blur_kernel
    kernel = blur(21, (2.0, 1.0), 0.0, "gaussian", 1.0)
    assert kernel.sum() == pytest.approx(1)
    x = np.arange(21) - 10
    assert (kernel.sum(0) * x**2).sum() == pytest.approx(4, rel=1e-3), "variance along the first"
    assert (kernel.sum(1) * x**2).sum() == pytest.approx(1, rel=1e-3)
    turned = blur(21, (2.0, 1.0), np.pi / 2, "gaussian", 1.0)
    assert np.allclose(turned, kernel.T)
    centre = kernel[10, 10]
    assert kernel[10, 12] / centre == pytest.approx(np.exp(-0.5))
    assert blur(21, (2, 2), 0, "generalised", 3.0)[10, 14] == pytest.approx(
        blur(21, (2, 2), 0, "generalised", 3.0)[10, 10] * np.exp(-(4.0**3) / 2)
    )
    plateau = blur(21, (2, 2), 0, "plateau", 2.0)
    assert plateau[10, 14] / plateau[10, 10] == pytest.approx(1 / 17)


def test_a_sinc_filter_passes_low_frequencies_alone():
    kernel = degradations.sinc_kernel(21, np.pi / 2)
    assert kernel.sum() == pytest.approx(1)
    response = np.abs(np.fft.fft2(kernel, (64, 64)))[0]
    assert response[8] == pytest.approx(1, abs=0.15), "an eighth of the sampling frequency"
    assert response[28] < 0.1


def test_a_blur_is_a_convolution_with_mirrored_borders():
    image = np.random.default_rng(0).random((9, 7, 3))
    kernel = np.random.default_rng(1).random((7, 7))
    padded = np.pad(image, ((3, 3), (3, 3), (0, 0)), "reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7), (0, 1))
    expected = (windows * kernel[::-1, ::-1]).sum((-1, -2))
    assert np.allclose(degradations.blur(image, kernel), expected)


def test_noise_has_its_standard_deviation():
    draw, image = np.random.default_rng(0), np.full((100, 100, 3), 0.5)
    noisy = degradations.add_gaussian_noise(image, 20.0, False, draw)
    assert 255 * noisy.std() == pytest.approx(20, rel=0.02)
    noisy = degradations.add_poisson_noise(image, 2.0, False, draw)
    assert 255 * (noisy - 0.5).std() == pytest.approx(2 * 128**0.5, rel=0.02)
    for add in (degradations.add_gaussian_noise, degradations.add_poisson_noise):
        grey = add(image, 3.0, True, draw) - image
        assert np.allclose(grey[..., 0], grey[..., 1])
