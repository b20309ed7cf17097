"""Sizes and arguments of the architecture."""

import re

import pytest
import torch

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError


def build(side=32, classes=3, **arguments):
    data = DataSpec(ImageSpec(side, side, 3), classes=classes)
    with torch.device("meta"):
        return ganzoo.architectures.get("biggan-deep")(data, **{"width": 4} | arguments)


@pytest.mark.parametrize("side", [32, 64, 128, 256, 512])
def test_networks_fit_every_supported_size(side):
    nets = build(side, spectral_norm=False)
    y = torch.empty(2, dtype=torch.long, device="meta")
    images = nets["generator"](torch.empty(2, 128, device="meta"), y)
    assert images.shape == (2, 3, side, side)
    assert nets["discriminator"](images, y).logits.shape == (2,)


def test_the_blocks_for_128_pixels_are_the_papers():
    blocks = build(128, width=1, spectral_norm=False)["generator"].blocks
    assert [(b.norms[0].norm.num_features, b.outputs, b.up) for b in blocks] == [
        *((16, 16, False), (16, 16, True), (16, 16, False), (16, 8, True), (8, 8, False)),
        *((8, 4, True), (4, 4, False), (4, 2, True), (2, 2, False), (2, 1, True)),
    ]


def test_attention_follows_the_block_that_doubles_to_its_side():
    generator = build(128, spectral_norm=False)["generator"]
    assert generator.place == 7
    assert build(32, spectral_norm=False)["generator"].place is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": 48}, "does not support images of 48x48x3.*--dataset.size 64"),
        ({"classes": 0}, "needs two classes or more"),
        ({"truncation": 0.0}, "truncation=0.0"),
        ({"class_dim": 0}, "class_dim=0"),
        ({"multiples": (2, 4, 2, 1)}, "multiples is .*the one before or less"),
        ({"multiples": (4, 2, 1, 0)}, "multiples is"),
        ({"multiples": (4, 4, 2, 1), "up_blocks": (1, 2, 3)}, "up_blocks is .*there are 3 blocks"),
        ({"multiples": (4, 4, 2, 1), "up_blocks": (1, 2)}, "double 4 pixels to 16, but.*have 32"),
    ],
)
def test_invalid_arguments_raise_an_error(arguments, message):
    with pytest.raises(ArchitectureError) as error:
        build(**arguments)
    assert re.search(message, str(error.value)), error.value


def test_truncation_scales_z():
    torch.manual_seed(0)
    data = DataSpec(ImageSpec(32, 32, 3), classes=3)
    net = ganzoo.architectures.get("biggan-deep")(data, width=4, latent_dim=5)["generator"].eval()
    z, y = torch.randn(2, 5), torch.tensor([0, 2])
    with torch.no_grad():
        expected = net(0.5 * z, y)
        net.truncation = 0.5
        assert torch.equal(net(z, y), expected)
