"""Fast layers equal the layers they replace."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d, interpolate

from ganzoo.nn import LatentToMap, UpsampleConv2d


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (1, 5, 1, 1), (3, 2, 7, 5)])
def test_upsampling_convolution_equals_repetition_and_convolution(shape, bias):
    """Compare values and gradients to 1e-12 in float64."""
    torch.manual_seed(0)
    layer = UpsampleConv2d(shape[1], 6, bias=bias).double()
    images = torch.randn(shape).double().requires_grad_()
    leaves = [images, *layer.parameters()]
    plain = conv2d(interpolate(images, scale_factor=2.0), layer.weight, layer.bias, padding=1)
    fast = layer(images)
    torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-12)
    towards = torch.randn_like(plain)
    for a, b in zip(*(torch.autograd.grad(y, leaves, towards) for y in (fast, plain)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_parameters_equal_those_of_the_convolution():
    layer, plain = UpsampleConv2d(3, 4), nn.Conv2d(3, 4, 3, padding=1)
    plain.load_state_dict(layer.state_dict(), strict=True)
    images = torch.randn(2, 3, 8, 8)
    expected = plain(interpolate(images, scale_factor=2.0))
    torch.testing.assert_close(layer(images), expected)


@pytest.mark.parametrize("bias", [True, False])
def test_a_latent_projection_equals_a_transposed_convolution(bias):
    torch.manual_seed(0)
    layer = LatentToMap(5, 6, 4, bias=bias).double()
    z = torch.randn(3, 5).double().requires_grad_()
    leaves = [z, *layer.parameters()]
    plain, fast = conv_transpose2d(z[:, :, None, None], layer.weight, layer.bias), layer(z)
    torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-12)
    towards = torch.randn_like(plain)
    for a, b in zip(*(torch.autograd.grad(y, leaves, towards) for y in (fast, plain)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
