"""Convolutions whose weights a style scales.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), section 2.2,
https://arxiv.org/abs/1912.04958.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

from ganzoo_stylegan2.architectures.equalised import EqualisedLinear
from ganzoo_stylegan2.architectures.resampling import smooth

EPSILON = 1e-7  # torch's ONNX exporter takes 1e-8 for 0 and drops it


def modulated_conv2d(
    x: Tensor, weight: Tensor, style: Tensor, *, demodulate: bool = True, up: bool = False
) -> Tensor:
    """Convolve each sample with weights of its own: equations 1 and 3 of the paper.

    Scaling a weight for one input channel is scaling that channel, and dividing it for one output
    channel is dividing that, so all samples share one convolution: no weights per sample are made,
    and the batch may have any size in an exported graph.

    Args:
        x: (n, inputs, height, width).
        weight: (outputs, inputs, k, k), k odd, and 3 at least to double the sides.
        style: factor of every input channel, (n, inputs).
        demodulate: whether a sample's weights are divided by their norm, per output channel.
        up: whether the sides are doubled: zeros between pixels before, the filter (1, 3, 3, 1)
            after.

    Returns:
        (n, outputs, height, width), or of twice the sides.
    """
    x = x * style[:, :, None, None].to(x.dtype)
    padding = weight.shape[2] // 2
    if up:
        # Four times as strong: three of four pixels were 0.
        y = conv_transpose2d(x, 4 * weight.transpose(0, 1), stride=2, padding=padding - 1)
        y = smooth(y)
    else:
        y = conv2d(x, weight, padding=padding)
    if not demodulate:
        return y
    energy = style.square() @ weight.square().sum((2, 3)).T
    return y * (energy + EPSILON).rsqrt()[:, :, None, None].to(y.dtype)


class ModulatedConv2d(nn.Module):
    """x and w -> `modulated_conv2d`, with weights of equalised learning rate.

    Args:
        inputs, outputs: channels.
        kernel: side of the kernel.
        style_dim: length of w, of which an affine map makes the style.
        demodulate, up: as of `modulated_conv2d`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        style_dim: int,
        *,
        demodulate: bool = True,
        up: bool = False,
    ) -> None:
        super().__init__()
        self.style = EqualisedLinear(style_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.demodulate, self.up = demodulate, up

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(n, inputs, height, width) and (n, style_dim) -> (n, outputs, ...)."""
        weight = self.weight * self.scale
        return modulated_conv2d(x, weight, self.style(w), demodulate=self.demodulate, up=self.up)
