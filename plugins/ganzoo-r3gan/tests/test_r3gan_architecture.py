import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from r3gan_helpers import SMALL, build, wake
from torch import nn

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import call_discriminator, inputs_of
from ganzoo_r3gan.blocks import SLOPE, ResidualBlock, enlarge, reduce


def blocks_of(net):
    return [module for module in net.modules() if isinstance(module, ResidualBlock)]


@pytest.mark.parametrize("side", [8, 20, 28, 32, 48, 64, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_networks_fit_every_supported_size(side, channels):
    nets = wake(build(side, channels, full_width_side=256))
    images = nets["generator"](100 * torch.randn(2, 5))
    assert images.shape == (2, channels, side, side)
    assert images.abs().max() <= 1
    output = nets["discriminator"](images)
    assert output.logits.shape == (2,)
    assert output.features.shape == (2, 16)


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.booleans())
def test_other_sizes_raise_an_error(height, width, square):
    width = height if square else width
    base = height, width
    while min(base) > 7 and not any(side % 2 for side in base):
        base = base[0] // 2, base[1] // 2
    fits = 4 <= min(base) <= 7 and base != (height, width) and max(height, width) <= 256
    data = DataSpec(ImageSpec(height, width, 1))
    with torch.device("meta"):
        if fits:
            nets = ganzoo.architectures.get("r3gan")(data, full_width_side=256, **SMALL)
            assert nets["generator"].basis.shape == (16, *base)
        else:
            with pytest.raises(ArchitectureError, match=r"such as 28, 32 or 64.*--architecture ml"):
                ganzoo.architectures.get("r3gan")(data, **SMALL)


@pytest.mark.parametrize(
    ("side", "widths"),
    [
        (32, [768, 768, 768, 768]),
        (64, [768, 768, 768, 768, 384]),
        (256, [768, 768, 768, 768, 384, 192, 96]),
    ],
)
def test_the_defaults_are_the_papers_widths_and_groups(side, widths):
    with torch.device("meta"):
        nets = ganzoo.architectures.get("r3gan")(DataSpec(ImageSpec(side, side, 3)))
    assert nets["generator"].modulation.in_features == 64
    for net, order in ((nets["generator"], widths), (nets["discriminator"], widths[::-1])):
        blocks = blocks_of(net)
        assert [block.narrow.out_channels for block in blocks[::2]] == order
        assert [block.narrow.out_channels for block in blocks[1::2]] == order
        for block in blocks:
            width = block.widen.in_channels
            assert block.mix.in_channels == block.mix.out_channels == 2 * width
            assert block.mix.groups == 2 * width // 16
            assert block.mix.kernel_size == (3, 3)
    basis = nets["generator"].basis
    assert basis.shape == (768, 4, 4)
    pool = nets["discriminator"].trunk.pool
    assert (pool.groups, pool.kernel_size, pool.out_channels) == (768, (4, 4), 768)


def test_doubling_is_bilinear():
    """New centres are at i + 1/4 and i + 3/4; values beyond the outermost centres are constant."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    (layer,) = enlarge(3, 3, "mean")

    def weights(n):
        w = torch.zeros(2 * n, n, dtype=torch.float64)
        for i in range(n):
            w[2 * i, i] += 0.75
            w[2 * i, max(i - 1, 0)] += 0.25
            w[2 * i + 1, i] += 0.75
            w[2 * i + 1, min(i + 1, n - 1)] += 0.25
        return w

    torch.testing.assert_close(layer(x), weights(5) @ x @ weights(4).T)


def test_halving_is_bilinear():
    """Each output is the mean of four pixels, so a linear ramp stays linear."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 4, dtype=torch.float64)
    (layer,) = reduce(3, 3, "mean")
    torch.testing.assert_close(layer(x), x.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2)))
    rows, columns = torch.meshgrid(
        torch.arange(8, dtype=torch.float64), torch.arange(6, dtype=torch.float64), indexing="ij"
    )
    plane = 2 * rows + 5 * columns
    expected = (2 * (rows + 0.25) + 5 * (columns + 0.25))[::2, ::2] + 2 * 0.25 + 5 * 0.25
    torch.testing.assert_close(layer(plane[None, None])[0, 0], expected)


def filter_of(n):
    """(1, 3, 3, 1) / 8 over pixels 2k - 1 to 2k + 2 of n pixels, zeros beyond the border."""
    rows = torch.zeros(n // 2, n, dtype=torch.float64)
    for k in range(n // 2):
        for offset, tap in enumerate((1, 3, 3, 1), -1):
            if 0 <= 2 * k + offset < n:
                rows[k, 2 * k + offset] += tap / 8
    return rows


def test_the_papers_filter():
    """Doubling is the transpose of halving, times 2 for each side."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 4, dtype=torch.float64)
    (larger,), (smaller,) = enlarge(3, 3, "filter"), reduce(3, 3, "filter")
    torch.testing.assert_close(smaller(x), filter_of(6) @ x @ filter_of(4).T)
    torch.testing.assert_close(larger(x), 4 * filter_of(12).T @ x @ filter_of(8))


@pytest.mark.parametrize("between", [enlarge, reduce])
def test_channels_are_projected_only_if_they_differ(between):
    x = torch.randn(2, 6, 8, 8)
    same, other = (nn.Sequential(*between(6, outputs, "filter")) for outputs in (6, 4))
    assert not list(same.parameters())
    assert [tuple(weight.shape) for weight in other.parameters()] == [(4, 6, 1, 1)]
    assert other(x).shape == (2, 4, *same(x).shape[2:])


def test_networks_have_no_normalisation_layers():
    allowed = (nn.Conv2d, nn.Linear, nn.Embedding)
    for net in build(32, 3, conditioning="projection", blocks=2).values():
        leaves = [m for m in net.modules() if not list(m.children()) and list(m.parameters())]
        assert len(leaves) > 10
        for module in leaves:
            assert isinstance(module, allowed), module
        assert not list(net.buffers()), "a running statistic"


@pytest.mark.parametrize("depth", [1, 16])
def test_a_block_starts_as_the_identity_with_fixup_weights(depth):
    torch.manual_seed(0)
    block = ResidualBlock(64, 128, 8, depth)
    x = torch.randn(2, 64, 4, 4)
    assert torch.equal(block(x), x)
    # He's standard deviation under a leaky ReLU; a group of the 3x3 convolution has 16 inputs.
    for convolution, inputs in ((block.widen, 64), (block.mix, 16 * 9)):
        expected = math.sqrt(2 / (1 + SLOPE**2) / inputs) * depth ** (-1 / 4)
        assert convolution.weight.std().item() == pytest.approx(expected, rel=0.04)
        assert not convolution.bias.any()
    with torch.no_grad():
        block.narrow.weight.fill_(0.1)
    assert not torch.equal(block(x), x)


def test_each_network_scales_weights_by_its_number_of_blocks():
    """Six blocks scale their weights by 6^(-1/4), relative to one block."""
    torch.manual_seed(0)
    for net in build(16, width=64, blocks=2, group_size=16).values():
        blocks = blocks_of(net)
        assert len(blocks) == 6
        weights = torch.cat([block.widen.weight.flatten() for block in blocks])
        expected = math.sqrt(2 / 1.04 / 64) * 6 ** (-1 / 4)
        assert weights.std().item() == pytest.approx(expected, rel=0.02)


def test_the_initial_generator_is_its_enlarged_basis():
    """tanh of a 1x1 convolution of the basis, scaled by a linear map of z, and interpolated."""
    generator = build(16, 3, blocks=2)["generator"].double()
    z = torch.randn(3, 5, dtype=torch.float64)
    scaled = torch.einsum("nz,cz,chw->nchw", z, generator.modulation.weight, generator.basis)
    for side in (4, 8):
        scaled = 4 * filter_of(2 * side).T @ scaled @ filter_of(2 * side)
    image = torch.einsum("nchw,kc->nkhw", scaled, generator.to_image.weight[:, :, 0, 0])
    torch.testing.assert_close(generator(z), image.tanh())


@pytest.mark.parametrize("conditioning", ["none", "concat", "projection", "auxiliary"])
def test_gradients_reach_every_weight(conditioning):
    """Generator gradients pass the discriminator; discriminator gradients pass a penalty."""
    nets = wake(build(16, conditioning=conditioning))
    y = None if conditioning == "none" else torch.tensor([0, 1, 2])
    z = torch.randn(3, 5)
    fake = nets["generator"](*(z,) if y is None else (z, y))
    output = call_discriminator(nets["discriminator"], fake, y=y, condition=None)
    (slope,) = torch.autograd.grad(output.logits.sum(), fake, create_graph=True)
    heads = sum(head.square().sum() for head in output.heads.values())
    (output.logits.square().sum() + slope.square().sum() + heads).backward()
    for role, net in nets.items():
        for name, weight in net.named_parameters():
            assert weight.grad is not None, (role, name)
            assert weight.grad.abs().sum() > 0, (role, name)


def test_the_logit_of_a_label_is_the_product_with_its_embedding():
    """And with `unconditional_logit` the logit of other architectures is added."""
    nets = wake(build(conditioning="projection"))
    images, y = torch.randn(3, 1, 16, 16), torch.tensor([0, 1, 2])
    discriminator = nets["discriminator"]
    trunk, embedding = discriminator.trunk, discriminator.projection.weight
    pooled = trunk.pool(trunk.layers(trunk.from_image(images))).flatten(1)
    expected = ((pooled @ trunk.linear.weight.T) * embedding[y]).sum(1)
    torch.testing.assert_close(discriminator(images, y).logits, expected)
    other = wake(build(conditioning="projection", unconditional_logit=True))["discriminator"]
    features = other.trunk(images)
    expected = other.last(features)[:, 0] + (features * other.projection.weight[y]).sum(1)
    torch.testing.assert_close(other(images, y).logits, expected)


def test_image_layers_have_biases_on_request_alone():
    for biases in (True, False):
        nets = build(image_biases=biases)
        assert (nets["generator"].to_image.bias is not None) is biases
        assert (nets["discriminator"].trunk.from_image.bias is not None) is biases


def test_widths_and_groups_by_side():
    nets = build(widths=(16, 12, 8), groups=(4, 3, 8))
    for net, step in ((nets["generator"], 1), (nets["discriminator"], -1)):
        blocks = [(block.narrow.out_channels, block.mix.groups) for block in blocks_of(net)]
        assert blocks[::step] == [(16, 4), (12, 3), (8, 8)]
        assert {block.mix.in_channels // block.narrow.out_channels for block in blocks_of(net)} == {
            2
        }


def test_linear_images_are_clamped_in_eval_mode_alone():
    generator = wake(build(output="linear"))["generator"]
    images = generator(z := 30 * torch.randn(3, 5))
    assert images.abs().max() > 1
    assert torch.equal(generator.eval()(z), images.clamp(-1, 1))


def test_the_logits_have_no_bias():
    """RpGAN sees differences of logits: a bias of the last layer would drift."""
    assert build()["discriminator"].last.bias is None


@pytest.mark.parametrize("conditioning", ["concat", "projection", "auxiliary"])
def test_labels_change_images_and_logits(conditioning):
    nets = wake(build(conditioning=conditioning))
    assert inputs_of(nets["generator"]) == ("z", "y")
    z, zeros, ones = torch.randn(3, 5), torch.zeros(3, dtype=int), torch.ones(3, dtype=int)
    fake = nets["generator"](z, zeros)
    assert not torch.allclose(fake, nets["generator"](z, ones))
    output, other = (nets["discriminator"](fake, y) for y in (zeros, ones))
    if conditioning == "auxiliary":
        assert output.heads["class"].shape == (3, 3)
    else:
        assert not torch.allclose(output.logits, other.logits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(({name: 0}, f"{name}=0.*--architecture.{name.replace('_', '-')}") for name in SMALL),
        ({"full_width_side": 0}, "full_width_side=0.*--architecture.full-width-side"),
        ({"expansion": -1}, "expansion=-1.*--architecture.expansion"),
        (
            {"width": 12, "group_size": 16},
            "maps of 4x4 pixels have 12 channels, 24 inside.*their groups do not.*--architecture.width",
        ),
        (
            {"full_width_side": 4},
            "maps of 16x16 pixels have 4 channels.*--architecture.full-width-s",
        ),
        ({"width": 1, "full_width_side": 4}, "have 1 channels|have 0 channels"),
        ({"widths": (16, 16)}, r"widths=\(16, 16\).*sides 4, 8, 16.*--architecture.widths N N N"),
        ({"groups": (1, 0, 1)}, r"groups=\(1, 0, 1\).*at least 1.*--architecture.groups N N N"),
        (
            {"groups": (1, 3, 1)},
            "maps of 8x8 pixels have 16.*their groups do not.*--architecture.gro",
        ),
        ({"conditioning": "projection", "classes": 0}, "needs two classes or more"),
    ],
)
def test_invalid_arguments_raise_an_error(arguments, message):
    classes = arguments.pop("classes", 3)
    data = DataSpec(ImageSpec(16, 16, 1), classes=classes)
    arguments = SMALL | {"group_size": 16} | arguments
    with torch.device("meta"), pytest.raises(ArchitectureError) as error:
        ganzoo.architectures.get("r3gan")(data, **arguments)
    assert re.search(message, str(error.value)), error.value
