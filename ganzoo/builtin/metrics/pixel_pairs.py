"""Metric: translated images against their targets, pixel by pixel."""

from __future__ import annotations

from ganzoo import DataSpec, Metric, evaluation
from ganzoo.evaluation import ImageSets

SMALLEST = 6  # pixels of a side, see `compare_pairs`


def _pixel_pairs(sets: ImageSets) -> dict[str, float]:
    """Mean absolute error, PSNR and SSIM (Wang et al., 2004), doi:10.1109/TIP.2003.819861."""
    fake, real = (images.pixels.transpose(0, 2, 3, 1) for images in (sets.fake, sets.real))
    return evaluation.compare_pairs(fake, real)


def _refuse_small_images(extractor: None, data: DataSpec) -> str:
    enough = min(data.image.height, data.image.width) >= SMALLEST
    return "" if enough else f"SSIM needs images with sides of at least {SMALLEST} pixels"


pixel_pairs = Metric(
    _pixel_pairs,
    {"mean_absolute_error": "lower", "psnr": "higher", "ssim": "higher"},
    needs=("pairs",),
    settings=lambda sets: (
        "pixels in [0, 1]; PSNR in dB; SSIM with a Gaussian window, sigma 1.5, borders mirrored, "
        "mean of the channels; means of the pairs"
    ),
    refuses=_refuse_small_images,
    by_default=True,
    units={"psnr": "dB"},
)
