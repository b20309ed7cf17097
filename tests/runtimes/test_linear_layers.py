"""The linear layers that read latents, in networks of known weights."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import ganzoo
from ganzoo import DataSpec, ImageSpec, ModelSpec
from ganzoo.errors import SampleError
from ganzoo.nn import StyleGenerator
from ganzoo.runtimes.linear_layers import run_first_layer
from ganzoo.runtimes.torch import TorchGenerator, wrap
from ganzoo.sampling.direction_methods import compute_directions
from ganzoo.spec import LatentSpec

DIRECTIONS = torch.tensor([[0.6, 0.8], [0.8, -0.6]])
MATRIX = torch.tensor([[5.0], [2.0]]) * DIRECTIONS  # its singular vectors are the directions


def generator(network):
    spec = ModelSpec(
        name="known",
        architecture="none",
        arguments={},
        requires=(),
        data=DataSpec(ImageSpec(1, 2, 1)),
        latent=LatentSpec(2),
        inputs=("z",),
    )
    return wrap(spec, network)


class Mapping(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("average", torch.zeros(2))

    def forward(self, z, y=None):
        return 2 * z


class Synthesis(nn.Module):
    """Three layers: the first reads w by MATRIX, the second by a tenfold one, the third by none."""

    style_count = 3

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(MATRIX.clone())
        self.noise_strength = nn.Parameter(torch.ones(()))

    def forward(self, styles):
        first, second, third = styles.unbind(1)
        x = functional.linear(first, self.weight, torch.ones(2))
        x = x + second @ (10 * self.weight.flip(1)).T + third + self.noise_strength
        return x[:, None, None]


class Styled(StyleGenerator):
    def forward(self, z):
        return self.render(self.mapping(z))


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(MATRIX.clone())
        self.scale = nn.Parameter(torch.ones(3, 3))

    def forward(self, z):
        unrelated = self.scale @ self.scale  # reads no latent
        return (torch.atan(z) @ self.weight.T * unrelated.mean())[:, None, None]


def test_sefa_has_the_singular_vectors_of_the_weights_that_read_w():
    model = generator(Styled(Mapping(), Synthesis()))
    maps = model.style_maps()
    assert {*maps} == {0, 1}
    assert np.allclose(maps[0][0], MATRIX)
    assert np.allclose(maps[1][0], 10 * MATRIX.flip(1))
    result = compute_directions(model, "sefa", layers="0", count=2, draws=4_000)
    assert np.allclose(result.vectors, DIRECTIONS, atol=1e-6)
    assert result.layers == (0,)
    assert np.allclose(result.scales, 2, atol=0.1)
    # The sign: the number of largest magnitude is positive.
    flipped = compute_directions(model, "sefa", layers="1", count=2, draws=10)
    assert np.allclose(flipped.vectors, [[0.8, 0.6], [-0.6, 0.8]], atol=1e-6)
    both = compute_directions(model, "sefa", count=1, draws=10)
    assert np.allclose(both.vectors, flipped.vectors[0], atol=0.02)
    assert both.layers == (0, 1, 2)
    with pytest.raises(SampleError, match="no linear layer of 'known' reads the w of layer 2"):
        compute_directions(model, "sefa", layers="2", count=1)


def test_sefa_in_z_has_the_singular_vectors_of_the_first_layer():
    result = compute_directions(generator(Plain()), "sefa", count=2, draws=4_000)
    assert np.allclose(result.vectors, DIRECTIONS, atol=1e-6)
    assert result.space == "z"
    assert np.allclose(result.scales, 1, atol=0.05)


def test_a_network_without_linear_layers_is_named():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))

        def forward(self, z):
            return (z + self.weight)[:, None, None]

    with pytest.raises(SampleError, match="no linear layer or convolution that reads z"):
        compute_directions(generator(Sum()), "sefa", count=1)


def test_noise_is_switched_off_in_a_copy():
    model = generator(Styled(Mapping(), Synthesis()))
    z = np.zeros((1, 2), np.float32)
    silent = model.without_noise()
    assert isinstance(silent, TorchGenerator)
    difference = model.network.synthesis(torch.zeros(1, 3, 2)) - silent.network.synthesis(
        torch.zeros(1, 3, 2)
    )
    assert (difference == 1).all()
    assert model.network.synthesis.noise_strength == 1
    with pytest.raises(SampleError, match="'known' has no noise"):
        generator(Plain()).without_noise()
    with pytest.raises(SampleError, match="runtime='torch'"):
        ganzoo.load("dcgan-mnist", runtime="onnx").without_noise()
    assert silent.run({"z": z}).shape == (1, 1, 1, 2)


@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        ("mlp", {}),
        ("dcgan", {"latent_distribution": "uniform"}),
        ("dcgan", {"conditioning": "concat"}),
        ("resnet", {}),
        ("upsampling-dcgan", {}),
    ],
)
def test_the_first_layer_of_each_architecture_reads_z(architecture, arguments):
    data = DataSpec(ImageSpec(16, 16, 1), classes=3)
    build = ganzoo.architectures.get(architecture)
    network = build(data, latent_dim=6, width=8, **arguments)["generator"].eval()
    inputs = (
        torch.eye(6),
        *[torch.zeros(6, dtype=torch.int64)] * bool(arguments.get("conditioning")),
    )
    with torch.no_grad():
        features = run_first_layer(network, inputs)
    assert torch.linalg.matrix_rank((features - features[0]).flatten(1)) == 5
