"""Sizes and arguments of the architecture, and its layers."""

import re

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo_lightweight.attention import local_attention, neighbours
from ganzoo_lightweight.layers import blur


def build(side=64, *, height=None, **arguments):
    data = DataSpec(ImageSpec(height or side, side, 3))
    with torch.device("meta"):
        return ganzoo.architectures.get("lightweight")(data, **arguments)


@pytest.mark.parametrize("upsampling", ["nearest", "shuffle"])
@pytest.mark.parametrize(("side", "excitations"), [(16, 0), (64, 0), (128, 1), (256, 2), (1024, 4)])
def test_networks_fit_every_supported_size(side, excitations, upsampling):
    nets = build(side, upsampling=upsampling, width=8, latent_dim=5)
    assert len(nets["generator"].excitations) == excitations
    images = nets["generator"](torch.empty(2, 5, device="meta"))
    assert images.shape == (2, 3, side, side)
    output = nets["discriminator"](images)
    assert output.logits.shape == (2, 5, 5)
    assert output.features.shape[2:] == (8, 8)


def test_widths_follow_the_side():
    blocks = build(256)["generator"].blocks
    assert [block.norm.num_features // 2 for block in blocks.values()] == [
        512,
        512,
        256,
        128,
        64,
        32,
    ]
    blocks = build(64, widths=(9, 8, 7, 3))["generator"].blocks
    assert [block.norm.num_features // 2 for block in blocks.values()] == [9, 8, 7, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": 48}, "does not support images of 48x48x3.*--dataset.size 64"),
        ({"side": 8}, "8x8x3"),
        ({"height": 64, "side": 32}, "64x32x3"),
        ({"latent_dim": 0}, "must be at least 1"),
        ({"widths": (4, 4)}, r"widths has 2 numbers.*\[8, 16, 32, 64\]"),
        ({"excitation_widths": (4,)}, "excitation_widths has 1 numbers.*0 excitations"),
        ({"attention_sides": (64,)}, r"attention_sides is \[64\].*\[4, 8, 16, 32\]"),
        ({"attention_sides": (8, 8)}, r"attention_sides is \[8, 8\]"),
    ],
)
def test_invalid_arguments_raise_an_error(arguments, message):
    with pytest.raises(ArchitectureError) as error:
        build(**arguments)
    assert re.search(message, str(error.value)), error.value


def test_blur_is_a_convolution_with_reflected_borders():
    image = np.random.default_rng(0).standard_normal((5, 6))
    row = np.array([1, 2, 1]) / 4
    wide = np.pad(image, 1, mode="reflect")
    rows = sum(row[k] * wide[k : k + 5] for k in range(3))
    expected = sum(row[k] * rows[:, k : k + 6] for k in range(3))
    assert np.allclose(blur(torch.from_numpy(image)[None, None])[0, 0], expected)


def test_local_attention_reads_the_pixels_around_each_pixel():
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 512, 4, 5) for _ in range(3))
    assert neighbours(k).shape == (2, 512, 9, 4, 5)
    # Pixel (1, 2) of head 3 of the second sample.
    head = slice(3 * 64, 4 * 64)
    keys = k[1, head, 0:3, 1:4].flatten(1)
    values = v[1, head, 0:3, 1:4].flatten(1)
    weights = (q[1, head, 1, 2] @ keys / 8).softmax(0)
    expected = values @ weights
    assert torch.allclose(local_attention(q, k, v)[1, head, 1, 2], expected, atol=1e-5)
