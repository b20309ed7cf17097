"""Find the code whose image is nearest to a photo."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.inversion.descent import Settings, descend
from ganzoo.inversion.distances import feature_distance, pixel_distance
from ganzoo.inversion.network import Network, Space, to_tensor
from ganzoo.inversion.starts import deviation_of_w, find_starts
from ganzoo.nn import exact_arithmetic, torch_defaults
from ganzoo.runtimes.torch import TorchGenerator
from ganzoo.sampling.arrays import as_pixels
from ganzoo.sampling.classes import Label
from ganzoo.sampling.code_files import write_codes
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.model import check_latents, to_integer, to_number
from ganzoo.sampling.samplers import Codes
from ganzoo.sampling.sizes import is_large
from ganzoo.sampling.translation import Encoder
from ganzoo.spec import ModelSpec
from ganzoo.system.dependencies import kept_variables

STEPS, RATE = 1_000, 0.1  # of the paper
SAMPLES, STARTS = 256, 4
LARGE_SAMPLES, LARGE_STARTS = 16, 1  # for images of more than 128x128 pixels
MAX_STEPS, MAX_RATE, MAX_SAMPLES, MAX_STARTS = 100_000, 10.0, 100_000, 64


@dataclass(frozen=True, eq=False)
class Inversion:
    """The result of an inversion.

    Attributes:
        codes: the code, for `Generator.render`.
        photo: the photo, a batch of one.
        image: the image of the code, a batch of one.
        space: ``z``, ``w`` or ``w+``.
        distance: distance of the image to the photo.
        psnr: peak signal-to-noise ratio of the image in dB, infinite if it equals the photo.
        steps: number of steps.
        seed: seed of the starts.
        interrupted: whether Ctrl-C or `on_step` ended the descent.
        spec: the config of the model.
    """

    codes: Codes
    photo: ImageBatch
    image: ImageBatch
    space: Space
    distance: float
    psnr: float
    steps: int
    seed: int
    interrupted: bool
    spec: ModelSpec

    def save(self, file: str | Path) -> Path:
        """Write a file of codes, for `ganzoo.sampling.code_files.read_codes`.

        Raises:
            OutputError: the extension is not ``.safetensors``, or the file cannot be written.
        """
        metadata = {
            "space": self.space,
            "seed": str(self.seed),
            "steps": str(self.steps),
            "psnr": f"{self.psnr:.2f}",
        }
        return write_codes(file, self.codes, self.spec, metadata)


@torch_defaults()
@kept_variables()
def invert(
    model: Generator,
    photo: ImageBatch | NDArray[np.uint8],
    *,
    space: Space | None = None,
    steps: int = STEPS,
    rate: float = RATE,
    seed: int = 0,
    samples: int | None = None,
    starts: int | None = None,
    label: Label | None = None,
    extractor: str | None = None,
    noise: bool = False,
    encoder: Encoder | None = None,
    progress: bool = False,
    on_step: Callable[[int, int], bool] | None = None,
) -> Inversion:
    """Find the code whose image is nearest to a photo.

    Several codes descend at once, each from a start of its own; the nearest one wins. Ctrl-C ends
    the descent, and the nearest code so far is returned.

    Args:
        model: a generator on the torch runtime, which does not change.
        photo: uint8 (1, height, width, channels) of the model's size; see `read_photo`.
        space: ``z``; ``w``, one for all layers; ``w+``, one for each layer. By default w if the
            model has a mapping network, else z.
        steps: number of steps.
        rate: largest learning rate.
        seed: seed of the random samples, and of the noise on w.
        samples: number of random samples, whose nearest are starts; by default 256, or 16 for
            images of more than 128x128 pixels. The average w is one more, and so is the
            encoder's code.
        starts: number of starts; by default 4, or 1 for images of more than 128x128 pixels.
        label: class of the image; by default that of the nearest start.
        extractor: registered name of the extractor whose features are compared; by default pixels
            at several scales.
        noise: whether to optimise the noise maps too, as the paper does. They are not returned: the
            image is that of the code with the model's own maps.
        encoder: the encoder of the model, whose code of the photo is one of the starts.
        progress: whether to show progress on a terminal.
        on_step: is called with the number of steps so far and with the number of all; the descent
            ends if it returns False, as after Ctrl-C.

    Raises:
        SampleError: the model is not on the torch runtime, has no such space or noise maps, the
            photo has another size, or an argument is out of range.
    """
    if not isinstance(model, TorchGenerator):
        raise SampleError(
            f"cannot invert {model.spec.name!r}: inversion needs gradients, which onnxruntime does "
            "not compute. Load the model with runtime='torch'."
        )
    spec, large = model.spec, is_large(model.spec.data.image)
    seed = check_latents(seed, 0)[0]
    steps = _in_range("steps", steps, 1, MAX_STEPS)
    samples = (LARGE_SAMPLES if large else SAMPLES) if samples is None else samples
    starts = (LARGE_STARTS if large else STARTS) if starts is None else starts
    samples = _in_range("samples", samples, 0, MAX_SAMPLES)
    starts = _in_range("starts", starts, 1, MAX_STARTS)
    if not 0 < to_number("rate", rate) <= MAX_RATE:
        raise SampleError(f"rate is {rate}; it must be above 0 and at most {MAX_RATE:g}.")
    network = Network(model, space or ("z" if spec.styles is None else "w"))
    if noise and not network.noise:
        raise SampleError(
            f"{spec.name!r} has no noise maps, as a StyleGAN2 has. Invert it without --noise."
        )
    pixels = photo.numpy() if isinstance(photo, ImageBatch) else photo
    pixels = as_pixels(pixels, spec.data.image.shape, spec.name)
    if len(pixels) != 1:
        raise SampleError(f"there are {len(pixels)} photos. Invert one at a time.")
    with exact_arithmetic(network.device):
        target = to_tensor(ImageBatch(pixels).to_unit(), network.device)
        distance = feature_distance(target, extractor) if extractor else pixel_distance(target)
        encoded = None if encoder is None else encoder.encode(pixels)
        first = find_starts(
            model,
            network,
            distance,
            samples=samples,
            count=starts,
            seed=seed,
            label=label,
            encoded=encoded,
        )
        # The paper has w alone. Several starts in z come nearer without noise.
        deviation = 0.0 if network.space == "z" else deviation_of_w(model, seed, label)
        settings = Settings(steps, rate, noise, seed, progress, on_step)
        descent = descend(network, distance, first, deviation, settings)
        best = int(descent.distances.nan_to_num(nan=math.inf).argmin())
        rows = slice(best, best + 1)
        codes = network.to_codes(descent.codes[rows], None if first.y is None else first.y[rows])
        image = model.render(codes)
        final = distance(to_tensor(image.to_unit(), network.device))
    return Inversion(
        codes=codes,
        photo=ImageBatch(pixels),
        image=image,
        space=network.space,
        distance=float(final),
        psnr=psnr(image.numpy(), pixels),
        steps=descent.steps,
        seed=seed,
        interrupted=descent.interrupted,
        spec=spec,
    )


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio of two images in dB, infinite if they are equal."""
    error = float(np.square(a.astype(np.float64) - b).mean())
    return 10 * math.log10(255**2 / error) if error else math.inf


def _in_range(name: str, value: Any, low: int, high: int) -> int:
    number = to_integer(name, value)
    if not low <= number <= high:
        raise SampleError(f"{name} is {number}; it must be {low} to {high:,}.")
    return number
