"""Metrics of image pairs, compared with closed forms."""

import math

import numpy as np
import pytest

from ganzoo.evaluation import compare_pairs, structural_similarity


def flat(value, n=1, side=32, channels=3):
    return np.full((n, side, side, channels), value, np.uint8)


@pytest.mark.parametrize(("a", "b"), [(0, 51), (51, 204), (255, 0), (200, 199)])
def test_flat_images_have_closed_form_values(a, b):
    """For flat images SSIM is (2 a b + C1) / (a^2 + b^2 + C1), C1 = 0.01^2."""
    values = compare_pairs(flat(a), flat(b))
    x, y = a / 255, b / 255
    assert values["mean_absolute_error"] == pytest.approx(abs(x - y), abs=1e-12)
    assert values["psnr"] == pytest.approx(-20 * math.log10(abs(x - y)), abs=1e-9)
    assert values["ssim"] == pytest.approx((2 * x * y + 1e-4) / (x * x + y * y + 1e-4), abs=1e-9)


def test_every_pair_has_equal_weight_in_any_block_size():
    output = np.concatenate([flat(0, n=70), flat(51, n=10)])
    values = compare_pairs(output, np.concatenate([flat(51, n=70), flat(102, n=5), flat(153, n=5)]))
    assert values["mean_absolute_error"] == pytest.approx((70 * 0.2 + 5 * 0.2 + 5 * 0.4) / 80)
    decibels = [-20 * math.log10(0.2)] * 75 + [-20 * math.log10(0.4)] * 5
    assert values["psnr"] == pytest.approx(np.mean(decibels), abs=1e-4)


def test_equal_images_have_no_error():
    image = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    values = compare_pairs(image, image)
    assert values["mean_absolute_error"] == 0
    assert values["psnr"] == math.inf
    assert values["ssim"] == pytest.approx(1)
    assert compare_pairs(image, image[::-1])["ssim"] < 0.2


@pytest.mark.parametrize(("a", "b"), [(flat(0), flat(0, n=2)), (flat(0, n=0), flat(0, n=0))])
def test_unpaired_images_are_refused(a, b):
    with pytest.raises(ValueError, match="one shape"):
        compare_pairs(a, b)


def test_ssim_has_gaussian_windows_with_mirrored_borders():
    """Each window of equation 13 of Wang et al. (2004), computed from its pixels."""
    a, b = np.random.default_rng(0).random((2, 1, 9, 12, 1))
    line = np.exp(-np.square(np.arange(-5, 6)) / (2 * 1.5**2))
    kernel = np.outer(line, line) / line.sum() ** 2
    wide = [np.pad(x[0, ..., 0], 5, "reflect") for x in (a, b)]
    p, q = (np.lib.stride_tricks.sliding_window_view(x, (11, 11)) for x in wide)
    mean_p, mean_q = ((x * kernel).sum((2, 3), keepdims=True) for x in (p, q))
    variances = [((x - m) ** 2 * kernel).sum((2, 3)) for x, m in ((p, mean_p), (q, mean_q))]
    covariance = ((p - mean_p) * (q - mean_q) * kernel).sum((2, 3))
    m, n = mean_p[..., 0, 0], mean_q[..., 0, 0]
    expected = (2 * m * n + 1e-4) * (2 * covariance + 9e-4)
    expected /= (m**2 + n**2 + 1e-4) * (sum(variances) + 9e-4)
    assert structural_similarity(a, b)[0, ..., 0] == pytest.approx(expected, abs=1e-12)
