"""PSNR and SSIM of enlarged images by the protocol of the field: on luma, without borders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo import DataSpec, Metric
from ganzoo.evaluation import ImageSets, structural_similarity

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # (n, channels, height, width), with 1 channel or 3
Compare = Callable[[Array, Array], Array]  # luma of outputs and targets -> (n,)

# Luma of ITU-R BT.601, 16 to 235, of levels from 0 to 255; as MATLAB's rgb2ycbcr, not rounded.
WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255
BLACK = 16.0
PEAK = 255.0
WINDOW = 11  # pixels of a side of SSIM's Gaussian window
AT_ONCE = 64  # images
BASELINES = {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


def luma(pixels: Pixels) -> Array:
    """Return the luma of colour images, and the levels of grey ones, (n, height, width)."""
    if pixels.shape[1] == 1:
        return pixels[:, 0].astype(np.float64)
    y: Array = np.tensordot(pixels.astype(np.float64), WEIGHTS, (1, 0)) + BLACK
    return y


def psnr(output: Array, target: Array) -> Array:
    """Return 10 log10(255^2 / mean squared error) in dB for each image."""
    with np.errstate(divide="ignore"):
        values: Array = 10 * np.log10(PEAK**2 / np.square(output - target).mean((1, 2)))
    return values


def ssim(output: Array, target: Array) -> Array:
    """Return the mean structural similarity of the windows inside each image."""
    edge = WINDOW // 2
    similarities = structural_similarity(output / PEAK, target / PEAK)
    values: Array = similarities[:, edge:-edge, edge:-edge].mean((1, 2))
    return values


def enlarge(pixels: Pixels, scale: int, baseline: str) -> Pixels:
    """Return images whose sides are multiplied by a scale, by a filter of Pillow.

    Args:
        pixels: the images.
        scale: the scale.
        baseline: ``bicubic`` or ``lanczos``.
    """
    size = scale * pixels.shape[3], scale * pixels.shape[2]
    enlarged = [
        [Image.fromarray(channel).resize(size, BASELINES[baseline]) for channel in image]
        for image in pixels
    ]
    return np.array([[np.asarray(channel) for channel in image] for image in enlarged])


def _measure(sets: ImageSets, name: str, compare: Compare) -> dict[str, float]:
    """Return the mean of the model's images, and of those that filters enlarge."""
    assert sets.conditions is not None  # `_refuse`
    scale = _scale_of(sets)
    inside = (..., slice(scale, -scale), slice(scale, -scale))
    parts: dict[str, list[Array]] = {}
    for start in range(0, len(sets.fake), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        target = luma(sets.real.pixels[rows])[inside]
        outputs = {name: sets.fake.pixels[rows]}
        for baseline in BASELINES:
            low = sets.conditions.pixels[rows]
            outputs[f"{name}_{baseline}"] = enlarge(low, scale, baseline)
        for key, pixels in outputs.items():
            parts.setdefault(key, []).append(compare(luma(pixels)[inside], target))
    return {key: float(np.concatenate(values).mean()) for key, values in parts.items()}


def _scale_of(sets: ImageSets) -> int:
    assert sets.conditions is not None
    return int(sets.real.pixels.shape[2]) // int(sets.conditions.pixels.shape[2])


def _psnr_y(sets: ImageSets) -> dict[str, float]:
    """PSNR of luma without a border, as in EDSR (https://arxiv.org/abs/1707.02921).

    The mean is infinite, and left out of the results, if the luma of one image equals its target.
    """
    return _measure(sets, "psnr_y", psnr)


def _ssim_y(sets: ImageSets) -> dict[str, float]:
    """SSIM of luma (Wang et al., 2004, https://doi.org/10.1109/TIP.2003.819861)."""
    return _measure(sets, "ssim_y", ssim)


def _refuse(data: DataSpec, window: int) -> str:
    """Return why images cannot be measured; empty if they can."""
    image, condition = data.image, data.condition
    if condition is None or {image.channels, condition.channels} not in ({1}, {3}):
        return "it needs pairs of images, both in colour or both in grey"
    scale = image.height // condition.height
    if (image.height, image.width) != (scale * condition.height, scale * condition.width):
        return "the sides of the images are no multiples of those of their conditions"
    smallest = window + 2 * scale
    if min(image.height, image.width) < smallest:
        return f"it needs images with sides of at least {smallest} pixels"
    return ""


def _metric(
    compute: Callable[[ImageSets], dict[str, float]],
    name: str,
    what: str,
    window: int,
    unit: str = "",
) -> Metric:
    def settings(sets: ImageSets) -> str:
        return (
            f"{what}; luma of ITU-R BT.601, 16 to 235, not rounded, grey images as they are; peak "
            f"255; without a border of {_scale_of(sets)} pixels; means of the images; bicubic and "
            "Lanczos by Pillow"
        )

    return Metric(
        compute,
        {name: "higher", **{f"{name}_{baseline}": "neither" for baseline in BASELINES}},
        units=dict.fromkeys([name, *(f"{name}_{baseline}" for baseline in BASELINES)], unit),
        needs=("pairs",),
        settings=settings,
        refuses=lambda extractor, data: _refuse(data, window),
    )


psnr_y = _metric(_psnr_y, "psnr_y", "PSNR in dB", 1, unit="dB")
ssim_y = _metric(_ssim_y, "ssim_y", "SSIM in Gaussian windows of 11x11, sigma 1.5, inside", WINDOW)
