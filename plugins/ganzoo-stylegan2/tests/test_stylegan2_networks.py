"""The networks, as the core and other losses call them."""

import pytest
import torch
from stylegan2_helpers import SMALL, build
from torch import nn

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.games.batchwise import means_by
from ganzoo.nn import inputs_of
from ganzoo.nn.layers import layers_from_image
from ganzoo.nn.matching import match_tensors
from ganzoo_stylegan2.architectures.discriminator import append_deviation
from ganzoo_stylegan2.architectures.equalised import activate
from ganzoo_stylegan2.architectures.resampling import downsample, smooth
from ganzoo_stylegan2.architectures.stylegan2 import stylegan2

Z = torch.randn(6, SMALL["latent_dim"], generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("side", [8, 10, 20, 28, 32, 48, 64, 112])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_networks_fit_every_supported_size(side, channels):
    nets = build(side, channels)
    images = nets["generator"](Z[:2])
    assert images.shape == (2, channels, side, side)
    output = nets["discriminator"](images)
    assert output.logits.shape == (2,)
    assert output.features.shape[0] == 2


@pytest.mark.parametrize("kind", ["residual", "skip"])
@pytest.mark.parametrize(("height", "width"), [(16, 24), (28, 8)])
def test_rectangles(height, width, kind):
    data = DataSpec(ImageSpec(height, width, 3))
    nets = ganzoo.architectures.get("stylegan2")(data, discriminator=kind, **SMALL)
    for training in (True, False):
        images = nets["generator"].train(training)(Z[:2])
        assert images.shape == (2, 3, height, width)
    assert nets["discriminator"](images).logits.shape == (2,)


@pytest.mark.parametrize(("height", "width"), [(7, 7), (30, 30), (28, 30), (2048, 2048), (34, 34)])
def test_invalid_arguments_raise_an_architecture_error(height, width):
    data = DataSpec(ImageSpec(height, width, 1))
    with pytest.raises(ArchitectureError, match=r"such as 28, 32 or 64.*--architecture mlp"):
        ganzoo.architectures.get("stylegan2")(data)


@pytest.mark.parametrize("name", [*SMALL, "group", "label_layers"])
def test_arguments_below_1_are_refused(name):
    with pytest.raises(ArchitectureError, match=f"with {name}=0: it must be at least 1"):
        build(**{name: 0})


@pytest.mark.parametrize("truncation", [-0.1, 1.5])
def test_a_truncation_out_of_range_is_refused(truncation):
    with pytest.raises(
        ArchitectureError, match=r"must be in \[0, 1\]\. Use --architecture\.truncation 0\.7"
    ):
        build(truncation=truncation)


@pytest.mark.parametrize("conditioning", ["projection", "mapping"])
def test_missing_labels_are_refused(conditioning):
    with pytest.raises(ArchitectureError, match=r"two classes or more, but the data has none"):
        build(conditioning=conditioning)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clamp": -1.0}, r"clamp=-1\.0: it must be 0, for none, or above"),
        ({"clamp": float("nan")}, "clamp=nan"),
        ({"widths": (4, 8)}, "has 3 maps for images of 16x16x1, but widths has 2 numbers"),
        ({"widths": (4, 0, 8)}, "widths=0: it must be at least 1"),
    ],
)
def test_a_wrong_clamp_and_wrong_widths_are_refused(arguments, message):
    with pytest.raises(ArchitectureError, match=message):
        build(**arguments)


def test_a_tanh_bounds_images_in_training_too():
    linear, bounded = build()["generator"], build(output="tanh")["generator"]
    bounded.load_state_dict(linear.state_dict())
    with torch.no_grad():
        for generator in (linear, bounded):
            generator.synthesis.to_image[-1].bias.fill_(2.0)
        torch.manual_seed(0)
        images = linear(Z)
        torch.manual_seed(0)
        torch.testing.assert_close(bounded(Z), images.tanh())
        assert images.max() > 1


def test_widths_double_until_the_widest():
    synthesis = build(64, width=3, widest=10)["generator"].synthesis
    layers = [synthesis.first, *synthesis.layers]
    assert [layer.bias.numel() for layer in layers] == [10, 10, 10, 6, 3]
    assert synthesis.style_count == 2 * (6 - 1)


def test_widths_of_single_maps_replace_width_and_widest():
    nets = build(32, widths=(3, 9, 2, 5))
    synthesis = nets["generator"].synthesis
    assert [layer.bias.numel() for layer in [synthesis.first, *synthesis.layers]] == [5, 2, 9, 3]
    assert nets["discriminator"](nets["generator"](Z)).features.shape == (6, 5)
    assert [block.first.weight.shape[0] for block in nets["discriminator"].blocks] == [3, 9, 2]


def test_a_clamp_limits_maps_and_the_images_that_are_summed():
    images = torch.randn(4, 1, 16, 16)
    largest = {}
    for clamp in (0.0, 0.4):
        torch.manual_seed(3)
        nets, values = build(clamp=clamp), []
        for module in nets["generator"].modules():
            if hasattr(module, "convolution"):
                module.register_forward_hook(lambda *call, v=values: v.append(call[2].abs().max()))
        for layer in (*nets["generator"].synthesis.to_image, nets["discriminator"].convolution):
            nn.init.ones_(layer.bias)
        nets["generator"](Z)
        for layer in (nets["discriminator"].blocks[0].first, nets["discriminator"].dense):
            layer.register_forward_hook(lambda *call, v=values: v.append(call[1][0].max()))
        logits = nets["discriminator"](images).logits
        largest[clamp] = [value.item() for value in values], logits
    free, clamped = largest[0.0], largest[0.4]
    assert len(free[0]) == len(clamped[0]) == 5 + 3 + 2, "layers, images, inputs of two layers of D"
    assert min(free[0]) > 0.4
    assert clamped[0] == pytest.approx([0.4] * 10)
    assert not torch.allclose(free[1], clamped[1], atol=1e-3)


@pytest.mark.parametrize("classes", [0, 3])
def test_eval_mode_is_deterministic_and_independent_of_the_batch(classes):
    generator = build(classes=classes)["generator"].eval()
    assert inputs_of(generator) == (("z", "y") if classes else ("z",))
    y = (torch.arange(6) % 3,) if classes else ()
    with torch.no_grad():
        for layer in generator.modules():
            if hasattr(layer, "noise_strength"):
                layer.noise_strength.fill_(0.3)
        whole = generator(Z, *y)
        assert torch.equal(whole, generator(Z, *y))
        torch.testing.assert_close(whole[2:3], generator(Z[2:3], *(t[2:3] for t in y)))
        assert whole.abs().max() <= 1
        if classes:
            other = generator(Z, (y[0] + 1) % 3)
            assert not torch.allclose(whole, other, atol=1e-3)
        generator.train()
        assert not torch.allclose(generator(Z, *y), generator(Z, *y), atol=1e-3), "noise is drawn"


def test_noise_is_part_of_the_state_dict():
    generator = build()["generator"]
    state = generator.state_dict()
    noises = [name for name in state if name.endswith(".noise")]
    assert len(noises) == generator.synthesis.style_count - 1
    with torch.no_grad():
        generator.synthesis.first.noise_strength.fill_(1.0)
        generator.eval()
        before = generator(Z)
        generator.synthesis.first.noise.neg_()
    assert not torch.allclose(generator(Z), before, atol=1e-3)


def test_truncation_defaults_to_none_and_does_not_affect_training():
    whole, none = build()["generator"], build(truncation=0.0)["generator"]
    none.load_state_dict(whole.state_dict())
    torch.manual_seed(0)
    a = whole(Z)
    torch.manual_seed(0)
    assert torch.equal(a, none(Z))
    with torch.no_grad():
        w = whole.eval().mapping(Z)
        styles = w[:, None].expand(-1, whole.synthesis.style_count, -1)
        assert torch.equal(whole(Z), whole.synthesis(styles).clamp(-1, 1))


@pytest.mark.parametrize("truncation", [0.0, 0.5])
def test_truncation_interpolates_to_the_average_style(truncation):
    generator = build(truncation=truncation)["generator"]
    for _ in range(20):
        generator(torch.randn(64, SMALL["latent_dim"]))
    generator.eval()
    with torch.no_grad():
        average, w = generator.mapping.average, generator.mapping(Z)
        assert average.abs().max() > 0.01
        truncated = average + truncation * (w - average)
        expected = generator.synthesis(
            truncated[:, None].expand(-1, generator.synthesis.style_count, -1)
        )
        images = generator(Z)
        torch.testing.assert_close(images, expected.clamp(-1, 1))
        same = torch.allclose(images[:1].expand_as(images), images, atol=1e-6)
        assert same == (truncation == 0), "of none, all images are the mean one"


def test_the_average_style_approximates_the_mean_of_many_latents():
    mapping = build()["generator"].mapping
    for _ in range(1500):
        mapping(torch.randn(16, SMALL["latent_dim"]))
    average = mapping.average.clone()
    mapping.eval()
    with torch.no_grad():
        w = mapping(torch.randn(20_000, SMALL["latent_dim"]))
    assert torch.equal(mapping.average, average), "not after training"
    assert (average - w.mean(0)).abs().max() < 0.1 * w.std()


def test_the_average_style_is_over_all_processes():
    mapping = build()["generator"].mapping
    with means_by(lambda mine: 0 * mine + 7):
        mapping(Z)
    torch.testing.assert_close(mapping.average, torch.full((SMALL["style_dim"],), 0.005 * 7))


def test_latents_of_any_length_point_to_the_same_style():
    mapping = build()["generator"].mapping.eval()
    torch.testing.assert_close(mapping(Z), mapping(5 * Z))


@pytest.mark.parametrize(
    "arguments",
    [
        {"conditioning": "projection"},
        {"conditioning": "mapping", "discriminator": "skip"},
        {"conditioning": "mapping", "discriminator": "plain", "clamp": 256.0},
    ],
)
def test_gradients_reach_every_parameter_with_classes(arguments):
    nets, y = build(32, 3, classes=3, **arguments), torch.arange(6) % 3
    logits = nets["discriminator"](nets["generator"](Z, y), y).logits
    nn.functional.softplus(-logits).sum().backward()
    for role, net in nets.items():
        for name, weight in net.named_parameters():
            assert weight.grad is not None, (role, name)
            assert weight.grad.abs().max() > 0, (role, name)


@pytest.mark.parametrize("conditioning", ["projection", "mapping"])
def test_the_discriminator_depends_on_the_class_and_its_group(conditioning):
    discriminator = build(classes=3, conditioning=conditioning)["discriminator"]
    images, y = torch.randn(8, 1, 16, 16), torch.zeros(8, dtype=torch.int64)
    with torch.no_grad():
        logits = discriminator(images, y).logits
        assert not torch.allclose(logits, discriminator(images, y + 1).logits, atol=1e-3)
        images[0] = 0
        changed = discriminator(images, y).logits != logits
    assert changed.tolist() == [True] * 4 + [False] * 4


def test_a_mapping_of_labels_is_multiplied_with_the_last_layer():
    """ADA, appendix D: logit = <last layer, f(embedding / its root mean square)> / sqrt(length)."""
    nets = build(classes=3, conditioning="mapping", label_layers=2)
    discriminator, images = nets["discriminator"], torch.randn(4, 1, 16, 16)
    assert nets["generator"].mapping.embedding.weight.shape == (3, SMALL["style_dim"])
    with torch.no_grad():
        for layer in (discriminator.last, *discriminator.labels.layers):
            layer.bias.normal_()
        output = discriminator(images, torch.tensor([2, 0, 1, 1]))
        x = discriminator.labels.embedding.weight.double()
        x = x / x.square().mean(1, keepdim=True).sqrt()
        for layer in discriminator.labels.layers:
            weight, bias = 0.01 * layer.weight.double(), 0.01 * layer.bias.double()
            x = x @ weight.T / weight.shape[1] ** 0.5 + bias
            x = 2**0.5 * torch.where(x < 0, 0.2 * x, x)
        last = discriminator.last(output.features).double()
        expected = (last * x[[2, 0, 1, 1]]).sum(1) / last.shape[1] ** 0.5
    torch.testing.assert_close(output.logits.double(), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["skip", "plain"])
def test_discriminators_without_residual_blocks(kind):
    """Figure 7 (b): each map is the output of its block, plus features of the smaller image."""
    discriminator = build(discriminator=kind)["discriminator"]
    images = torch.randn(4, 1, 16, 16)
    with torch.no_grad():
        features = discriminator(images).features
        x = activate(discriminator.from_image(images))
        for k, block in enumerate(discriminator.blocks):
            x = activate(block.second(smooth(activate(block.first(x)), padding=2)))
            if kind == "skip":
                images = downsample(images)
                x = x + activate(discriminator.from_smaller[k](images))
        x = activate(discriminator.convolution(append_deviation(x, 4)))
        expected = activate(discriminator.dense(x.flatten(1)))
    torch.testing.assert_close(features, expected)
    assert not any("shortcut" in name for name in discriminator.state_dict())
    assert len(discriminator.from_smaller) == (2 if kind == "skip" else 0)


def test_initial_images_and_logits_have_unit_scale():
    nets = build(64, 3, width=16, widest=64, style_dim=64, latent_dim=64, mapping_layers=8)
    with torch.no_grad():
        images = nets["generator"](torch.randn(16, 64))
        logits = nets["discriminator"](torch.randn(16, 3, 1, 1).expand(-1, -1, 64, 64)).logits
    assert 0.2 < images.std() < 5
    assert 0.05 < logits.std() < 5


def test_networks_of_two_sides_have_the_layers_of_equal_maps_in_common():
    # 8 pixels: maps of 4 and 8, with 8 and 4 channels. 16: 4, 8 and 16, with 8, 4 and 2.
    small = stylegan2(DataSpec(ImageSpec(8, 8, 1)), **SMALL)
    large = stylegan2(DataSpec(ImageSpec(16, 16, 1)), **SMALL | {"width": 2})
    pairs = match_tensors(small["generator"], large["generator"])
    assert pairs == {name: name for name in small["generator"].state_dict()}
    pairs = match_tensors(small["discriminator"], large["discriminator"])
    assert pairs["blocks.1.first.weight"] == "blocks.0.first.weight"
    assert not [name for name in pairs if name.startswith(("blocks.0", "from_image"))]
    shapes = [net["discriminator"].state_dict() for net in (small, large)]
    assert all(shapes[0][old].shape == shapes[1][new].shape for new, old in pairs.items())


def test_layers_of_a_skip_discriminator_follow_the_image():
    data = DataSpec(ImageSpec(16, 16, 1))
    net = stylegan2(data, **SMALL, discriminator="skip")["discriminator"]
    names = {id(weight): name.removesuffix(".weight") for name, weight in net.named_parameters()}
    assert [names[id(layer[0])] for layer in layers_from_image(net)] == [
        *("from_image", "blocks.0.first", "blocks.0.second"),
        *("from_smaller.0", "blocks.1.first", "blocks.1.second"),
        *("from_smaller.1", "convolution", "dense", "last"),
    ]
