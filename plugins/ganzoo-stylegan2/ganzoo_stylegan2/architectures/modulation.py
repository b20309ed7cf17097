"""Convolutions with weights that a style scales.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), section 2.2,
https://arxiv.org/abs/1912.04958.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

from ganzoo.nn import at_least_fp32
from ganzoo_stylegan2.architectures.equalised import EqualisedLinear
from ganzoo_stylegan2.architectures.resampling import smooth

EPSILON = 1e-8  # added to the sum of squares of unscaled weights


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    *,
    scale: float = 1.0,
    demodulate: bool = True,
    up: bool = False,
) -> Tensor:
    """Convolve each sample with weights scaled by its style: equations 1 and 3 of the paper.

    Scaling input channels and dividing output channels is equivalent to scaling and dividing the
    weights. So all samples share one convolution, and an exported graph accepts any batch size.

    Args:
        x: (n, inputs, height, width).
        weight: (outputs, inputs, k, k); k is odd, and at least 3 if `up`.
        style: factor of each input channel, (n, inputs).
        scale: factor of the weights in the convolution. Demodulation divides by the norm of the
            scaled weights, so the scale has no effect on its result.
        demodulate: whether to divide the weights of each sample by their norm, per output channel.
        up: whether to double the sides: insert zeros between pixels, convolve, and apply the
            filter (1, 3, 3, 1).

    Returns:
        (n, outputs, height, width), with twice the sides if `up`.
    """
    x = x * style[:, :, None, None].to(x.dtype)
    scaled, padding = weight * scale, weight.shape[2] // 2
    if up:
        # Factor 4, because three of four pixels are 0.
        y = conv_transpose2d(x, 4 * scaled.transpose(0, 1), stride=2, padding=padding - 1)
        y = smooth(y)
    else:
        y = conv2d(x, scaled, padding=padding)
    if not demodulate:
        return y
    energy = at_least_fp32(style.square() @ scaled.square().sum((2, 3)).T)
    # (energy + least)^(-1/2): the ONNX exporter of torch drops the addition of so small a number.
    least = EPSILON * scale**2
    factor = (energy / least + 1).rsqrt() / math.sqrt(least)
    return y * factor[:, :, None, None].to(y.dtype)


class ModulatedConv2d(nn.Module):
    """`modulated_conv2d` of x and w, with equalised learning rate.

    Args:
        inputs, outputs: channels before and after.
        kernel: side of the kernel.
        style_dim: length of w; an affine map of w is the style.
        demodulate, up: as in `modulated_conv2d`.
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
        """Map x (n, inputs, height, width) and w (n, style_dim) to (n, outputs, ...)."""
        return modulated_conv2d(
            x, self.weight, self.style(w), scale=self.scale, demodulate=self.demodulate, up=self.up
        )
