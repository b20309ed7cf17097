"""Images made out of others, each beside the one that it should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from tqdm import tqdm

from ganzoo.errors import MetricError
from ganzoo.evaluation.choice import choose_pair_metrics
from ganzoo.evaluation.evaluator import Evaluation
from ganzoo.evaluation.figures import compute_figures
from ganzoo.evaluation.images import ImageSet, ImageSets
from ganzoo.machine import describe_hardware, describe_versions
from ganzoo.sampling.generator import Translator

AT_ONCE = 64  # pairs that are held as floats
SMALLEST = 6  # side that has enough pixels to mirror at SSIM's window

_FIGURES = "mean_absolute_error", "psnr", "ssim"


def compare_pairs(made: NDArray[np.uint8], real: NDArray[np.uint8]) -> dict[str, float]:
    """Compare images with those that they should be, pixel by pixel.

    None of these says whether an image looks real: a blurred one scores well in the first two.

    Args:
        made: uint8 (n, height, width, channels), n at least 1, sides at least 6.
        real: image k is what image k of `made` should be.

    Returns:
        ``mean_absolute_error`` of pixels in [0, 1]. ``psnr``, the peak signal-to-noise ratio
        10 log10(1 / mean squared error) in dB, mean of the pairs', infinite where one is equal.
        ``ssim``, the structural similarity of Wang et al. (2004),
        https://doi.org/10.1109/TIP.2003.819861, with their Gaussian window of sigma 1.5; borders
        are mirrored, and channels averaged.

    Raises:
        ValueError: other arrays.
    """
    if (
        not made.dtype == real.dtype == np.uint8
        or made.shape != real.shape
        or made.ndim != 4
        or not len(made)
        or min(made.shape[1:3]) < SMALLEST
    ):
        raise ValueError(
            "pairs are two arrays uint8 (n, height, width, channels) of one shape, of one image or "
            f"more with sides of {SMALLEST} or more, not {made.dtype} {made.shape} and "
            f"{real.dtype} {real.shape}."
        )
    found: dict[str, list[Tensor]] = {name: [] for name in _FIGURES}
    for start in range(0, len(made), AT_ONCE):
        a, b = (_to_tensor(each[start : start + AT_ONCE]) for each in (made, real))
        found["mean_absolute_error"].append((a - b).abs().mean((1, 2, 3)))
        found["psnr"].append(
            peak_signal_noise_ratio(a, b, data_range=1.0, reduction="none", dim=(1, 2, 3))
        )
        similarity = structural_similarity_index_measure(a, b, data_range=1.0, reduction="none")
        assert isinstance(similarity, Tensor)  # a tuple only where more is asked for
        found["ssim"].append(similarity)
    return {name: float(torch.cat(each).mean()) for name, each in found.items()}


def measure_pairs(
    model: Translator,
    conditions: NDArray[np.uint8],
    images: NDArray[np.uint8],
    said: dict[str, Any],
    *,
    samples: int,
    metrics: Sequence[str] = (),
    seed: int = 0,
    shown: bool = False,
) -> Evaluation:
    """Translate images, and measure how far each is from what it should be.

    Args:
        model: what translates.
        conditions: uint8 (n, height, width, channels), of the size that the model reads.
        images: what image k should become, of the size that it makes.
        said: what the protocol says of them: dataset, sha256.
        samples: how many pairs are measured, the first ones; all where there are fewer.
        metrics: registered names of metrics that need pairs; by default those that are computed
            by default.
        seed: of the latents, where the model reads any.
        shown: whether to show progress on a terminal.

    Raises:
        MetricError: fewer samples than 1, or a metric that compares no pairs.
        SampleError: images of another size, or none.
    """
    if samples < 1:
        raise MetricError(f"{samples} pairs cannot be measured: --samples is 1 or more.")
    by_name = choose_pair_metrics(metrics)
    chosen = conditions[:samples]
    starts = tqdm(
        range(0, len(chosen), AT_ONCE),
        "translations",
        unit="batch",
        disable=None if shown else True,
        leave=False,
    )
    made = [model.translate(chosen[k : k + AT_ONCE], seed, start=k).numpy() for k in starts]
    sets = ImageSets(_as_set(images[:samples]), _as_set(np.concatenate(made)), seed)
    figures, settings = compute_figures(by_name, sets)
    network = getattr(model, "network", None)  # onnxruntime's models have none
    device = next(network.parameters()).device if network is not None else torch.device("cpu")
    return Evaluation(
        figures,
        said
        | {
            "real_images": len(images),
            "samples": len(chosen),
            "seed": seed,
            "settings": settings,
            "hardware": describe_hardware(device),
            "versions": describe_versions("torchmetrics"),
        },
    )


def _as_set(images: NDArray[np.uint8]) -> ImageSet:
    return ImageSet(images.transpose(0, 3, 1, 2), extracted=None)


def _to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Float32 (n, channels, height, width) in [0, 1]."""
    return torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255))
