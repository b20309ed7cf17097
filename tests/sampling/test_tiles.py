"""Translate images of any size, padded and in tiles."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ganzoo.errors import SampleError
from ganzoo.exporters.reach import measure_reach
from ganzoo.spec import LatentSpec, SizesSpec
from helpers.translators import LocalTranslator, spec_of

SIDE = 16


def translator(function, sizes: SizesSpec | None, latent: LatentSpec | None = None):
    return LocalTranslator(function, spec_of(sizes, SIDE, latent=latent))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def blur(radius: int) -> nn.Module:
    """Return a convolution whose outputs depend on pixels up to `radius` away, all of them."""
    side = 2 * radius + 1
    network = nn.Conv2d(1, 1, side, padding=radius, bias=False)
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(1, 1, side, side, generator=generator)
    network.weight = nn.Parameter(weight / weight.abs().sum() * 4, requires_grad=False)
    return network


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (8, 31), (3, 5), (1, 1)])
def test_images_are_padded_by_reflection_and_cropped_back(size):
    def keep(condition):
        inputs.append(np.rint((condition[0, 0].numpy() + 1) * 127.5))
        return condition

    inputs: list[np.ndarray] = []
    images = noise(2, *size, 1)
    model = translator(keep, SizesSpec(multiple=8, smallest=12))
    assert np.array_equal(model.translate(images).numpy(), images)
    sides = [max(16, -(-side // 8) * 8) for side in size]
    padding = [(0, padded - side) for padded, side in zip(sides, size, strict=True)]
    for image, padded in zip(images[..., 0], inputs, strict=size != (SIDE, SIDE)):
        assert np.array_equal(padded, np.pad(image, padding, "reflect"))


@pytest.mark.parametrize(("side", "overlap"), [(24, 8), (32, 0), (16, 5), (40, 1), (64, 32)])
def test_every_pixel_of_the_tiles_counts_once(side, overlap):
    model = translator(torch.clone, SizesSpec(multiple=4))
    for size in [(4, 4), (63, 64), (65, 1), (101, 97), (128, 24)]:
        images = noise(1, *size, 1)
        tiled = model.translate(images, tile=side, overlap=overlap).numpy()
        assert np.array_equal(tiled, images)


def test_tiles_equal_the_whole_image_if_the_network_sees_a_quarter_of_the_overlap():
    images = noise(1, 150, 203, 1)
    model = translator(blur(8), SizesSpec())
    whole = model.translate(images).numpy().astype(int)
    tiled = model.translate(images, tile=64, overlap=32).numpy()
    assert np.abs(tiled - whole).max() <= 1
    halved = model.translate(images, tile=64, overlap=16).numpy()
    assert np.abs(halved - whole).max() > 5, "and the overlap is needed"


@pytest.mark.parametrize("scale", [1, 2])
def test_tiles_that_share_twice_the_reach_equal_the_whole_image(scale):
    network = nn.Sequential(blur(8), nn.Upsample(scale_factor=scale))
    model = translator(network, SizesSpec(2, scale=scale, reach=8))
    images = noise(1, 150, 203, 1)
    whole = model.translate(images).numpy().astype(int)
    assert whole.shape == (1, scale * 150, scale * 203, 1)
    for side in (18, 20, 64):
        tiled = model.translate(images, tile=side, overlap=None).numpy()
        assert np.abs(tiled - whole).max() <= 1
    assert np.array_equal(model.translate(images, tile=64).numpy(), tiled), "by default"
    model.spec = replace(model.spec, sizes=replace(model.sizes, reach=4))
    halved = model.translate(images, tile=64, overlap=None).numpy()
    assert np.abs(halved - whole).max() > 5, "and the overlap is needed"
    with pytest.raises(SampleError, match="too small for an overlap of 8. Pass a tile of 10 "):
        model.translate(images, tile=8, overlap=None)


def test_tiles_start_at_multiples_of_the_network_s():
    """Otherwise a convolution with a stride would average other blocks."""
    blocks = nn.Sequential(nn.AvgPool2d(8), nn.Upsample(scale_factor=8))
    model = translator(blocks, SizesSpec(multiple=8))
    images = noise(1, 120, 88, 1)
    whole = model.translate(images).numpy()
    for side in (33, 48):
        assert np.array_equal(model.translate(images, tile=side, overlap=12).numpy(), whole)


def test_the_memory_of_tiles_is_that_of_a_tile():
    model = translator(torch.clone, SizesSpec(multiple=4))
    model.translate(noise(1, 300, 50, 1), tile=30, overlap=8)
    assert set(model.shapes) == {(1, 1, 32, 32)}


def test_an_image_of_the_training_s_size_is_tiled_on_request_alone():
    model = translator(torch.clone, SizesSpec(multiple=4))
    images = noise(3, SIDE, SIDE, 1)
    model.translate(images)
    assert model.shapes == [(3, 1, SIDE, SIDE)]
    assert np.array_equal(model.translate(images, tile=8, overlap=0).numpy(), images)
    assert model.shapes[1:] == 3 * 4 * [(1, 1, 8, 8)]


def test_image_k_has_latent_k_in_all_its_tiles():
    def shift(condition, z):
        return condition.clamp(-0.5, 0.5) + 0.5 * z[:, :, None, None].tanh()

    model = translator(shift, SizesSpec(), LatentSpec(1))
    images = np.full((2, 40, 50, 1), 128, np.uint8)
    tiled = model.translate(images, 3, tile=16, overlap=4).numpy()
    assert [len(np.unique(image)) for image in tiled] == [1, 1]
    assert tiled[0].max() != tiled[1].max()
    assert np.array_equal(model.translate(images[1:], 3, start=1).numpy(), tiled[1:])


@pytest.mark.parametrize(
    ("tile", "overlap", "message"),
    [
        (64, 40, r"tiles of 64 pixels are too small for an overlap of 40. Pass a tile of 80"),
        (8, 1, r"tiles of 8 pixels are too small for an overlap of 1. Pass a tile of 16"),
        (0, 0, r"tiles of 0 pixels cannot overlap by 0"),
        (64, -1, r"tiles of 64 pixels cannot overlap by -1"),
        (1.5, 0, r"tile is 1.5"),
    ],
)
def test_tiles_that_do_not_fit_are_refused(tile, overlap, message):
    model = translator(torch.clone, SizesSpec(multiple=8))
    with pytest.raises(SampleError, match=message) as error:
        model.translate(noise(1, 100, 100, 1), tile=tile, overlap=overlap)
    if smallest := re.search(r"Pass a tile of (\d+) or more", str(error.value)):
        model.translate(noise(1, 100, 100, 1), tile=int(smallest[1]), overlap=overlap)


def test_a_model_of_one_size_refuses_others_and_tiles():
    model = translator(torch.clone, None)
    with pytest.raises(SampleError, match=r"reads uint8 \(n, 16, 16, 1\)"):
        model.translate(noise(1, 16, 17, 1))
    with pytest.raises(SampleError, match="reads images of 16x16x1 only.*Omit the tile"):
        model.translate(noise(1, 16, 16, 1), tile=16)
    free = translator(torch.clone, SizesSpec())
    with pytest.raises(SampleError, match=r"reads uint8 \(n, height, width, 1\)"):
        free.translate(noise(1, 16, 17, 3))


def test_tiles_have_seams_if_they_share_half_of_the_measured_reach():
    """Two means, one after the other: pixels at the full distance change several levels."""
    network = nn.Sequential(blur(4), blur(4))
    for layer in network:
        layer.weight = nn.Parameter(torch.full((1, 1, 9, 9), 1 / 81), requires_grad=False)
    reach = measure_reach(translator(network, SizesSpec()))
    assert reach == 8
    images = noise(1, 90, 70, 1) // 4 + 192
    whole = translator(network, SizesSpec()).translate(images).numpy().astype(int)
    for shared, has_seams in ((reach, False), (reach // 2, True)):
        model = translator(network, SizesSpec(reach=shared))
        tiled = model.translate(images, tile=32, overlap=None).numpy()
        assert (np.abs(tiled - whole).max() > 1) == has_seams
