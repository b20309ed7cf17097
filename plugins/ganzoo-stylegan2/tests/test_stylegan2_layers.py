"""Compare each layer with the formula of its paper, in float64."""

import math

import pytest
import torch
from stylegan2_helpers import noise
from torch.nn.functional import conv2d, interpolate, pad

from ganzoo_stylegan2.architectures.discriminator import append_deviation
from ganzoo_stylegan2.architectures.equalised import EqualisedConv2d, EqualisedLinear, activate
from ganzoo_stylegan2.architectures.mapping import pixel_norm
from ganzoo_stylegan2.architectures.modulation import ModulatedConv2d, modulated_conv2d
from ganzoo_stylegan2.architectures.resampling import downsample, smooth, upsample

N, INPUTS, OUTPUTS, SIDE = 3, 5, 4, 6
BINOMIAL = torch.tensor([1.0, 3, 3, 1]).double() / 8


def spread(x):
    """Insert a zero after each pixel."""
    n, channels, height, width = x.shape
    wide = x.new_zeros(n, channels, 2 * height, 2 * width)
    wide[:, :, ::2, ::2] = x
    return wide


def filtered(x, before, after, gain=1.0):
    """Filter every channel, written as loops."""
    kernel = gain * torch.outer(BINOMIAL, BINOMIAL)[None, None]
    x = pad(x, (before, after, before, after))
    return torch.cat([conv2d(x[:, c : c + 1], kernel) for c in range(x.shape[1])], 1)


def grouped(x, weight, style, *, demodulate, up):
    """Compute equations 1 and 3 directly: separate weights per sample, the batch as groups."""
    n, inputs = x.shape[:2]
    own = weight * style[:, None, :, None, None]
    if demodulate:
        own = own / (own.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    if up:
        # Zeros between the pixels, the convolution at the full size, then the filter.
        x = pad(spread(x), (2, 1, 2, 1))
        own = own.flip(3, 4)
    else:
        x = pad(x, (1, 1, 1, 1))
    x = x.reshape(1, n * inputs, *x.shape[2:])
    y = conv2d(x, own.flatten(0, 1), groups=n)
    y = y.view(n, -1, *y.shape[2:])
    return filtered(y, 1, 1, gain=4) if up else y


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("up", [True, False])
def test_modulated_convolution_is_the_papers_grouped_by_batch(demodulate, up):
    x = noise(N, INPUTS, SIDE, SIDE)
    weight, style = noise(OUTPUTS, INPUTS, 3, 3, seed=1), noise(N, INPUTS, seed=2)
    inputs = [t.requires_grad_() for t in (x, weight, style)]
    output = modulated_conv2d(x, weight, style, demodulate=demodulate, up=up)
    expected = grouped(x, weight, style, demodulate=demodulate, up=up)
    assert output.shape == (N, OUTPUTS, SIDE * (1 + up), SIDE * (1 + up))
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-10)
    direction = noise(*output.shape, seed=3)
    a, b = (
        torch.autograd.grad(y, inputs, direction, create_graph=True) for y in (output, expected)
    )
    for one, other in zip(a, b, strict=True):
        assert one.abs().max() > 0.1
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)
    # The path length is differentiated once more.
    a, b = (
        torch.autograd.grad(g[2].square().sum(), inputs, materialize_grads=True) for g in (a, b)
    )
    for one, other in zip(a, b, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e-4])
@pytest.mark.parametrize("up", [True, False])
def test_the_constant_of_demodulation_is_in_units_of_the_stored_weights(size, up):
    """Equation 3 for a layer: it divides by the norm of the weights before they are scaled."""
    layer = ModulatedConv2d(INPUTS, OUTPUTS, 3, style_dim=6, up=up).double()
    with torch.no_grad():
        layer.weight.mul_(size)
    x, w = noise(N, INPUTS, SIDE, SIDE), noise(N, 6, seed=1)
    expected = grouped(x, layer.weight, layer.style(w), demodulate=True, up=up)
    torch.testing.assert_close(layer(x, w), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("spread_of_styles", [0.1, 1.0, 30.0])
def test_demodulation_gives_unit_variance_for_any_style(spread_of_styles):
    x, weight = noise(20, 32, 24, 24), 7 * noise(6, 32, 3, 3, seed=1)
    style = spread_of_styles * noise(20, 32, seed=2)
    inner = modulated_conv2d(x, weight, style)[:, :, 1:-1, 1:-1]
    assert inner.std((2, 3)).mean() == pytest.approx(1, abs=0.01)
    assert inner.mean().abs() < 0.01
    plain = modulated_conv2d(x, weight, style, demodulate=False)
    assert plain.std() > 10 * spread_of_styles


def test_initial_styles_are_about_one():
    torch.manual_seed(0)
    layer = ModulatedConv2d(8, 3, 3, style_dim=400)
    style = layer.style(torch.randn(2000, 400)).detach()
    assert style.mean() == pytest.approx(1, abs=0.05)
    assert style.std() == pytest.approx(1, abs=0.05)


def test_smoothing_is_the_filter_1_3_3_1():
    x = torch.zeros(1, 2, 9, 9).double()
    x[0, 1, 4, 4] = 64
    expected = torch.zeros(8, 8).double()
    expected[2:6, 2:6] = torch.outer(8 * BINOMIAL, 8 * BINOMIAL)
    assert torch.equal(smooth(x)[0, 1], expected)
    assert smooth(x)[0, 0].abs().max() == 0
    torch.testing.assert_close(smooth(x, padding=2), filtered(x, 2, 2))


def test_upsampling_and_downsampling_match_a_closed_form():
    """With this filter they equal bilinear interpolation, antialiased if the size shrinks."""
    x = noise(2, 3, 8, 8)
    larger, smaller = upsample(x), downsample(x)
    torch.testing.assert_close(larger, filtered(spread(x), 2, 1, gain=4))
    torch.testing.assert_close(smaller, filtered(x, 1, 1)[:, :, ::2, ::2])
    bilinear = interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(larger[:, :, 1:-1, 1:-1], bilinear[:, :, 1:-1, 1:-1])
    bilinear = interpolate(x, scale_factor=0.5, mode="bilinear", antialias=True)
    torch.testing.assert_close(smaller[:, :, 1:-1, 1:-1], bilinear[:, :, 1:-1, 1:-1])


@pytest.mark.parametrize("rate", [1.0, 0.01])
def test_equalised_layers_keep_variance_and_step_size(rate):
    layer = EqualisedLinear(500, 300, rate=rate, bias=0.5)
    y = layer(torch.randn(400, 500)).detach()
    assert y.std() == pytest.approx(1, abs=0.03)
    assert y.mean() == pytest.approx(0.5, abs=0.03)
    assert layer.weight.detach().std() * rate == pytest.approx(1, abs=0.02)
    # A step of Adam moves every parameter by its learning rate: the output moves by
    # rate / sqrt(inputs) of it, and a bias by rate.
    before = [layer.weight.detach().clone(), layer.bias.detach().clone()]
    torch.optim.Adam(layer.parameters(), lr=1e-3).zero_grad()
    layer(torch.ones(1, 500)).sum().backward()
    torch.optim.Adam(layer.parameters(), lr=1e-3).step()
    for now, then in zip(layer.parameters(), before, strict=True):
        torch.testing.assert_close(then - now, torch.full_like(now, 1e-3), rtol=1e-2, atol=1e-5)
    moved = 1e-3 * rate * (math.sqrt(500) + 1)
    expected = torch.nn.functional.linear(
        torch.ones(1, 500), before[0] * rate / math.sqrt(500), before[1] * rate
    )
    torch.testing.assert_close(layer(torch.ones(1, 500)), expected - moved, rtol=1e-3, atol=1e-4)


def test_equalised_convolution_keeps_variance():
    layer = EqualisedConv2d(40, 30, 3, padding=1)
    y = layer(torch.randn(8, 40, 20, 20)).detach()[:, :, 1:-1, 1:-1]
    assert y.std() == pytest.approx(1, abs=0.02)
    assert layer.weight.detach().std() == pytest.approx(1, abs=0.02)


def test_the_activation_roughly_keeps_the_mean_square():
    """E[lrelu(x)^2] = (1 + slope^2) / 2."""
    x = noise(10**6)
    assert activate(x).square().mean() == pytest.approx(1 + 0.2**2, abs=0.01)
    assert activate(torch.tensor([-1.0, 1.0])).tolist() == pytest.approx(
        [-0.2 * math.sqrt(2), math.sqrt(2)]
    )


def test_pixel_norm_gives_rows_a_fixed_norm():
    x = 5 * noise(4, 9)
    y = pixel_norm(x)
    torch.testing.assert_close(y.square().mean(1), torch.ones(4).double())
    torch.testing.assert_close(y / x, (y / x)[:, :1].expand_as(x))


def test_deviation_is_computed_per_group_over_its_samples():
    x = noise(8, 3, 2, 2)
    output = append_deviation(x, 4)
    assert torch.equal(output[:, :3], x)
    for group in (slice(0, 4), slice(4, 8)):
        expected = x[group].std(0, correction=0).mean()
        torch.testing.assert_close(output[group, 3], expected.expand(4, 2, 2), rtol=1e-6, atol=1e-6)


def test_partial_batches_have_the_same_groups():
    x = noise(16, 3, 2, 2)
    parts = torch.cat([append_deviation(part, 4) for part in x.split(8)])
    assert torch.equal(parts, append_deviation(x, 4))


@pytest.mark.parametrize(("n", "size"), [(1, 1), (2, 2), (6, 3), (7, 1), (12, 4), (5, 1)])
def test_a_batch_that_the_group_does_not_divide_has_smaller_groups(n, size):
    x = noise(n, 2, 3, 3)
    torch.testing.assert_close(append_deviation(x, 4), append_deviation(x, size))
    x.requires_grad_()
    append_deviation(x, 4).sum().backward()
    assert x.grad.isfinite().all()
