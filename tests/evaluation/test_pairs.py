"""Metrics of image pairs, compared with closed forms."""

import math

import numpy as np
import pytest
import torch

from ganzoo.evaluation import compare_pairs, pairs


def flat(value, n=1, side=32, channels=3):
    return np.full((n, side, side, channels), value, np.uint8)


@pytest.mark.parametrize(("a", "b"), [(0, 51), (51, 204), (255, 0)])
def test_flat_images_have_closed_form_values(a, b):
    """For flat images SSIM is (2 a b + C1) / (a^2 + b^2 + C1), C1 = 0.01^2."""
    values = compare_pairs(flat(a), flat(b))
    x, y = a / 255, b / 255
    assert values["mean_absolute_error"] == pytest.approx(abs(x - y), abs=1e-6)
    assert values["psnr"] == pytest.approx(-20 * math.log10(abs(x - y)), abs=1e-4)
    assert values["ssim"] == pytest.approx((2 * x * y + 1e-4) / (x * x + y * y + 1e-4), abs=1e-4)


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


def test_pairs_are_compared_in_float32(monkeypatch):
    """Settings of the program change no value."""
    convolution, precisions = torch.backends.mkldnn.conv, []
    measure = pairs.structural_similarity_index_measure

    def record(*images, **options):
        precisions.append(convolution.fp32_precision)
        return measure(*images, **options)

    monkeypatch.setattr(pairs, "structural_similarity_index_measure", record)
    before, convolution.fp32_precision = convolution.fp32_precision, "bf16"
    try:
        compare_pairs(flat(0), flat(51))
        assert convolution.fp32_precision == "bf16"
    finally:
        convolution.fp32_precision = before
    assert precisions == ["ieee"]
