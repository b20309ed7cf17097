"""Design of low-pass filters with the Kaiser window.

"Alias-Free Generative Adversarial Networks" (Karras et al., 2021), appendix C,
https://arxiv.org/abs/2106.12423. Frequencies, widths and rates have the same unit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]

POINTS = 256  # of the integral of the Bessel function


def lowpass(taps: int, cutoff: float, half_width: float, rate: float) -> Numbers:
    """Return a separable low-pass filter with sum 1, (taps,).

    Args:
        taps: length, even.
        cutoff: frequency at which the response is 1/2.
        half_width: half of the width of the transition band.
        rate: sampling rate of the signal to filter.
    """
    x = _positions(taps) / rate
    ideal = np.sinc(2 * cutoff * x)  # 2 f_c sinc(2 f_c x), up to its scale
    return _normalise(ideal * np.kaiser(taps, _beta(taps, half_width, rate)))


def radial_lowpass(taps: int, cutoff: float, half_width: float, rate: float) -> Numbers:
    """Return a radially symmetric low-pass filter with sum 1, (taps, taps).

    Args:
        taps, cutoff, half_width, rate: as in `lowpass`.
    """
    x = _positions(taps) / rate
    radius = np.hypot(x[:, None], x)
    ideal = bessel(2 * math.pi * cutoff * radius) / radius  # jinc, up to its scale
    window = np.kaiser(taps, _beta(taps, half_width, rate))
    return _normalise(ideal * np.outer(window, window))


def bessel(x: Numbers) -> Numbers:
    """Return the Bessel function of the first kind of order 1: J1(x), |x| < 200.

    J1(x) = 1 / 2 pi * (integral of cos(t - x sin t) over a period). The mean over equidistant
    points is exact up to rounding, because the integrand is periodic and smooth.
    """
    t = 2 * math.pi * np.arange(POINTS) / POINTS
    mean: Numbers = np.cos(t - np.multiply.outer(x, np.sin(t))).mean(-1)
    return mean


def _normalise(weights: Numbers) -> Numbers:
    """Return weights whose sum is 1."""
    normalised: Numbers = weights / weights.sum()
    return normalised


def _positions(taps: int) -> Numbers:
    """Return the positions of the taps around 0, in samples."""
    return np.arange(taps) - (taps - 1) / 2


def _beta(taps: int, half_width: float, rate: float) -> float:
    """Return the shape of the window, by Kaiser's formulas.

    The attenuation that this many taps reach is A = 2.285 (n - 1) 2 pi (2 f_h / s) + 7.95 dB.
    """
    attenuation = 2.285 * (taps - 1) * math.pi * 4 * half_width / rate + 7.95
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    if attenuation > 21:
        return 0.5842 * math.pow(attenuation - 21, 0.4) + 0.07886 * (attenuation - 21)
    return 0.0
