import math

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo_pgan.layers import EqualisedConv2d, EqualisedLinear, MinibatchDeviation, PixelNorm


def build(side=16, channels=1, **arguments):
    data = DataSpec(ImageSpec(side, side, channels), classes=3)
    return ganzoo.architectures.get("pgan")(data, **{"latent_dim": 5, "width": 4} | arguments)


@pytest.mark.parametrize("side", [8, 20, 28, 32, 48, 64, 1024])
def test_networks_fit_every_supported_size(side):
    with torch.device("meta"):
        nets = build(side, 3, full_width_side=1024)
        images = nets["generator"](torch.empty(2, 5))
        assert images.shape == (2, 3, side, side)
        output = nets["discriminator"](images)
    assert (output.logits.shape, output.features.shape) == ((2,), (2, 4))


def test_the_defaults_are_the_papers():
    """Table 2: 23.1 million parameters in each network for 1024 pixels."""
    data = DataSpec(ImageSpec(1024, 1024, 3))
    with torch.device("meta"):
        nets = ganzoo.architectures.get("pgan")(data)
    for net in nets.values():
        assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(23.1, abs=0.05)
    widths = [m.out_channels for m in nets["generator"].modules() if isinstance(m, nn.Conv2d)]
    assert widths[1:-1:2] == [512, 512, 512, 256, 128, 64, 32, 16]


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_rectangles(alpha):
    data = DataSpec(ImageSpec(16, 24, 3))
    nets = ganzoo.architectures.get("pgan")(data, latent_dim=5, width=4, alpha=alpha)
    images = nets["generator"](torch.randn(2, 5))
    assert images.shape == (2, 3, 16, 24)
    assert nets["discriminator"](images).logits.shape == (2,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": 30}, "such as 28, 32 or 64.*--architecture mlp"),
        ({"side": 4}, "such as 28, 32 or 64.*--architecture mlp"),
        ({"latent_dim": 0}, "latent_dim=0"),
        ({"width": -1}, "width=-1"),
        ({"alpha": 0.0}, r"alpha=0.0: it must be in \(0, 1\]"),
        ({"alpha": math.nan}, "alpha=nan"),
        ({"widths": (4, 4)}, "4, 4 channels.*sides 4, 8, 16.*--architecture.widths N N N"),
        ({"width": 2, "full_width_side": 4}, "2, 1, 0 channels.*--architecture.width"),
        ({"conditioning": "concat", "classes": 0}, "needs two classes or more"),
    ],
)
def test_invalid_arguments_raise_an_error(arguments, message):
    classes, side = arguments.pop("classes", 3), arguments.pop("side", 16)
    with pytest.raises(ArchitectureError, match=message):
        ganzoo.architectures.get("pgan")(
            DataSpec(ImageSpec(side, side, 1), classes=classes), **arguments
        )


def test_layers_multiply_weights_by_the_constant_of_he():
    torch.manual_seed(0)
    convolution, layer = EqualisedConv2d(4, 5, 3), EqualisedLinear(8, 5)
    nn.init.normal_(convolution.bias)
    nn.init.normal_(layer.bias)
    x, z = torch.randn(2, 4, 6, 6), torch.randn(2, 8)
    expected = nn.functional.conv2d(
        x, convolution.weight * math.sqrt(2 / 36), convolution.bias, padding=1
    )
    torch.testing.assert_close(convolution(x), expected)
    torch.testing.assert_close(layer(z), z @ layer.weight.T / 2 + layer.bias)
    weights = EqualisedLinear(300, 300).weight
    assert (weights.mean().item(), weights.std().item()) == pytest.approx((0, 1), abs=0.02)


def test_normalised_features_have_mean_square_1():
    x = 7 * torch.randn(2, 6, 3, 3)
    torch.testing.assert_close(PixelNorm()(x).square().mean(1), torch.ones(2, 3, 3))
    torch.testing.assert_close(PixelNorm()(x) * x.square().mean(1, keepdim=True).sqrt(), x)


def test_the_deviation_over_the_batch_is_a_channel():
    x = torch.randn(4, 3, 2, 2)
    appended = MinibatchDeviation()(x)
    assert torch.equal(appended[:, :3], x)
    deviation = x.numpy().std(0).mean()
    torch.testing.assert_close(appended[:, 3], torch.full((4, 2, 2), float(deviation)))


def test_alpha_is_the_share_of_the_largest_side():
    torch.manual_seed(0)
    nets, z = build(alpha=0.75), torch.randn(3, 5)
    generator, trunk = nets["generator"], nets["discriminator"].trunk
    layers = {}
    for name, module in (("smaller", generator.to_smaller_image), ("larger", generator.to_image)):
        module.register_forward_hook(lambda m, _, out, name=name: layers.update({name: out}))
    images = generator(z)
    assert layers["smaller"].shape == (3, 1, 8, 8)
    repeated = layers["smaller"].repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(images, 0.75 * layers["larger"] + 0.25 * repeated)
    x = torch.randn(3, 1, 16, 16)
    large = trunk.blocks[0](nn.functional.leaky_relu(trunk.from_image(x), 0.2))
    halved = x.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))
    small = nn.functional.leaky_relu(trunk.from_smaller_image(halved), 0.2)
    expected = trunk.smallest(trunk.blocks[1](0.75 * large + 0.25 * small))
    torch.testing.assert_close(trunk(x), expected)


def test_linear_images_are_clamped_in_eval_mode_alone():
    generator = build()["generator"]
    nn.init.constant_(generator.to_image.bias, 3)
    images = generator(z := torch.randn(3, 5))
    assert images.max() > 1
    assert torch.equal(generator.eval()(z), images.clamp(-1, 1))
    generator.bounded = True
    torch.testing.assert_close(generator(z), images.tanh())


def test_without_normalisation_the_length_of_z_matters():
    z = torch.randn(3, 5)
    for pixel_norm in (True, False):
        generator = build(pixel_norm=pixel_norm)["generator"]
        assert torch.allclose(generator(z), generator(2 * z), atol=1e-5) is pixel_norm
