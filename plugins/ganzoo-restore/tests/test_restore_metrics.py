"""PSNR and SSIM of luma against closed forms and a second computation."""

import math

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.evaluation import ImageSet, ImageSets
from ganzoo_restore.metrics import enlarge, luma

WEIGHTS = (65.481, 128.553, 24.966)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def measure(name, real, fake, conditions):
    sets = ImageSets(
        *(ImageSet(x, None) for x in (real, fake)), conditions=ImageSet(conditions, None)
    )
    metric = ganzoo.metrics.get(name)
    return metric.compute(sets), metric.settings(sets)


def test_luma_is_that_of_bt601():
    """Black is 16, white 235, and each primary adds its weight."""
    colours = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]])
    expected = [16, 235, *(16 + weight for weight in WEIGHTS)]
    assert luma(colours.astype(np.uint8)[..., None, None]).ravel() == pytest.approx(expected)
    grey = noise(2, 1, 3, 4)
    assert np.array_equal(luma(grey), grey[:, 0])


def test_psnr_ignores_the_border_and_compares_luma():
    """Green that differs by one level: 128.553 / 255 of luma."""
    real, conditions = noise(2, 3, 24, 32), noise(2, 3, 6, 8)
    fake = real.copy()
    real[:, 1], fake[:, 1] = 100, 101
    fake[..., :4, :], fake[..., -4:, :], fake[..., :4], fake[..., -4:] = 0, 0, 0, 0
    values, settings = measure("psnr-y", real, fake, conditions)
    assert values["psnr_y"] == pytest.approx(20 * math.log10(255 / (WEIGHTS[1] / 255)))
    assert "without a border of 4 pixels" in settings
    assert "BT.601" in settings


def windows(y):
    x = np.arange(11) - 5
    line = np.exp(-(x**2) / (2 * 1.5**2))
    kernel = np.outer(line, line) / line.sum() ** 2
    return (np.lib.stride_tricks.sliding_window_view(y, (11, 11)) * kernel).sum((-1, -2))


def reference(a, b):
    """SSIM of Wang et al. (2004), equation 13, in windows inside the images."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b = windows(a), windows(b)
    var_a, var_b = windows(a * a) - mean_a**2, windows(b * b) - mean_b**2
    both = windows(a * b) - mean_a * mean_b
    upper = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return (upper / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean()


def test_ssim_is_that_of_windows_inside_the_image():
    real, conditions = noise(2, 3, 24, 32), noise(2, 3, 12, 16)
    fake = np.clip(real.astype(int) + noise(2, 3, 24, 32, seed=1) % 60, 0, 255).astype(np.uint8)
    values, settings = measure("ssim-y", real, fake, conditions)
    pairs = zip(luma(fake)[:, 2:-2, 2:-2], luma(real)[:, 2:-2, 2:-2], strict=True)
    assert values["ssim_y"] == pytest.approx(
        np.mean([reference(*pair) for pair in pairs]), abs=1e-9
    )
    assert "11x11" in settings


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["psnr-y", "ssim-y"])
def test_baselines_are_measured_as_the_model(name, channels):
    real, conditions = noise(3, channels, 24, 24), noise(3, channels, 12, 12)
    filters = {"bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}
    for baseline, method in filters.items():
        fake = enlarge(conditions, 2, baseline)
        image = conditions[0].transpose(1, 2, 0)
        image = Image.fromarray(image[..., 0] if channels == 1 else image).resize((24, 24), method)
        assert np.array_equal(fake[0].transpose(1, 2, 0), np.atleast_3d(np.asarray(image)))
        values, _ = measure(name, real, fake, conditions)
        key = name.replace("-", "_")
        assert values[key] == values[f"{key}_{baseline}"]
        assert len(set(values.values())) == 2


@pytest.mark.parametrize(
    ("image", "condition", "reason"),
    [
        ((32, 32, 3), None, "pairs of images"),
        ((32, 32, 3), (8, 8, 1), "both in colour or both in grey"),
        ((32, 32, 3), (12, 12, 3), "no multiples"),
        ((32, 32, 3), (2, 2, 3), "sides of at least 43 pixels"),
        ((32, 32, 3), (8, 8, 3), ""),
    ],
)
def test_data_that_does_not_fit_is_refused(image, condition, reason):
    condition = condition and ganzoo.ImageSpec(*condition)
    data = ganzoo.DataSpec(ganzoo.ImageSpec(*image), condition=condition)
    answer = ganzoo.metrics.get("ssim-y").refuses(None, data)
    assert reason in answer
    assert bool(reason) == bool(answer)
