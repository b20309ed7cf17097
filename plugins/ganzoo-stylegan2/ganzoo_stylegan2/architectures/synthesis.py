"""The synthesis network, from styles to images: the skip generator.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), sections 2.2 and 4.1
and figure 7, https://arxiv.org/abs/1912.04958.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo.nn import at_least_fp32
from ganzoo_stylegan2.architectures.equalised import activate, limit
from ganzoo_stylegan2.architectures.modulation import ModulatedConv2d
from ganzoo_stylegan2.architectures.resampling import upsample


class StyledLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias and activation.

    In training each image has random noise; in eval mode all images share the buffer `noise`.

    Args:
        inputs, outputs: channels before and after.
        style_dim: length of w.
        size: height and width of the output.
        clamp: limit of the absolute value of the output; 0 for none.
        up: whether the output has twice the sides of the input.
    """

    noise: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        style_dim: int,
        size: tuple[int, int],
        *,
        clamp: float = 0.0,
        up: bool = False,
    ) -> None:
        super().__init__()
        self.clamp = clamp
        self.convolution = ModulatedConv2d(inputs, outputs, 3, style_dim, up=up)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", torch.randn(size))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x (n, inputs, ...) and w (n, style_dim) to (n, outputs, *size)."""
        x = self.convolution(x, w)
        noise = self.noise
        if self.training:
            noise = torch.randn(x.shape[0], 1, *noise.shape, device=x.device)
        bias = self.bias[:, None, None]
        x = x + (self.noise_strength * noise).to(x.dtype) + bias.to(x.dtype)
        return activate(x, self.clamp)


class ToImage(nn.Module):
    """Modulated 1x1 convolution without demodulation, and bias; the result is clamped."""

    def __init__(self, inputs: int, channels: int, style_dim: int, clamp: float = 0.0) -> None:
        super().__init__()
        self.clamp = clamp
        self.convolution = ModulatedConv2d(inputs, channels, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x (n, inputs, height, width) and w to images, at least fp32."""
        image = at_least_fp32(self.convolution(x, w)) + self.bias[:, None, None]
        return limit(image, self.clamp)


class Synthesis(nn.Module):
    """One w per layer, (n, layers, style_dim) -> images (n, channels, height, width).

    Args:
        widths: channels of the maps, from the smallest up; each map has twice the sides of the one
            before.
        base: height and width of the smallest map.
        channels: channels of the images.
        style_dim: length of w.
        squash: whether the last layer is a tanh.
        clamp: limit of the absolute values of maps, and of the images that are summed; 0 for none.

    Attributes:
        style_count: number of w that it reads: one per 3x3 convolution, and one for the last image.
            The layers of smaller images share the w of the next convolution.
    """

    aligned_at: ClassVar = dict.fromkeys(("up_layers", "layers", "to_image"), "start")

    def __init__(
        self,
        widths: list[int],
        base: tuple[int, int],
        channels: int,
        style_dim: int,
        squash: bool,
        clamp: float = 0.0,
    ) -> None:
        super().__init__()
        self.style_count = 2 * len(widths)
        self.squash = squash
        self.constant = nn.Parameter(torch.randn(1, widths[0], *base))
        self.first = StyledLayer(widths[0], widths[0], style_dim, base, clamp=clamp)
        self.up_layers = nn.ModuleList()
        self.layers = nn.ModuleList()
        for stage, (below, width) in enumerate(pairwise(widths), 1):
            size = base[0] * 2**stage, base[1] * 2**stage
            up_layer = StyledLayer(below, width, style_dim, size, clamp=clamp, up=True)
            self.up_layers.append(up_layer)
            self.layers.append(StyledLayer(width, width, style_dim, size, clamp=clamp))
        self.to_image = nn.ModuleList(
            ToImage(width, channels, style_dim, clamp) for width in widths
        )

    def forward(self, styles: Tensor) -> Tensor:
        """Return images, roughly in [-1, 1], and strictly so with `squash`."""
        w = styles.unbind(1)
        x = self.first(self.constant.expand(styles.shape[0], -1, -1, -1), w[0])
        image: Tensor = self.to_image[0](x, w[1])
        for stage, (up_layer, layer) in enumerate(zip(self.up_layers, self.layers, strict=True), 1):
            x = layer(up_layer(x, w[2 * stage - 1]), w[2 * stage])
            image = upsample(image) + self.to_image[stage](x, w[2 * stage + 1])
        return image.tanh() if self.squash else image
