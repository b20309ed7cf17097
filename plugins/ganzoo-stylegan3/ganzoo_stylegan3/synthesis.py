"""The synthesis network, from styles to images.

"Alias-Free Generative Adversarial Networks" (Karras et al., 2021), section 3.2 and figure 4,
https://arxiv.org/abs/2106.12423.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ganzoo.games import batch_mean
from ganzoo.nn import at_least_fp32
from ganzoo_stylegan2.architectures.equalised import limit
from ganzoo_stylegan2.architectures.modulation import ModulatedConv2d
from ganzoo_stylegan3.activation import FilteredActivation
from ganzoo_stylegan3.fourier import FourierFeatures
from ganzoo_stylegan3.frequencies import Signal

IMAGE_SCALE = 0.25  # factor of the last layer's output


class LayerOptions(NamedTuple):
    """What all layers have in common.

    Attributes:
        kernel: side of the kernels.
        memory: decay of the moving averages of magnitudes, per batch.
        clamp: limit of absolute values; 0 for none.
    """

    kernel: int
    memory: float
    clamp: float


class NormalisedConv2d(nn.Module):
    """Modulated convolution of maps that are divided by their root mean square, and bias.

    The buffer `magnitude` is a moving average of the mean square of the maps in training.

    Args:
        inputs, outputs: channels before and after.
        kernel: side of the kernel.
        style_dim: length of w.
        memory: decay of the moving average, per batch.
        demodulate: as in `ModulatedConv2d`.
    """

    magnitude: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        style_dim: int,
        memory: float,
        *,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(
            inputs, outputs, kernel, style_dim, demodulate=demodulate
        )
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("magnitude", torch.ones(()))
        self.memory = memory
        self.border = kernel // 2

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x (n, inputs, side, side) and w to (n, outputs, ...) of side + kernel - 1."""
        if self.training:
            with torch.no_grad():
                square = batch_mean(at_least_fp32(x).square().mean())
                self.magnitude.lerp_(square.to(self.magnitude), 1 - self.memory)
        x = x * self.magnitude.rsqrt().to(x.dtype)
        # The convolution keeps the side; the padding adds the border that the kernels reach.
        x = self.convolution(pad(x, [self.border] * 4), w)
        return x + self.bias[:, None, None].to(x.dtype)


class Layer(nn.Module):
    """Convolution and filtered leaky ReLU: (n, inputs, ...) and w -> (n, outputs, ...).

    Args:
        before, after: frequencies, rates and sizes of input and output.
        inputs, outputs: channels before and after.
        style_dim: length of w.
        options: options of all layers.
        radial: as in `FilteredActivation`.
    """

    def __init__(
        self,
        before: Signal,
        after: Signal,
        inputs: int,
        outputs: int,
        style_dim: int,
        options: LayerOptions,
        *,
        radial: bool,
    ) -> None:
        super().__init__()
        kernel, memory, clamp = options
        self.convolution = NormalisedConv2d(inputs, outputs, kernel, style_dim, memory)
        size = before.size + kernel - 1
        self.activation = FilteredActivation(before, after, size, radial=radial, clamp=clamp)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Return maps of the side `after.size`."""
        y: Tensor = self.activation(self.convolution(x, w))
        return y


class Synthesis(nn.Module):
    """One w per layer, (n, layers, style_dim) -> images (n, channels, side, side).

    Args:
        signals: outputs of the layers, see `ganzoo_stylegan3.frequencies.plan`.
        widths: channels of the layers' outputs.
        channels: channels of the images.
        style_dim: length of w.
        options: options of all layers.
        radial: number of layers whose filters are radially symmetric, from the first.

    Attributes:
        style_count: number of w that it reads: of the input, each layer, and the one that makes
            images.
    """

    def __init__(
        self,
        signals: list[Signal],
        widths: list[int],
        channels: int,
        style_dim: int,
        options: LayerOptions,
        radial: int,
    ) -> None:
        super().__init__()
        self.style_count = len(signals) + 2
        self.clamp = options.clamp
        self.input = FourierFeatures(signals[0], widths[0], style_dim)
        # The first layer has the rate, and the channels, of the input.
        signals, widths = [signals[0], *signals], [widths[0], *widths]
        self.layers = nn.ModuleList(
            Layer(*pair, *sizes, style_dim, options, radial=layer < radial)
            for layer, (pair, sizes) in enumerate(
                zip(pairwise(signals), pairwise(widths), strict=True)
            )
        )
        self.to_image = NormalisedConv2d(
            widths[-1], channels, 1, style_dim, options.memory, demodulate=False
        )

    def forward(self, styles: Tensor) -> Tensor:
        """Return images, roughly in [-1, 1]."""
        w = styles.unbind(1)
        x = self.input(w[0])
        for layer, style in zip(self.layers, w[1:-1], strict=True):
            x = layer(x, style)
        image = at_least_fp32(self.to_image(x, w[-1]))
        return IMAGE_SCALE * limit(image, self.clamp)
