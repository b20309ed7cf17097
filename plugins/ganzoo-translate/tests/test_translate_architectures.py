import pytest
import torch
from torch import nn
from translate_helpers import build, data_spec, images

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import inputs_of


@pytest.mark.parametrize("side", [32, 64, 128, 256])
@pytest.mark.parametrize(("condition", "channels"), [(3, 3), (1, 3)])
def test_unet_keeps_the_image_size_and_its_discriminator_judges_patches(side, condition, channels):
    nets = build("unet", data_spec(side, channels, condition), width=2)
    condition_images, real = images(2, side, condition), images(2, side, channels)
    output = nets["generator"](condition_images)
    assert output.shape == real.shape
    assert output.abs().max() <= 1
    verdict = nets["discriminator"](real, condition_images)
    assert verdict.logits.shape == (2, 1, side // 8 - 2, side // 8 - 2)
    assert verdict.features.shape == (2, 16, side // 8 - 1, side // 8 - 1)


def test_unet_fits_the_smallest_images():
    nets = build("unet", data_spec(16), width=2, patch_layers=2)
    assert nets["generator"](images(2, 16)).shape == (2, 3, 16, 16)
    assert nets["discriminator"](images(2, 16), images(2, 16)).logits.shape == (2, 1, 2, 2)


def test_the_papers_networks_have_their_papers_sizes():
    """Isola et al.: the U-Net of 256x256 has 54.4 million weights, the 70x70 PatchGAN 2.8."""
    with torch.device("meta"):
        nets = build("unet", data_spec(256))
        resnet = build("translator", data_spec(256))["generator"]
    count = {role: sum(p.numel() for p in net.parameters()) for role, net in nets.items()}
    assert 54.3e6 < count["generator"] < 54.5e6
    assert 2.76e6 < count["discriminator"] < 2.78e6
    assert 11.3e6 < sum(p.numel() for p in resnet.parameters()) < 11.4e6


@pytest.mark.parametrize(("layers", "pixels"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch_of_the_papers_size(layers, pixels):
    net = build(
        "cyclegan", data_spec(128), width=2, patch_layers=layers, discriminator_norm="none"
    )["discriminator"].double()
    x = images(1, 128, dtype=torch.float64).requires_grad_()
    logits = net(x).logits
    middle = logits.shape[2] // 2
    logits[0, 0, middle, middle].backward()
    touched = x.grad.abs().sum((0, 1)) > 0
    assert (int(touched.any(0).sum()), int(touched.any(1).sum())) == (pixels, pixels)


def test_skip_connections_bypass_the_bottleneck():
    """Without the path through the bottleneck, the images still depend on the condition."""
    generator = build("unet", width=4, dropout=0.0)["generator"].eval()
    generator.down[-1].register_forward_hook(
        lambda module, inputs, output: torch.zeros_like(output)
    )
    assert not torch.allclose(generator(images(seed=0)), generator(images(seed=1)))
    joined = [up[0].in_channels for up in generator.up[1:]]
    assert joined == [2 * down[0].out_channels for down in generator.down[-2:0:-1]]


def test_dropout_is_random_in_training_and_absent_in_eval():
    generator = build("unet", width=4)["generator"]
    x = images()
    assert not torch.equal(generator(x), generator(x))
    generator.eval()
    assert torch.equal(generator(x), generator(x))
    sure = build("unet", width=4, dropout=0.0)["generator"]
    assert torch.equal(sure(x), sure(x))


def test_test_dropout_is_controlled_by_the_sign_of_latents():
    generator = build("unet", width=4, test_dropout=True)["generator"].eval()
    assert inputs_of(generator) == ("condition", "z")
    assert inputs_of(build("unet", width=4)["generator"]) == ("condition",)
    # 32 pixels: the maps of 2, 4 and 8 pixels a side have 32, 16 and 8 channels at this width.
    assert generator.latent_dim == 32 * 4 + 16 * 16 + 8 * 64
    assert isinstance(generator.latent_dim, int)
    x = images()
    z = torch.randn(2, generator.latent_dim, generator=torch.Generator().manual_seed(0))
    output = generator(x, z)
    assert torch.equal(output, generator(x, z))
    assert torch.equal(output, generator(x, 3 * z)), "the sign alone counts"
    assert not torch.equal(output, generator(x, -z))


def test_a_latent_mask_equals_dropout():
    """The same mask gives the same image as torch's dropout: kept units are doubled."""
    latent = build("unet", width=4, test_dropout=True)["generator"]
    plain = build("unet", width=4)["generator"]
    plain.load_state_dict(latent.state_dict())
    plain.eval()
    latent.eval()

    class Mask(nn.Module):
        def __init__(self):
            super().__init__()
            self.signs = []

        def forward(self, x):
            y = nn.functional.dropout(x, 0.5, training=True)
            # The sign of a unit that is 0 before dropout is arbitrary.
            self.signs.append((y != 0).float().flatten(1) - 0.5)
            return y

    plain.dropout = Mask()
    x = images()
    expected = plain(x)
    assert len(plain.dropout.signs) == 3
    torch.testing.assert_close(latent(x, torch.cat(plain.dropout.signs, 1)), expected)


@pytest.mark.parametrize("name", ["unet", "translator"])
def test_affine_instance_norm_is_batch_norm_of_each_image(name):
    """With a batch of one image in training mode, BatchNorm uses the statistics of that image."""
    arguments = {"width": 4} | ({"dropout": 0.0} if name == "unet" else {"blocks": 1})
    batch = build(name, **arguments, generator_norm="batch")["generator"]
    for module in batch.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    affine = build(name, **arguments, generator_norm="instance-affine")["generator"].eval()
    weights = batch.state_dict()
    affine.load_state_dict({key: weights[key] for key in affine.state_dict()})
    x = images(3)
    alone = torch.cat([batch(x[k : k + 1]) for k in range(3)])
    torch.testing.assert_close(affine(x), alone, atol=1e-5, rtol=0)


def test_rectified_skips_are_those_of_the_authors():
    """The decoder reads max(0, x) of each map that the encoder returns."""
    unet = build("unet", width=4, relu_skips=True)["generator"].eval()
    x = images()
    maps = [x]
    for layer in unet.down:
        maps.append(layer(maps[-1]))
    decoded = maps.pop().relu()
    for layer in unet.up:
        decoded = torch.cat([layer(decoded), maps.pop()], 1).relu()
    torch.testing.assert_close(unet(x), unet.last(decoded).tanh())
    plain = build("unet", width=4)["generator"].eval()
    plain.load_state_dict(unet.state_dict())
    assert not torch.allclose(unet(x), plain(x))


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_batch_of_one_pair_trains(norm):
    """For one pair, BatchNorm equals instance normalisation up to scale and shift."""
    generator = build("unet", width=4, generator_norm=norm)["generator"]
    assert torch.isfinite(generator(images(1))).all()


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_the_discriminator_has_the_requested_norm(norm):
    net = build("unet", width=4, discriminator_norm=norm)["discriminator"]
    kinds = {type(m) for m in net.modules()}
    assert (nn.BatchNorm2d in kinds) is (norm == "batch")
    assert (nn.InstanceNorm2d in kinds) is (norm == "instance")
    alone, beside = net(images(1), images(1)), net(images(3), images(3))
    same = torch.allclose(alone.logits, beside.logits[:1], atol=1e-5)
    assert same is (norm != "batch")


def test_the_discriminator_reads_the_image_and_its_condition():
    net = build("unet", width=4, discriminator_norm="none")["discriminator"]
    x, a, b = images(seed=0), images(seed=1), images(seed=2)
    assert not torch.allclose(net(x, a).logits, net(x, b).logits)
    assert not torch.allclose(net(a, x).logits, net(b, x).logits)


@pytest.mark.parametrize("size", [(32, 32), (64, 48), (36, 32)])
def test_the_translator_keeps_the_size_of_an_image(size):
    image, condition = ImageSpec(*size, 3), ImageSpec(*size, 1)
    nets = build("translator", DataSpec(image, condition=condition), width=2, blocks=1)
    conditions, real = torch.rand(2, 1, *size), torch.rand(2, 3, *size)
    output = nets["generator"](conditions)
    assert output.shape == real.shape
    assert output.abs().max() <= 1
    assert nets["discriminator"](output, conditions).logits.shape[:2] == (2, 1)


@pytest.mark.parametrize("norm", ["instance", "instance-affine", "batch"])
def test_the_translator_reads_the_sizes_that_it_states(norm):
    network = build("translator", width=2, blocks=1, generator_norm=norm)["generator"].train()
    smallest, step = network.sizes.smallest, network.sizes.multiple
    for size in [(smallest, smallest), (smallest, smallest + step), (40, smallest)]:
        assert network(torch.rand(1, 3, *size)).shape == (1, 3, *size)
    with pytest.raises((RuntimeError, ValueError)):
        network(torch.rand(1, 3, smallest - step, smallest))
    assert network(torch.rand(1, 3, smallest + 1, smallest)).shape[2] != smallest + 1


def test_cyclegan_has_two_translators_and_unconditional_discriminators():
    nets = build("cyclegan", data_spec(32, 3, 1, paired=False), width=2, blocks=1)
    a, b = images(2, channels=1), images(2, channels=3)
    assert nets["generator"](a).shape == b.shape
    assert nets["reverse_generator"](b).shape == a.shape
    assert nets["discriminator"](b).logits.shape == (2, 1, 2, 2)
    assert nets["reverse_discriminator"](a).logits.shape == (2, 1, 2, 2)
    assert [inputs_of(nets[role]) for role in ("generator", "reverse_generator")] == [
        ("condition",),
        ("condition",),
    ]


@pytest.mark.parametrize(
    ("architecture", "data", "arguments", "message"),
    [
        ("unet", DataSpec(ImageSpec(32, 32, 3)), {}, "no condition images. Use --dataset paired"),
        ("unet", data_spec(40), {}, "of 16 to 256 pixels, has at most 7, .*--dataset.size 128"),
        ("unet", data_spec(144), {}, "has at most 7"),
        ("unet", data_spec(512), {}, "of 16 to 256 pixels"),
        ("unet", data_spec(8), {}, "must halve 4 times or more"),
        (
            "unet",
            data_spec(16),
            {},
            r"patch_layers=3 for images of 16x16x3.*--architecture.patch-layers 2",
        ),
        ("unet", data_spec(), {"width": 0}, "width=0.*--architecture.width"),
        ("unet", data_spec(), {"patch_layers": 0}, "patch_layers=0.*--architecture.patch-layers"),
        ("unet", data_spec(), {"dropout": 1.0}, "dropout=1.0.*--architecture.dropout 0.5"),
        (
            "unet",
            data_spec(),
            {"dropout": 0.3, "test_dropout": True},
            "with test_dropout: .*--architecture.dropout 0.5",
        ),
        ("unet", data_spec(), {"width": 512, "test_dropout": True}, "--architecture.width 64"),
        ("translator", data_spec(30), {}, "multiples of 4"),
        ("translator", data_spec(12), {}, "at least 16"),
        ("translator", data_spec(16), {}, "--architecture.patch-layers 2"),
        ("translator", data_spec(), {"blocks": 0}, "blocks=0"),
        ("cyclegan", DataSpec(ImageSpec(32, 32, 3)), {}, "unpaired"),
        (
            "cyclegan",
            DataSpec(ImageSpec(32, 32, 3), condition=ImageSpec(64, 64, 3)),
            {},
            "cannot change the size .* conditions of 64x64x3 and images of 32x32x3",
        ),
    ],
)
def test_invalid_arguments_raise_an_error(architecture, data, arguments, message):
    with (
        pytest.raises(ArchitectureError, match=f"architecture '{architecture}'.*{message}"),
        torch.device("meta"),
    ):
        build(architecture, data, **arguments)


@pytest.mark.parametrize("architecture", ["unet", "translator", "cyclegan"])
@pytest.mark.parametrize(("height", "width"), [(32, 64), (64, 32), (48, 64), (96, 80)])
def test_rectangles(architecture, height, width):
    data = DataSpec(ImageSpec(height, width, 3), condition=ImageSpec(height, width, 3))
    nets = build(architecture, data, width=2, patch_layers=1)
    condition = torch.rand(2, 3, height, width) * 2 - 1
    image = nets["generator"](condition)
    assert image.shape == condition.shape
    images = {"cyclegan": (image,)}.get(architecture, (image, condition))
    assert nets["discriminator"](*images).logits.shape == (2, 1, height // 2 - 2, width // 2 - 2)


def test_the_dropout_of_a_rectangle_is_a_latent():
    data = DataSpec(ImageSpec(32, 64, 3), condition=ImageSpec(32, 64, 3))
    generator = build("unet", data, width=2, test_dropout=True)["generator"]
    assert generator.latent_dim == sum(
        channels * 4**k * 2 for k, channels in ((1, 16), (2, 8), (3, 4))
    )
    z = torch.randn(2, generator.latent_dim)
    assert generator(torch.rand(2, 3, 32, 64), z).shape == (2, 3, 32, 64)
