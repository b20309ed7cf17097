"""The networks to train: weights of spandrel, closed forms of sizes, and pairs of two sizes."""

import pytest
import torch
from restore_helpers import pairs_of, random_weights, rrdbnet
from spandrel.architectures.ESRGAN import ESRGAN

import ganzoo
from ganzoo.errors import ArchitectureError
from ganzoo.nn.matching import match_tensors


def build(name, scale=4, side=32, channels=3, **arguments):
    torch.manual_seed(0)
    return ganzoo.architectures.get(name)(pairs_of(scale, side, channels), **arguments)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_rrdbnet_computes_what_spandrels_does_from_the_same_weights(scale):
    original = rrdbnet(scale, blocks=2)
    network = build("rrdbnet", scale, width=8, blocks=2)["generator"].eval()
    network.network.load_state_dict(original.state_dict())
    images = torch.rand(2, 3, 7, 12)
    with torch.no_grad():
        expected = original(images).clamp(0, 1)
        output = (network(images * 2 - 1) + 1) / 2
    assert output.shape == (2, 3, 7 * scale, 12 * scale)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=0)


def test_srresnet_computes_its_closed_form():
    """With kernels that copy the centre, PReLU of a and BatchNorm at rest.

    The first layer gives |x| = 1, each block adds 1 to 1, and the sum doubles it: 3 of one block.
    """
    network = build("srresnet", scale=2, width=1, blocks=1, channels=1)["generator"].network.eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.zero_()
                module.weight[:, :, module.kernel_size[0] // 2, module.kernel_size[1] // 2] = 1
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, torch.nn.BatchNorm2d):
                module.eps = 0.0
        output = network(torch.ones(1, 1, 3, 5))
    torch.testing.assert_close(output, torch.full((1, 1, 6, 10), 3.0))


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def test_srresnet_has_the_papers_layers():
    """k9n64, 16 blocks of k3n64 with BatchNorm and PReLU, k3n64, two of k3n256, and k9n3."""
    block = 2 * (64 * 64 * 9 + 2 * 64) + 1
    first, last = 3 * 64 * 81 + 64 + 1, 64 * 3 * 81 + 3
    body = 16 * block + 64 * 64 * 9 + 2 * 64
    upsampling = 2 * (64 * 256 * 9 + 256 + 1)
    nets = build("srresnet", side=96)
    assert count(nets["generator"]) == first + body + upsampling + last == 1_547_350
    maps = [(64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    convolutions = 3 * 64 * 9 + 64 + sum(a * b * 9 + 2 * b for a, b in maps)
    dense = 512 * 6 * 6 * 1024 + 1024 + 1024 + 1
    assert count(nets["discriminator"]) == convolutions + dense
    assert nets["discriminator"](torch.zeros(2, 3, 96, 96)).logits.shape == (2,)


def test_rrdbnet_has_the_parameters_of_the_published_one():
    with torch.device("meta"):
        nets = build("rrdbnet", discriminator="none")
        assert count(nets["generator"]) == count(ESRGAN()) == 16_697_987
    assert list(nets) == ["generator"]


@pytest.mark.parametrize("name", ["srresnet", "rrdbnet"])
def test_weights_of_another_scale_start_a_training(name):
    """All but the layers that only the larger scale has, and those after them."""
    small, large = (build(name, scale, width=4, blocks=1)["generator"] for scale in (2, 4))
    matches = match_tensors(small, large)
    new = [path for path in large.state_dict() if path not in matches]
    beyond = {"srresnet": "network.upsampling.1.", "rrdbnet": "network.model."}[name]
    assert new
    assert all(path.startswith(beyond) for path in new)
    assert not any(".sub." in path for path in new)


def test_a_network_of_spandrel_gets_a_discriminator():
    options = ("num_filters=4", "num_blocks=1")
    nets = build("spandrel", options=options, discriminator="vgg", width=4)
    assert nets["discriminator"](torch.zeros(2, 3, 32, 32)).logits.shape == (2,)
    assert list(build("spandrel", options=options)) == ["generator"]


@pytest.mark.parametrize("name", ["srresnet", "rrdbnet"])
def test_data_and_arguments_that_do_not_fit_are_refused(name):
    factory = ganzoo.architectures.get(name)
    with pytest.raises(ArchitectureError, match="has no condition images. Use .* degraded"):
        factory(ganzoo.DataSpec(ganzoo.ImageSpec(32, 32, 3)))
    with pytest.raises(ArchitectureError, match="cannot multiply sides by 3"):
        factory(pairs_of(3, 33))
    uneven = ganzoo.DataSpec(pairs_of().image, condition=ganzoo.ImageSpec(24, 24, 3))
    with pytest.raises(ArchitectureError, match="cannot make images of 32x32x3 from .* 24x24x3"):
        factory(uneven)
    with pytest.raises(ArchitectureError, match="blocks=0. Use --architecture.blocks 1 to 1024"):
        factory(pairs_of(4, 32), blocks=0)


def test_images_are_clamped_after_the_training_alone():
    network = random_weights(build("rrdbnet", width=4, blocks=1)["generator"], 3.0)
    condition = torch.rand(1, 3, 8, 8) * 2 - 1
    assert network(condition).abs().max() <= 1
    assert network.train()(condition).abs().max() > 1
