"""Metric: translated images against their targets, pixel by pixel."""

from __future__ import annotations

from ganzoo import Metric, evaluation
from ganzoo.evaluation import ImageSets


def _pixel_pairs(sets: ImageSets) -> dict[str, float]:
    """Mean absolute error, PSNR and SSIM (Wang et al., 2004), doi:10.1109/TIP.2003.819861."""
    fake, real = (images.pixels.transpose(0, 2, 3, 1) for images in (sets.fake, sets.real))
    return evaluation.compare_pairs(fake, real)


pixel_pairs = Metric(
    _pixel_pairs,
    {"mean_absolute_error": "lower", "psnr": "higher", "ssim": "higher"},
    needs=("pairs",),
    settings=lambda sets: (
        "pixels in [0, 1]; PSNR in dB; SSIM with a Gaussian window, sigma 1.5, borders mirrored, "
        "mean of the channels; means of the pairs"
    ),
    by_default=True,
)
