"""Frequencies, sampling rates and sizes of the layers.

"Alias-Free Generative Adversarial Networks" (Karras et al., 2021), section 3.2, figure 4 and
appendix D, https://arxiv.org/abs/2106.12423. Frequencies are in periods per side of the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FIRST_CUTOFF = 2.0
FIRST_STOPBAND = 2.0**2.1
LAST_STOPBAND = 2.0**0.3  # as a multiple of the last cutoff


@dataclass(frozen=True)
class Signal:
    """The feature maps between two layers.

    Attributes:
        cutoff: frequency up to which they keep all content, f_c.
        half_width: half of the width of the filters' transition band, f_h.
        rate: sampling rate s, the samples per side of the image.
        size: side of the maps: the rate, and a margin beyond both borders of the image.
    """

    cutoff: float
    half_width: float
    rate: int
    size: int


def plan(side: int, layers: int, critical: int, margin: int) -> list[Signal]:
    """Return the outputs of all layers but the one that makes the image.

    Args:
        side: side of the images, a power of two.
        layers: number of these layers, N.
        critical: number of layers at the end with critical sampling, f_c = s / 2.
        margin: samples beyond each border of the image; the last output has none.
    """
    last_cutoff = side / 2
    signals = []
    for layer in range(layers):
        # Geometric progressions: f[i] = f[0] (f[N] / f[0])^(i / (N - N_crit)), constant at the end.
        exponent = min(layer / (layers - critical), 1)
        cutoff = FIRST_CUTOFF * (last_cutoff / FIRST_CUTOFF) ** exponent
        growth = LAST_STOPBAND * last_cutoff / FIRST_STOPBAND
        stopband = FIRST_STOPBAND * growth**exponent
        rate: int = 2 ** math.ceil(math.log2(min(2 * stopband, side)))
        signals.append(
            Signal(
                cutoff=cutoff,
                half_width=max(stopband, rate / 2) - cutoff,
                rate=rate,
                size=side if layer == layers - 1 else rate + 2 * margin,
            )
        )
    return signals


def choose_widths(signals: list[Signal], width: int, widest: int) -> list[int]:
    """Return the channels of each signal, inversely proportional to its cutoff.

    Args:
        signals: the signals.
        width: channels of the last signal.
        widest: upper bound of the channels.
    """
    last = signals[-1].cutoff
    return [round(min(width * last / signal.cutoff, widest)) for signal in signals]
