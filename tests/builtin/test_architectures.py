import math
import re

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.architectures.dcgan import UniformLatents
from ganzoo.errors import ArchitectureError
from ganzoo.nn import map_sizes
from ganzoo.registry.signatures import arguments_of

BUILTIN = [e.name for e in ganzoo.architectures.entries() if e.distribution == "torch-ganzoo"]


def build(name, height, channels=1, width=None, **arguments):
    data = DataSpec(ImageSpec(height, width or height, channels), classes=3)
    return ganzoo.architectures.get(name)(data, latent_dim=5, width=3, **arguments)


@pytest.mark.parametrize("size", [16, 17, 27, 28, 32, 33, 48, 64, 100, 128, 255, 256])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_dcgan_fits_any_square_size(size, channels):
    nets = build("dcgan", size, channels)
    images = nets["generator"](torch.randn(2, 5))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert nets["discriminator"](images).logits.shape == (2,)


@pytest.mark.parametrize("name", ["dcgan", "mlp"])
def test_a_seed_gives_a_generator_the_same_weights_beside_any_discriminator(name):
    weights = []
    for conditioning in ("projection", "auxiliary"):  # their generators have the same layers
        torch.manual_seed(0)
        weights.append(build(name, 32, conditioning=conditioning)["generator"].state_dict())
    assert all(torch.equal(weight, weights[1][key]) for key, weight in weights[0].items())


@pytest.mark.parametrize("size", [16, 28, 64, 100, 256])
def test_upsampling_dcgan_fits_multiples_of_four(size):
    nets = build("upsampling-dcgan", size, 3)
    images = nets["generator"](torch.randn(2, 5))
    assert images.shape == (2, 3, size, size)
    assert images.abs().max() <= 1
    assert nets["discriminator"](images).logits.shape == (2,)


def test_upsampling_dcgan_repeats_pixels_before_it_convolves():
    """Between two doublings, the layers are those of torch."""
    layers = list(build("upsampling-dcgan", 16, norm_eps=0.5)["generator"].layers)
    assert [layer.eps for layer in layers if isinstance(layer, nn.BatchNorm2d)] == [1e-5, 0.5, 0.5]
    convolution = next(layer for layer in layers if isinstance(layer, nn.Conv2d))
    maps = torch.randn(2, 6, 4, 4)
    plain = nn.Conv2d(6, 6, 3, padding=1, bias=False)
    plain.load_state_dict(convolution.state_dict())
    expected = plain(nn.Upsample(scale_factor=2)(maps))
    torch.testing.assert_close(convolution(maps), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"height": 30}, "multiples of 4.*--architecture dcgan"),
        ({"height": 32, "width": 30}, "multiples of 4.*--architecture dcgan"),
        ({"height": 12}, "'upsampling-dcgan'.*16 to 256 pixels"),
        ({"height": 16, "norm_eps": 0.0}, "norm_eps=0.0.*--architecture.norm-eps 1e-5"),
        ({"height": 16, "norm_eps": math.inf}, "norm_eps=inf"),
    ],
)
def test_upsampling_dcgan_refuses_invalid_arguments(arguments, message):
    with pytest.raises(ArchitectureError, match=message):
        build("upsampling-dcgan", **arguments)


@pytest.mark.parametrize("size", [8, 10, 20, 28, 32, 48, 64, 112, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_resnet_fits_sizes_that_halve(size, channels):
    nets = build("resnet", size, channels)
    images = nets["generator"](torch.randn(2, 5))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert nets["discriminator"](images).logits.shape == (2,)


@pytest.mark.parametrize("size", [30, 7, 34, 512])
def test_resnet_refuses_invalid_arguments(size):
    with pytest.raises(ArchitectureError, match=r"such as 28, 32 or 64.*--architecture mlp"):
        build("resnet", size)


@pytest.mark.parametrize("widths", [(4, 4), (4, 0, 4)])
def test_resnet_needs_channels_for_each_side(widths):
    with pytest.raises(
        ArchitectureError, match=r"sides 7, 14, 28.*--architecture.generator-widths N N N"
    ):
        build("resnet", 28, generator_widths=widths)


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
def test_resnet_block_adds_the_enlarged_input(upsampling):
    generator = build("resnet", 28, generator_widths=(4, 3, 2), upsampling=upsampling)["generator"]
    assert [m.num_features for m in generator.modules() if isinstance(m, nn.BatchNorm2d)] == [
        4,
        3,
        3,
        2,
        2,
    ]
    block, x = generator.blocks[0].eval(), torch.randn(2, 4, 7, 7)
    nn.init.normal_(block.shortcut.bias)
    enlarge = nn.Upsample(scale_factor=2.0, mode=upsampling)
    h = nn.functional.conv2d(enlarge(block.norm1(x).relu()), block.convolution1.weight, padding=1)
    expected = block.convolution2(block.norm2(h).relu()) + block.shortcut(enlarge(x))
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("name", ["conv-autoencoder", "mlp-autoencoder"])
@pytest.mark.parametrize("size", [16, 28, 33, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_autoencoders_fit_any_square_size(name, size, channels):
    nets = build(name, size, channels)
    assert set(nets) == {"encoder", "generator"}
    mean, log_variance = nets["encoder"](torch.randn(2, channels, size, size))
    assert mean.shape == log_variance.shape == (2, 5)
    images = nets["generator"](mean)
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    output = build(name, size, channels, discriminator="image")["discriminator"](images)
    assert output.logits.shape == (2,)
    assert output.features.shape[0] == 2
    joint = build(name, size, channels, discriminator="joint")["joint_discriminator"]
    assert joint(images, mean).shape == (2,)


def test_an_autoencoder_refuses_invalid_arguments():
    with pytest.raises(ArchitectureError, match=r"'conv-auto.*--architecture mlp-autoencoder"):
        build("conv-autoencoder", 15)
    with pytest.raises(ArchitectureError, match="depth=0"):
        build("mlp-autoencoder", 15, depth=0)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (1, 1), (28, 28), (5, 9)])
def test_mlp_fits_any_size(height, width):
    nets = build("mlp", height, 3, width)
    images = nets["generator"](torch.randn(2, 5))
    assert images.shape == (2, 3, height, width)
    assert images.abs().max() <= 1
    assert nets["discriminator"](images).logits.shape == (2,)


@pytest.mark.parametrize(
    ("name", "height", "width", "map_size"),
    [
        ("dcgan", 16, 32, (4, 8)),
        ("dcgan", 27, 18, (7, 5)),
        ("dcgan", 48, 64, (6, 8)),
        ("upsampling-dcgan", 16, 28, (4, 7)),
        ("resnet", 16, 24, (4, 6)),
        ("resnet", 64, 40, (8, 5)),
    ],
)
def test_rectangles(name, height, width, map_size):
    nets = build(name, height, 3, width)
    first = nets["generator"](torch.zeros(2, 5))
    assert first.shape == (2, 3, height, width)
    assert nets["discriminator"](first).logits.shape == (2,)
    maps = [p.shape for p in nets["generator"].parameters() if p.dim() > 1]
    assert math.prod(maps[0]) % math.prod(map_size) == 0


@pytest.mark.parametrize(("height", "width"), [(16, 18), (8, 4), (7, 14), (32, 512), (30, 60)])
def test_maps_halve_together(height, width):
    with pytest.raises(ArchitectureError, match=r"'any' .* of \d+x\d+x1: .*--dataset\.size 64 or"):
        map_sizes("any", ImageSpec(height, width, 1), 256)


def test_maps_of_a_rectangle():
    assert map_sizes("any", ImageSpec(56, 24, 1), 256) == ((14, 6), (28, 12), (56, 24))


@pytest.mark.parametrize(("height", "width"), [(15, 15), (257, 257), (15, 32), (28, 257), (8, 8)])
def test_dcgan_refuses_invalid_arguments(height, width):
    with pytest.raises(ArchitectureError, match=r"16 to 256 pixels.*--architecture mlp"):
        build("dcgan", height, width=width)


@pytest.mark.parametrize("name", BUILTIN)
@pytest.mark.parametrize("argument", ["latent_dim", "width"])
def test_arguments_below_1_are_refused(name, argument):
    with pytest.raises(ArchitectureError, match=f"{argument}=0"):
        ganzoo.architectures.get(name)(DataSpec(ImageSpec(16, 16, 1)), **{argument: 0})


def test_dcgan_follows_its_five_guidelines():
    nets = build("dcgan", 64, 3)
    generator = list(nets["generator"].layers)
    discriminator = [*nets["discriminator"].trunk.layers, nets["discriminator"].last]
    kinds = {type(layer) for net in nets.values() for layer in net.modules()}
    # 1 strided convolutions, no pooling; 3 no fully connected layer
    assert not kinds & {nn.MaxPool2d, nn.AvgPool2d, nn.Linear, nn.Upsample}
    # 2 BatchNorm, except after G's output and after D's input
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in generator) == 4
    assert isinstance(generator[-2], nn.ConvTranspose2d)
    assert isinstance(discriminator[1], nn.LeakyReLU)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in discriminator) == 3
    # 4 ReLU and tanh in G; 5 LeakyReLU(0.2) in D
    assert isinstance(generator[-1], nn.Tanh)
    assert {type(x) for x in generator if "ReLU" in type(x).__name__} == {nn.ReLU}
    assert {x.negative_slope for x in discriminator if isinstance(x, nn.LeakyReLU)} == {0.2}


@pytest.mark.parametrize(
    ("size", "arguments", "channels", "sides"),
    [
        (128, {}, [24, 24, 12, 6, 3], [4, 8, 16, 32, 64, 128]),
        (128, {"width_multiplier": 16}, [48, 24, 12, 6, 3], [4, 8, 16, 32, 64, 128]),
        (64, {"width_multiplier": 1}, [3, 3, 3, 3], [4, 8, 16, 32, 64]),
        (28, {}, [6, 3], [7, 14, 28]),
        (28, {"base": 4}, [12, 6, 3], [4, 7, 14, 28]),
        (32, {"base": 8}, [6, 3], [8, 16, 32]),
    ],
)
def test_dcgan_has_the_requested_maps(size, arguments, channels, sides):
    nets = build("dcgan", size, **arguments)
    maps = []
    for layer in nets["generator"].layers:
        if isinstance(layer, nn.ConvTranspose2d):
            layer.register_forward_hook(lambda module, inputs, output: maps.append(output.shape))
    nets["generator"](torch.randn(2, 5))
    assert [shape[1] for shape in maps] == [*channels, 1]
    assert [shape[2] for shape in maps] == sides
    if size > 32:  # the discriminator has maps of the same sides
        assert nets["discriminator"].trunk.features == max(channels)


@pytest.mark.parametrize("arguments", [{"width_multiplier": 0}, {"base": 1}])
def test_dcgan_refuses_maps_without_channels_or_sides(arguments):
    with pytest.raises(ArchitectureError, match=r"width_multiplier=.*, base=.*2 or more"):
        build("dcgan", 32, **arguments)


def test_a_multilayer_perceptron_may_grow_and_normalise():
    generator = build("mlp", 4, depth=4, growth=2, generator_norm="batch", norm_eps=0.5)[
        "generator"
    ]
    kinds = [type(layer) for layer in generator.layers]
    block = [nn.Linear, nn.BatchNorm1d, nn.LeakyReLU]
    assert kinds == [nn.Linear, nn.LeakyReLU, *3 * block, nn.Linear, nn.Tanh], "not in the first"
    linear = [layer.out_features for layer in generator.layers if isinstance(layer, nn.Linear)]
    assert linear == [3, 6, 12, 24, 16]
    assert {m.eps for m in generator.modules() if isinstance(m, nn.BatchNorm1d)} == {0.5}


@pytest.mark.parametrize(
    "arguments",
    [{"growth": 0}, {"growth": 9, "depth": 64}, {"norm_eps": 0.0}, {"norm_eps": math.nan}],
)
def test_a_multilayer_perceptron_refuses_invalid_growth(arguments):
    with pytest.raises(ArchitectureError, match=r"growth=.*, norm_eps=.*at most 65,536 units"):
        build("mlp", 4, **arguments)


def test_a_last_convolution_keeps_the_size_of_its_maps():
    paper, ours = (build("dcgan", 28, last_convolution=each)["generator"] for each in (False, True))
    *_, last, end = (m for m in ours.modules() if not list(m.children()))
    assert isinstance(end, nn.Tanh)
    assert isinstance(last, nn.Conv2d)
    assert last.kernel_size == (3, 3)
    assert not any(isinstance(m, nn.Conv2d) for m in paper.modules())
    z = torch.randn(2, 5)
    assert ours(z).shape == paper(z).shape == (2, 1, 28, 28)


def test_global_average_pooling_replaces_the_last_layer():
    images = torch.randn(2, 1, 28, 28)
    nets = build("dcgan", 28, global_average_pooling=True)
    output = nets["discriminator"].eval()(images)
    pooled, last = output.features.mean((2, 3)), nets["discriminator"].last[1]
    expected = pooled @ last.weight[0, :, 0, 0] + last.bias
    torch.testing.assert_close(output.logits, expected)
    assert sum(p.numel() for p in last.parameters()) == pooled.shape[1] + 1


def test_dcgan_has_the_papers_widths():
    """Figure 1 of Radford et al.: 1024, 512, 256, 128 channels from 4x4 to 32x32."""
    data = DataSpec(ImageSpec(64, 64, 3))
    with torch.device("meta"):
        generator = ganzoo.architectures.get("dcgan")(data, width=128)["generator"]
    convolutions = [x for x in generator.layers if isinstance(x, nn.ConvTranspose2d)]
    assert [x.out_channels for x in convolutions] == [1024, 512, 256, 128, 3]


@pytest.mark.parametrize("conditioning", ["none", "concat"])
def test_dcgan_reads_uniform_latents_on_request(conditioning):
    """u = 2 Phi(z) - 1; codes, which come first, and labels stay as they are."""
    arguments = {"categorical_code": 2, "continuous_codes": 1, "conditioning": conditioning}
    nets = build("dcgan", 16, latent_distribution="uniform", **arguments)
    read = []
    uniform = next(m for m in nets["generator"].modules() if isinstance(m, UniformLatents))
    uniform.trunk.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    z, y = torch.randn(4, 5), torch.tensor([0, 1, 2, 0])
    nets["generator"](*((z, y) if conditioning == "concat" else (z,)))
    phi = torch.distributions.Normal(0.0, 1.0).cdf
    codes = torch.cat([one_hot(z[:, :2].argmax(1), 2), 2 * phi(z[:, 2:3]) - 1], 1)
    torch.testing.assert_close(read[0][:, :3], codes)
    torch.testing.assert_close(read[0][:, 3:5], 2 * phi(z[:, 3:]) - 1)
    if conditioning == "concat":
        assert torch.equal(read[0][:, 5:], one_hot(y, 3).float())
    numbers = UniformLatents(nn.Identity(), 0, 2)(torch.randn(20_000, 2))
    shares = torch.histc(numbers, 10, -1, 1) / numbers.numel()
    assert (shares - 0.1).abs().max() < 0.01


def test_resnet_starts_from_glorots_weights_times_the_root_of_2_in_blocks():
    torch.manual_seed(0)
    nets = ganzoo.architectures.get("resnet")(
        DataSpec(ImageSpec(32, 32, 3), classes=10),
        width=32,
        spectral_norm=False,
        conditioning="projection",
    )
    for role, net in nets.items():
        inside = 0
        for name, module in net.named_modules():
            if not isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                continue
            weight = module.weight
            area = weight[0, 0].numel()
            fans = area * (weight.shape[0] + weight.shape[1])
            in_block = name.rpartition(".")[2].startswith("convolution")
            bound = math.sqrt((2 if in_block else 1) * 6 / fans)
            assert weight.abs().max().item() == pytest.approx(bound, rel=0.05), (role, name)
            assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.15)
            bias = getattr(module, "bias", None)
            assert bias is None or not bias.any()
            inside += in_block
        assert inside >= 6


def test_dcgan_starts_from_normal_weights():
    torch.manual_seed(0)
    data = DataSpec(ImageSpec(32, 32, 3))
    nets = ganzoo.architectures.get("dcgan")(data, width=32)
    for net in nets.values():
        for module in net.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.15)
                assert module.bias is None or (module.bias == 0).all()
            elif isinstance(module, nn.BatchNorm2d):
                assert module.weight.mean().item() == pytest.approx(1, abs=0.02)
                assert (module.bias == 0).all()


@pytest.mark.parametrize("name", BUILTIN)
def test_eval_mode_is_deterministic_and_batch_independent(name):
    generator = build(name, 28)["generator"].eval()
    z = torch.randn(6, 5)
    with torch.no_grad():
        whole = generator(z)
        torch.testing.assert_close(whole, generator(z), rtol=0, atol=0)
        torch.testing.assert_close(whole[2:3], generator(z[2:3]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", [*BUILTIN, *ganzoo.losses.names()])
def test_docstrings_name_their_source(name):
    registry = ganzoo.architectures if name in ganzoo.architectures else ganzoo.losses
    factory = registry.get(name)
    assert re.search(r"https://(arxiv\.org/abs|doi\.org|openreview\.net)/", factory.__doc__)
    assert all(argument in factory.__doc__ for argument in arguments_of(factory))
