"""Measure translated images against their targets, pixel by pixel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ganzoo.errors import MetricError
from ganzoo.evaluation.choice import choose_pair_metrics
from ganzoo.evaluation.evaluator import Evaluation
from ganzoo.evaluation.images import ImageSet, ImageSets, random_rows
from ganzoo.evaluation.plan import check_numbers, warn_left_out
from ganzoo.evaluation.values import compute_values
from ganzoo.nn import torch_defaults
from ganzoo.sampling.translation import Translator
from ganzoo.spec import MAX_IMAGE_SIZE, DataSpec, ImageSpec
from ganzoo.system.bars import progress_bar
from ganzoo.system.machine import describe_hardware, describe_versions

AT_ONCE = 16  # pairs converted to floats at a time
SIGMA, RADIUS = 1.5, 5  # pixels, of SSIM's Gaussian window
SMALLEST = RADIUS + 1  # pixels of a side: SSIM mirrors borders by half of its window

Images = NDArray[np.float64]  # (n, height, width, ...) in [0, 1]


def compare_pairs(fake: NDArray[np.uint8], real: NDArray[np.uint8]) -> dict[str, float]:
    """Compare images with their targets, pixel by pixel.

    The values do not measure realism: a blurred image scores well in the first two.

    Args:
        fake: uint8 (n, height, width, channels), n at least 1, sides at least 6.
        real: targets of the same shape; image k is the target of image k of `fake`.

    Returns:
        Means over the pairs. ``mean_absolute_error``: of pixels in [0, 1]. ``psnr``: peak
        signal-to-noise ratio 10 log10(1 / mean squared error) in dB, infinite if a pair is equal.
        ``ssim``: structural similarity of Wang et al. (2004),
        https://doi.org/10.1109/TIP.2003.819861, with their Gaussian window of sigma 1.5, mirrored
        borders and averaged channels.

    Raises:
        ValueError: an array has another dtype or shape.
    """
    if (
        not fake.dtype == real.dtype == np.uint8
        or fake.shape != real.shape
        or fake.ndim != 4
        or not len(fake)
        or min(fake.shape[1:3]) < SMALLEST
    ):
        raise ValueError(
            f"pairs cannot be compared: the arrays are {fake.dtype} {fake.shape} and {real.dtype} "
            f"{real.shape}. Pass two uint8 arrays (n, height, width, channels) of one shape, with "
            f"n at least 1 and sides of at least {SMALLEST}."
        )
    parts: dict[str, list[NDArray[np.float64]]] = {}
    for start in range(0, len(fake), AT_ONCE):
        a, b = (images[start : start + AT_ONCE] / 255 for images in (fake, real))
        with np.errstate(divide="ignore"):
            decibels = -10 * np.log10(np.square(a - b).mean((1, 2, 3)))
        values = {
            "mean_absolute_error": np.abs(a - b).mean((1, 2, 3)),
            "psnr": decibels,
            "ssim": structural_similarity(a, b).mean((1, 2, 3)),
        }
        for name, value in values.items():
            parts.setdefault(name, []).append(value)
    return {name: float(np.concatenate(values).mean()) for name, values in parts.items()}


def structural_similarity(a: Images, b: Images) -> Images:
    """Return the structural similarity of the window around each pixel.

    "Image Quality Assessment: From Error Visibility to Structural Similarity" (Wang et al., 2004),
    https://doi.org/10.1109/TIP.2003.819861, equation 13, with its Gaussian window of 11x11 pixels
    and sigma 1.5. Borders are mirrored: windows inside the image alone are those of the pixels that
    are five or more from its border.

    Args:
        a: float64 (n, height, width, ...) in [0, 1], with sides of at least 6.
        b: images of the same shape.
    """

    def blur(images: Images) -> Images:
        means: Images = gaussian_filter(images, SIGMA, mode="mirror", radius=RADIUS, axes=(1, 2))
        return means

    mean_a, mean_b = blur(a), blur(b)
    both = mean_a * mean_b
    squares = np.square(mean_a) + np.square(mean_b)
    covariance = blur(a * b) - both
    variances = blur(np.square(a) + np.square(b)) - squares
    low, high = 0.01**2, 0.03**2
    result: Images = (2 * both + low) / (squares + low)
    result *= (2 * covariance + high) / (variances + high)
    return result


@torch_defaults()
def measure_pairs(
    model: Translator,
    conditions: NDArray[np.uint8],
    images: NDArray[np.uint8],
    origin: dict[str, Any],
    *,
    samples: int,
    metrics: Sequence[str] = (),
    seed: int = 0,
    shown: bool = False,
) -> Evaluation:
    """Translate images, and measure the translations against their targets.

    Args:
        model: the translator.
        conditions: input images, uint8 (n, height, width, channels), of the model's input size.
        images: targets, uint8 (n, height, width, channels), of the model's output size; image k is
            the target of condition k.
        origin: fields of the protocol that identify the images: dataset, sha256.
        samples: number of random pairs; all pairs if there are fewer.
        metrics: registered names of metrics of pairs; by default every default metric of pairs.
        seed: seed of the choice of pairs, and of the latents if the model reads latents.
        shown: whether to show progress on a terminal.

    Raises:
        MetricError: `samples` is below 1, or a metric does not compare pairs.
        SampleError: there are no images, or they differ in size from the model's input.
    """
    samples, seed = check_numbers(samples, seed, "pairs")
    by_name, left_out = choose_pair_metrics(metrics, model.spec.data)
    warn_left_out(left_out)
    rows = random_rows(len(conditions), samples, seed)
    chosen = conditions[rows]
    starts = progress_bar(
        range(0, len(chosen), AT_ONCE), "translations", unit="batch", visible=shown
    )
    parts = [model.translate(chosen[k : k + AT_ONCE], seed, start=k).numpy() for k in starts]
    sets = ImageSets(
        _as_set(images[rows]),
        _as_set(np.concatenate(parts)),
        seed,
        conditions=_as_set(chosen),
    )
    values, settings, failed = compute_values(by_name, sets, named=bool(metrics))
    return Evaluation(
        values,
        origin
        | {"real_images": len(images), "samples": len(chosen), "seed": seed, "settings": settings}
        | _describe_run(model)
        | ({"left_out": left_out | failed} if left_out or failed else {}),
    )


@torch_defaults()
def measure_whole_pairs(
    model: Translator,
    pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    origin: dict[str, Any],
    *,
    metrics: Sequence[str] = (),
    shown: bool = False,
) -> Evaluation:
    """Enlarge whole images of any size one by one, and measure each against its target.

    Args:
        model: the translator, which reads images of any size.
        pairs: conditions and their targets, both uint8 (height, width, channels).
        origin: fields of the protocol that identify the dataset.
        metrics: registered names of metrics of pairs; by default every default metric of pairs.
        shown: whether to show progress on a terminal.

    Returns:
        The mean of the metrics of each image.

    Raises:
        MetricError: there are no images, a metric does not compare pairs, or an image is too small
            for a metric or has another size than its target.
        SampleError: the model cannot read the images.
    """
    by_name, left_out = choose_pair_metrics(metrics, model.spec.data)
    warn_left_out(left_out)
    digest = hashlib.sha256()
    results: list[dict[str, float]] = []
    settings: dict[str, str] = {}
    for condition, image in progress_bar(pairs, "images", unit="image", visible=shown):
        place = f"image {len(results) + 1} of {'x'.join(map(str, image.shape))}"
        for pixels in (condition, image):
            digest.update(f"{pixels.shape}".encode() + np.ascontiguousarray(pixels).tobytes())
        output = model.upscale(condition[None]).numpy()
        if output.shape[1:] != image.shape:
            raise MetricError(
                f"{model.spec.name!r} enlarges {place} to {'x'.join(map(str, output.shape[1:]))}. "
                "Choose a model or a dataset of other channels."
            )
        if max(image.shape) <= MAX_IMAGE_SIZE:  # small images are refused
            spec = DataSpec(ImageSpec(*image.shape), condition=ImageSpec(*condition.shape))
            choose_pair_metrics(tuple(by_name), spec)
        target, low = _as_set(image[None]), _as_set(condition[None])
        sets = ImageSets(target, _as_set(output), 0, conditions=low)
        values, settings, failed = compute_values(by_name, sets)
        if failed:
            raise MetricError(f"cannot measure {place}: {failed}. Remove it.")
        results.append(values)
    if not results:
        raise MetricError("there are no images to measure. Pass their folder with --data.")
    return Evaluation(
        {key: float(np.mean([values[key] for values in results])) for key in results[0]},
        origin
        | {
            "sha256": digest.hexdigest(),
            "real_images": len(results),
            "samples": len(results),
            "seed": 0,
            "settings": settings,
        }
        | _describe_run(model)
        | ({"left_out": left_out} if left_out else {}),
    )


def _describe_run(model: Translator) -> dict[str, Any]:
    """Return the fields of the protocol that describe the hardware and the versions."""
    network = getattr(model, "network", None)  # a model on onnxruntime has no network
    device = next(network.parameters()).device if network is not None else torch.device("cpu")
    return {"hardware": describe_hardware(device), "versions": describe_versions("scipy")}


def _as_set(images: NDArray[np.uint8]) -> ImageSet:
    return ImageSet(images.transpose(0, 3, 1, 2), extracted=None)
