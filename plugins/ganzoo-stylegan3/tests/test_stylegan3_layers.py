"""Compare the filters and layers with the paper's formulas, and test what they are made for."""

import math

import numpy as np
import pytest
import scipy.signal
import scipy.special
import torch
from stylegan3_helpers import build
from torch.nn.functional import conv2d, leaky_relu, pad

from ganzoo_stylegan3.activation import FilteredActivation, design
from ganzoo_stylegan3.filters import bessel, lowpass, radial_lowpass
from ganzoo_stylegan3.fourier import FourierFeatures
from ganzoo_stylegan3.frequencies import choose_widths, plan
from ganzoo_stylegan3.synthesis import NormalisedConv2d

SIGNALS = plan(32, layers=6, critical=2, margin=4)
PAIRS = [(SIGNALS[0], SIGNALS[0]), (SIGNALS[1], SIGNALS[2]), (SIGNALS[4], SIGNALS[5])]


def test_the_papers_layers():
    """Figure 4 and the sizes of the published model for faces of 1024x1024 pixels."""
    signals = plan(1024, layers=14, critical=2, margin=10)
    rates = [16, 16, 32, 32, 64, 128, 128, 256, 256, 512, 1024, 1024, 1024, 1024]
    assert [signal.rate for signal in signals] == rates
    assert [signal.size for signal in signals] == [rate + 20 for rate in rates[:-1]] + [1024]
    widths = [1024] * 7 + [645, 406, 256, 161, 102, 64, 64]
    assert choose_widths(signals, 64, 1024) == widths
    assert signals[0].cutoff == 2
    assert [signal.cutoff for signal in signals[-2:]] == [512, 512]


@pytest.mark.parametrize("pair", PAIRS)
def test_filters_are_scipys_of_kaisers_design(pair):
    before, after = pair
    first, last = design(before, after, radial=False)
    rate = 2 * after.rate
    for taps, signal in ((first, before), (last, after)):
        expected = scipy.signal.firwin(
            len(taps), cutoff=signal.cutoff, width=2 * signal.half_width, fs=rate
        )
        np.testing.assert_allclose(taps, expected, atol=1e-12)


def test_the_bessel_function():
    x = np.linspace(-190, 190, 999)
    np.testing.assert_allclose(bessel(x), scipy.special.j1(x), atol=1e-12)


def response(filter_, fx, fy, rate):
    positions = (np.arange(len(filter_)) - (len(filter_) - 1) / 2) / rate
    wave = np.cos(2 * np.pi * (fx * positions + fy * positions[:, None]))
    return (filter_ * wave).sum()


def test_a_radial_filter_treats_all_directions_alike():
    rate, cutoff = 64, 8.0
    radial = radial_lowpass(48, cutoff, 3.0, rate)
    separable = np.outer(*[lowpass(48, cutoff, 3.0, rate)] * 2)
    for filter_ in (radial, separable):
        assert response(filter_, 0, 0, rate) == pytest.approx(1)
        assert response(filter_, 4, 0, rate) == pytest.approx(1, abs=0.01)
        assert response(filter_, 12, 0, rate) == pytest.approx(0, abs=0.01)
        assert response(filter_, cutoff, 0, rate) == pytest.approx(0.5, abs=0.05)
    diagonal = cutoff / math.sqrt(2)
    assert response(radial, diagonal, diagonal, rate) == pytest.approx(0.5, abs=0.05)
    assert response(separable, diagonal, diagonal, rate) > 0.9


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_the_filtered_activation_by_its_definition(pair, radial):
    """Insert zeros, filter, activate, filter, and keep each second sample."""
    before, after = pair
    size = before.size + 2
    layer = FilteredActivation(before, after, size, radial=radial, clamp=0.9).double()
    x = torch.randn(2, 3, size, size, dtype=torch.float64)
    up = 2 * after.rate // before.rate
    wide = x.new_zeros(2, 3, (size - 1) * up + 1, (size - 1) * up + 1)
    wide[:, :, ::up, ::up] = x

    def filtered(y, weights):
        kernel = weights if weights.ndim == 2 else torch.outer(weights, weights)
        return conv2d(y.flatten(0, 1)[:, None], kernel[None, None])[:, 0].unflatten(0, (2, 3))

    taps = len(layer.up_filter)
    wide = up**2 * filtered(pad(wide, [taps - 1] * 4), layer.up_filter)
    wide = (math.sqrt(2) * leaky_relu(wide, 0.2)).clamp(-0.9, 0.9)
    whole = filtered(wide, layer.down_filter)
    excess = whole.shape[2] - (2 * after.size - 1)
    assert excess % 2 == 0
    cut = excess // 2
    inner = whole[:, :, cut : cut + 2 * after.size - 1, cut : cut + 2 * after.size - 1]
    output = layer(x)
    assert output.shape == (2, 3, after.size, after.size)
    torch.testing.assert_close(output, inner[:, :, ::2, ::2], rtol=0, atol=1e-12)


def test_fourier_features_are_waves_within_the_cutoff():
    features = FourierFeatures(SIGNALS[0], 500, 4)
    length = features.frequencies.norm(dim=1)
    assert length.max() <= 2
    assert length.square().mean() == pytest.approx(2, abs=0.2), "uniform in the disc"
    with torch.no_grad():
        features.mix.weight.copy_(math.sqrt(500) * torch.eye(500)[:, :, None, None])
        x = features(torch.randn(2, 4))
    k, row, column = 7, 3, 20
    position = (torch.tensor([column, row]) - (24 - 1) / 2) / 16
    phase = features.frequencies[k] @ position + features.phases[k]
    assert x.shape == (2, 500, 24, 24)
    assert x[0, k, row, column] == pytest.approx((2 * math.pi * phase).sin().item(), abs=1e-5)
    assert torch.equal(x[0], x[1]), "the same for each w at first"
    features.transform[:2, :2] *= 8
    with torch.no_grad():
        assert features(torch.randn(1, 4))[0, length > 1.1].abs().max() < 1e-6, "too high"


def test_maps_are_divided_by_their_average_magnitude():
    layer = NormalisedConv2d(3, 4, 1, style_dim=2, memory=0.75)
    x, w = 5 * torch.randn(2, 3, 8, 8), torch.randn(2, 2)
    square = x.square().mean()
    output = layer(x, w)
    torch.testing.assert_close(layer.magnitude, 0.75 + 0.25 * square)
    layer.eval()
    assert torch.equal(layer(x, w), output)
    torch.testing.assert_close(layer.magnitude, 0.75 + 0.25 * square)
    with torch.no_grad():
        layer.magnitude.fill_(1.0)
    torch.testing.assert_close(layer(x, w), output * (0.75 + 0.25 * square).sqrt())


# ---- equivariance


def generator_of(configuration):
    arguments = {"layers": 6, "critical_layers": 2, "margin": 10}
    generator = build(32, configuration=configuration, **arguments)["generator"]
    z = torch.randn(8, 6)
    for module in generator.modules():
        if isinstance(module, NormalisedConv2d):
            module.memory = 0.0
    with torch.no_grad():
        generator(z)
    return generator.eval()


def frame(degrees=0.0, right=0.0):
    """Return the map of positions of an image that is turned, then moved by pixels."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = torch.tensor([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    move = torch.tensor([[1.0, 0, -right / 32], [0, 1, 0], [0, 0, 1]])
    return turn @ move


@torch.no_grad()
def images(generator, transform):
    generator.synthesis.input.transform.copy_(transform)
    z = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    w = generator.mapping(z)[:, None].expand(-1, generator.synthesis.style_count, -1)
    return generator.synthesis(w)


@pytest.mark.parametrize("configuration", ["T", "R"])
def test_images_move_with_their_frame(configuration):
    generator = generator_of(configuration)
    still, moved = images(generator, frame()), images(generator, frame(right=4))
    half, more = (images(generator, frame(right=pixels)) for pixels in (0.5, 1.5))
    scale = still.std()
    assert (moved[..., 4:] - still[..., :-4]).abs().max() < 0.01 * scale
    assert (more[..., 1:] - half[..., :-1]).abs().max() < 0.01 * scale
    assert (more - half).abs().max() > 0.2 * scale


def test_images_of_configuration_r_turn_with_their_frame():
    generator = generator_of("R")
    still, turned = images(generator, frame()), images(generator, frame(90))
    scale = still.std()
    assert (turned - still.rot90(1, (2, 3))).abs().max() < 1e-4 * scale
    grid = torch.nn.functional.affine_grid(
        frame(30)[None, :2].expand(2, -1, -1), list(still.shape), align_corners=False
    )
    resampled = torch.nn.functional.grid_sample(still, grid, "bicubic", align_corners=False)
    error = (images(generator, frame(30)) - resampled)[:, :, 8:24, 8:24]
    assert error.square().mean().sqrt() < 0.05 * scale
    generator = generator_of("T")
    still, turned = images(generator, frame()), images(generator, frame(90))
    assert (turned - still.rot90(1, (2, 3))).abs().max() > 0.2 * still.std()
