"""Low-resolution images from high ones: bicubic, or the second-order degradation of Real-ESRGAN.

"Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data" (Wang et al.,
2021), section 3 and the settings of section 4.1, https://arxiv.org/abs/2107.10833: blur, resizing,
noise and JPEG, twice, with a sinc filter at the end. Probabilities and ranges are those of the
paper; the shares of resizing up, down and not at all, and the cutoffs of sinc filters, are those of
the authors' program. Numbers are uniform in their ranges, and Poisson noise counts 255 levels.
Images are computed in float64, so that they are the same in every process.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import interpolate

Array = NDArray[np.float64]  # (height, width, channels) in [0, 1]; kernels: (side, side), sum 1

SIDES = range(7, 22, 2)  # of kernels
KINDS = (  # of kernels: the shape, whether it is anisotropic, and the probability
    ("gaussian", False, 0.45),
    ("gaussian", True, 0.25),
    ("generalised", False, 0.12),
    ("generalised", True, 0.03),
    ("plateau", False, 0.12),
    ("plateau", True, 0.03),
)
SHAPES = {"gaussian": (1.0, 1.0), "generalised": (0.5, 4.0), "plateau": (1.0, 2.0)}  # beta
SINC = 0.1  # probability of a sinc filter instead of a blur
LAST_SINC = 0.8  # probability of the sinc filter at the end
GREY = 0.4  # probability of noise that is the same in all channels
QUALITIES = (30, 95)  # of JPEG
METHODS = ("area", "bilinear", "bicubic")


class Order(NamedTuple):
    """The numbers of one of the two rounds.

    Attributes:
        blur: probability of a blur.
        sigmas: standard deviations of blurs in pixels.
        up, down: probabilities that the image is enlarged and made smaller.
        factors: smallest and largest factor of the sides.
        gaussian: standard deviations of Gaussian noise, in levels of 255.
        poisson: factors of Poisson noise.
    """

    blur: float
    sigmas: tuple[float, float]
    up: float
    down: float
    factors: tuple[float, float]
    gaussian: tuple[float, float]
    poisson: tuple[float, float]


FIRST = Order(1.0, (0.2, 3.0), 0.2, 0.7, (0.15, 1.5), (1.0, 30.0), (0.05, 3.0))
SECOND = Order(0.8, (0.2, 1.5), 0.3, 0.4, (0.3, 1.2), (1.0, 25.0), (0.05, 2.5))


def bicubic(high: Image.Image, scale: int) -> Image.Image:
    """Return an image whose sides are divided by a scale, by Pillow's antialiased bicubic filter.

    Its kernel is that of MATLAB's ``imresize`` (a = -0.5), on which the field's figures rely.
    """
    size = high.width // scale, high.height // scale
    return high.resize(size, Image.Resampling.BICUBIC)


def second_order(high: Image.Image, scale: int, draw: Generator) -> Image.Image:
    """Return an image after the second-order degradation, with its sides divided by a scale.

    Args:
        high: the image, mode RGB or L.
        scale: the scale.
        draw: source of all random numbers.
    """
    size = high.height // scale, high.width // scale
    image = np.atleast_3d(np.asarray(high, np.float64) / 255)
    image = compress(_degrade(image, FIRST, (high.height, high.width), draw), draw)
    image = _degrade(image, SECOND, size, draw)
    compress_first = draw.random() < 0.5
    if compress_first:
        image = compress(image, draw)
    image = resize(image, size, str(draw.choice(METHODS)))
    if draw.random() < LAST_SINC:
        image = blur(image, sinc_kernel(int(draw.choice(SIDES)), draw.uniform(np.pi / 3, np.pi)))
    if not compress_first:
        image = compress(image, draw)
    return _to_pil(image)


def _degrade(image: Array, order: Order, size: tuple[int, int], draw: Generator) -> Array:
    """Blur an image, resize it to about a size, and add noise."""
    if draw.random() < order.blur:
        image = blur(image, draw_kernel(order.sigmas, draw))
    smallest, largest = order.factors
    direction = draw.random()
    factor = 1.0
    if direction < order.up:
        factor = draw.uniform(1.0, largest)
    elif direction < order.up + order.down:
        factor = draw.uniform(smallest, 1.0)
    height, width = (max(1, round(factor * side)) for side in size)
    image = resize(image, (height, width), str(draw.choice(METHODS)))
    grey = draw.random() < GREY
    if draw.random() < 0.5:
        return add_gaussian_noise(image, draw.uniform(*order.gaussian), grey, draw)
    return add_poisson_noise(image, draw.uniform(*order.poisson), grey, draw)


def draw_kernel(sigmas: tuple[float, float], draw: Generator) -> Array:
    """Return a random kernel of a blur, or of a sinc filter.

    Args:
        sigmas: smallest and largest standard deviation in pixels.
        draw: source of the random numbers.
    """
    side = int(draw.choice(SIDES))
    if draw.random() < SINC:
        return sinc_kernel(side, draw.uniform(np.pi / (3 if side < 13 else 5), np.pi))
    kind = draw.choice(len(KINDS), p=[probability for _, _, probability in KINDS])
    shape, anisotropic, _ = KINDS[kind]
    sigma = (draw.uniform(*sigmas),) * 2
    angle = 0.0
    if anisotropic:
        sigma, angle = (sigma[0], draw.uniform(*sigmas)), draw.uniform(-np.pi, np.pi)
    return blur_kernel(side, sigma, angle, shape, draw.uniform(*SHAPES[shape]))


def blur_kernel(
    side: int, sigma: tuple[float, float], angle: float, shape: str, beta: float
) -> Array:
    """Return the kernel of a blur, exp(-q^beta / 2) or 1 / (1 + q^beta), with q = x^T S^-1 x.

    Args:
        side: odd number of pixels.
        sigma: standard deviations along both axes of the covariance S, in pixels.
        angle: angle of the first axis.
        shape: ``plateau`` for the second form.
        beta: the exponent; 1 in the first form is a Gaussian.
    """
    y, x = np.mgrid[:side, :side] - side // 2
    along = np.cos(angle) * x + np.sin(angle) * y
    across = np.cos(angle) * y - np.sin(angle) * x
    q = ((along / sigma[0]) ** 2 + (across / sigma[1]) ** 2) ** beta
    kernel = 1 / (1 + q) if shape == "plateau" else np.exp(-q / 2)
    result: Array = kernel / kernel.sum()
    return result


def sinc_kernel(side: int, cutoff: float) -> Array:
    """Return the kernel of a circular low-pass filter, w J1(w r) / (2 pi r).

    Args:
        side: odd number of pixels.
        cutoff: the frequency w in radians for each pixel, up to pi.
    """
    y, x = np.mgrid[:side, :side] - side // 2
    radius = np.hypot(x, y)
    radius[side // 2, side // 2] = 1
    bessel = torch.special.bessel_j1(torch.from_numpy(cutoff * radius)).numpy()
    kernel = cutoff * bessel / (2 * np.pi * radius)
    kernel[side // 2, side // 2] = cutoff**2 / (4 * np.pi)
    result: Array = kernel / kernel.sum()
    return result


def blur(image: Array, kernel: Array) -> Array:
    """Return an image, convolved with a kernel; borders are mirrored."""
    side = len(kernel)
    edge = side // 2
    padded = np.pad(image, ((edge, edge), (edge, edge), (0, 0)), "reflect")
    size = padded.shape[:2]
    spectrum = np.fft.rfft2(kernel, size)[..., None] * np.fft.rfft2(padded, axes=(0, 1))
    result: Array = np.fft.irfft2(spectrum, size, axes=(0, 1))[side - 1 :, side - 1 :]
    return result


def resize(image: Array, size: tuple[int, int], method: str) -> Array:
    """Return an image of another height and width, by a method of `METHODS`, in [0, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    options: dict[str, Any] = {} if method == "area" else {"align_corners": False}
    resized = interpolate(tensor, size, mode=method, **options)[0].numpy()
    result: Array = np.clip(resized.transpose(1, 2, 0), 0, 1)
    return result


def add_gaussian_noise(image: Array, sigma: float, grey: bool, draw: Generator) -> Array:
    """Add Gaussian noise, clipped to [0, 1].

    Args:
        image: the image.
        sigma: standard deviation in levels of 255.
        grey: whether all channels have the same noise.
        draw: source of the random numbers.
    """
    shape = (*image.shape[:2], 1 if grey else image.shape[2])
    return np.clip(image + sigma / 255 * draw.standard_normal(shape), 0, 1)


def add_poisson_noise(image: Array, factor: float, grey: bool, draw: Generator) -> Array:
    """Add the difference from Poisson numbers whose means are the levels, clipped to [0, 1].

    Args:
        image: the image.
        factor: factor of the noise.
        grey: whether all channels have the noise of their mean.
        draw: source of the random numbers.
    """
    levels = np.round(255 * (image.mean(2, keepdims=True) if grey else image))
    result: Array = np.clip(image + factor * (draw.poisson(levels) - levels) / 255, 0, 1)
    return result


def compress(image: Array, draw: Generator) -> Array:
    """Return an image after JPEG of a random quality."""
    file = io.BytesIO()
    quality = int(draw.integers(QUALITIES[0], QUALITIES[1] + 1))
    _to_pil(image).save(file, "JPEG", quality=quality)
    with Image.open(file) as decoded:
        return np.atleast_3d(np.asarray(decoded, np.float64) / 255)


def _to_pil(image: Array) -> Image.Image:
    levels = np.round(255 * image).clip(0, 255).astype(np.uint8)
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)
