"""The input of the synthesis network: Fourier features.

"Alias-Free Generative Adversarial Networks" (Karras et al., 2021), sections 3.2 and 3.3 and
appendix F, https://arxiv.org/abs/2106.12423.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganzoo.nn import at_least_fp32
from ganzoo_stylegan2.architectures.equalised import EqualisedConv2d, EqualisedLinear
from ganzoo_stylegan3.frequencies import Signal


class FourierFeatures(nn.Module):
    """Waves in a frame that w moves and turns: w (n, style_dim) -> (n, channels, size, size).

    The buffer `transform`, (3, 3), is a further affine map of the frame, the identity at first. It
    maps positions (column, row, 1) in sides of the image, around its centre.

    Args:
        signal: frequencies, rate and size of the maps.
        channels: number of maps.
        style_dim: length of w.
    """

    frequencies: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(self, signal: Signal, channels: int, style_dim: int) -> None:
        super().__init__()
        self.signal = signal
        # Frequencies are uniform in the disc within the cutoff.
        radius, angle = torch.rand(channels).sqrt(), 2 * math.pi * torch.rand(channels)
        frequencies = signal.cutoff * radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
        self.register_buffer("frequencies", frequencies)
        self.register_buffer("phases", torch.rand(channels) - 0.5)
        self.register_buffer("transform", torch.eye(3))
        # Cosine and sine of the rotation, up to a factor, and the translation. At first neither
        # depends on w.
        self.style = EqualisedLinear(style_dim, 4)
        with torch.no_grad():
            self.style.weight.zero_()
            self.style.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.mix = EqualisedConv2d(channels, channels, 1, bias=False)

    def forward(self, w: Tensor) -> Tensor:
        """Return sin(2 pi (f . T(p) + phase)) at each position p, mixed by a 1x1 convolution."""
        motion = at_least_fp32(self.style(w))
        length = motion[:, :2].square().sum(1, keepdim=True).sqrt()
        cosine, sine, right, down = (motion / length)[:, :, None].unbind(1)
        # f . T(p) with T = rotation, then translation, then `transform` A p + b:
        # f . R (A p + b - t) = (R^T f) . A p + (R^T f) . (b - t). No matrix products, which
        # autocast would compute in bf16.
        fx, fy = self.frequencies.unbind(1)
        fx, fy = fx * cosine + fy * sine, fy * cosine - fx * sine  # (n, channels)
        axx, axy, bx, ayx, ayy, by = self.transform[:2].flatten().unbind()
        phases = self.phases + fx * (bx - right) + fy * (by - down)
        fx, fy = fx * axx + fy * ayx, fx * axy + fy * ayy

        size, rate = self.signal.size, self.signal.rate
        positions = torch.arange(size, dtype=torch.float32, device=w.device)
        positions = (positions - (size - 1) / 2) / rate
        columns, rows = positions, positions[:, None]
        periods = _maps(fx) * columns + _maps(fy) * rows + _maps(phases)
        waves = (2 * math.pi * periods).sin() * _maps(self._amplitudes(fx, fy))
        mixed: Tensor = self.mix(waves)
        return mixed

    def _amplitudes(self, fx: Tensor, fy: Tensor) -> Tensor:
        """Return 1 within the cutoff, falling linearly to 0 at half of the sampling rate.

        Only a `transform` that shrinks images leads to frequencies beyond the cutoff.
        """
        frequency = (fx.square() + fy.square()).sqrt()
        cutoff, highest = self.signal.cutoff, self.signal.rate / 2
        return (1 - (frequency - cutoff) / (highest - cutoff)).clamp(0, 1)


def _maps(x: Tensor) -> Tensor:
    return x[:, :, None, None]
