"""Checkpoints of rosinality's stylegan2-pytorch."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo import DataSpec, ImageSpec
from ganzoo.importers import Checkpoint, Computed, Conversion, Importer, Weights
from ganzoo_stylegan2.importers.source import (
    GROUPS,
    WITHOUT_DISCRIMINATOR,
    Source,
    check_truncation,
    options_below,
)

RATE = 0.01  # of the mapping network
SLOPE = 0.2  # of leaky ReLU
LATENTS, SEED = 4_096, 0  # of the estimate of the mean of w

UNUSED = ("path", "ckpt", "local_rank", "distributed", "wandb")  # options of a training's machine


class StyleGAN2Rosinality(Importer):
    """Files ``*.pt``: states of trainings, and files that ``convert_weight.py`` writes."""

    project = "stylegan2-pytorch, https://github.com/rosinality/stylegan2-pytorch"
    marks = frozenset(
        {
            "g_ema.style.1.weight",
            "g_ema.input.input",
            "g_ema.conv1.conv.modulation.weight",
            "g_ema.to_rgb1.conv.weight",
            "g_ema.convs.0.conv.blur.kernel",
            "g_ema.noises.noise_0",
        }
    )

    def convert(
        self,
        checkpoint: Checkpoint,
        *,
        network: Literal["g_ema", "g"] = "g_ema",
        without_discriminator: bool = False,
        truncation: float = 1.0,
    ) -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            network: the generator: the averaged one (``g_ema``) or the trained one (``g``).
            without_discriminator: whether to leave the discriminator out.
            truncation: factor of the distance of w from its average; 1 for no truncation.
        """
        generator = Source(checkpoint, network, "The generator cannot be imported.")
        if (kind := checkpoint.values.get("args.arch", "stylegan2")) != "stylegan2":
            raise generator.refuse("arch", kind, "'stylegan2'")
        arguments, weights = _convert_generator(generator)
        deviations = [
            "All images use the noise in the file. The original program draws new noise for each "
            "image unless `randomize_noise` is False."
        ]
        if "latent_avg" in checkpoint.tensors:
            weights["mapping.average"] = "latent_avg"
        else:
            layers = range(1, arguments["mapping_layers"] + 1)
            names = [f"style.{k}.{part}" for k in layers for part in ("weight", "bias")]
            weights["mapping.average"] = Computed(_mean_of_w, generator.paths(*names))
            deviations.append(
                "The file has no mean of w, to which truncation moves w. It was estimated from "
                f"{LATENTS:,} latents of the fixed seed {SEED}; the original program estimates it "
                "from as many latents of another seed."
            )
        other = "g" if network == "g_ema" else "g_ema"
        ignored = {
            f"{other}.*": f"{network} is imported",
            "*_optim.*": "state of the training's optimizers",
            "*.kernel": "constant filter, a part of the architecture",
        }
        roles = {"generator": weights}
        if without_discriminator:
            ignored["d.*"] = "left out by --without-discriminator"
        elif any(path.startswith("d.") for path in checkpoint.tensors):
            source = Source(checkpoint, "d", WITHOUT_DISCRIMINATOR)
            roles["discriminator"] = _convert_discriminator(source, arguments["widths"])
            deviations.append(GROUPS)
        channels = generator.shape("to_rgb1.conv.weight", 5)[1]
        side = 2 ** (len(arguments["widths"]) + 1)
        options = options_below(checkpoint, "args")
        return Conversion(
            architecture="stylegan2",
            arguments=arguments | {"truncation": check_truncation(truncation)},
            data=DataSpec(ImageSpec(side, side, channels)),
            weights=roles,
            ignored=ignored,
            options={name: value for name, value in options.items() if name not in UNUSED},
            network=network,
            deviations=tuple(deviations),
        )


def _convert_generator(source: Source) -> tuple[dict[str, Any], Weights]:
    """Return the architecture's arguments for a generator, and its weights without the mean of w.

    Raises:
        ImportFileError: a shape or filter has no counterpart in the architecture.
    """
    source.check_filters(".kernel", gain=4)
    style_dim, latent_dim = source.shape("style.1.weight", 2)
    count = source.count("style.{}.weight", start=1)
    weights: Weights = {
        f"mapping.layers.{k}.{part}": source.path(f"style.{k + 1}.{part}")
        for k in range(count)
        for part in ("weight", "bias")
    }
    for k in range(1, count + 1):
        source.check_shape(f"style.{k}.weight", (style_dim, latent_dim if k == 1 else style_dim))
        source.check_shape(f"style.{k}.bias", (style_dim,))
    weights["synthesis.constant"] = source.path("input.input")
    layers, images = {"synthesis.first": "conv1"}, ["to_rgb1"]
    for stage in range(source.count("to_rgbs.{}.conv.weight")):
        layers[f"synthesis.up_layers.{stage}"] = f"convs.{2 * stage}"
        layers[f"synthesis.layers.{stage}"] = f"convs.{2 * stage + 1}"
        images.append(f"to_rgbs.{stage}")
    for k, (name, layer) in enumerate(layers.items()):
        weights |= _modulated(source, name, layer)
        weights[f"{name}.bias"] = source.path(f"{layer}.activate.bias")
        weights[f"{name}.noise_strength"] = _squeeze(source, f"{layer}.noise.weight", 1, 0)
        weights[f"{name}.noise"] = _squeeze(source, f"noises.noise_{k}", 4, 0, 1)
    for stage, image in enumerate(images):
        name = f"synthesis.to_image.{stage}"
        weights |= _modulated(source, name, image)
        weights[f"{name}.bias"] = _squeeze(source, f"{image}.bias", 4, 0, 2, 3)
    arguments = {"latent_dim": latent_dim, "style_dim": style_dim, "mapping_layers": count}
    widths = [source.shape(f"{image}.conv.weight", 5)[2] for image in images]
    return arguments | {"widths": tuple(widths[::-1])}, weights


def _modulated(source: Source, name: str, layer: str) -> Weights:
    return {
        f"{name}.convolution.weight": _squeeze(source, f"{layer}.conv.weight", 5, 0),
        f"{name}.convolution.style.weight": source.path(f"{layer}.conv.modulation.weight"),
        f"{name}.convolution.style.bias": source.path(f"{layer}.conv.modulation.bias"),
    }


def _squeeze(source: Source, name: str, rank: int, *axes: int) -> Computed:
    """Return a weight without the axes of length 1 that the file has in addition."""
    shape = source.shape(name, rank)
    source.check_shape(name, tuple(1 if k in axes else side for k, side in enumerate(shape)))
    return Computed(lambda array: array.squeeze(axes), source.paths(name))


def _convert_discriminator(source: Source, widths: tuple[int, ...]) -> Weights:
    """Return the weights of a discriminator whose maps have the generator's widths.

    Raises:
        ImportFileError: a shape or filter has no counterpart in the architecture.
    """
    source.check_filters(".kernel")
    blocks = [f"convs.{k + 1}" for k in range(len(widths) - 1)]
    first = [*(f"{block}.conv1.0.weight" for block in blocks), "final_conv.0.weight"]
    if (own := tuple(source.shape(name, 4)[0] for name in first)) != widths:
        raise source.refuse("widths", own, f"the generator's, {widths}")
    layers = {"from_image": "convs.0", "convolution": "final_conv"}
    weights: Weights = {}
    for k, block in enumerate(blocks):
        layers[f"blocks.{k}.first"] = f"{block}.conv1"
        weights[f"blocks.{k}.second.weight"] = source.path(f"{block}.conv2.1.weight")
        weights[f"blocks.{k}.second.bias"] = source.path(f"{block}.conv2.2.bias")
        weights[f"blocks.{k}.shortcut.weight"] = source.path(f"{block}.skip.1.weight")
    for name, layer in layers.items():
        weights[f"{name}.weight"] = source.path(f"{layer}.0.weight")
        weights[f"{name}.bias"] = source.path(f"{layer}.1.bias")
    for name, layer in {"dense": "final_linear.0", "last": "final_linear.1"}.items():
        for part in ("weight", "bias"):
            weights[f"{name}.{part}"] = source.path(f"{layer}.{part}")
    return weights


def _mean_of_w(*layers: NDArray[Any]) -> NDArray[Any]:
    """Return the mean of w over random latents.

    Args:
        layers: weights (outputs, inputs) and biases (outputs,) of the mapping network, in turn.
    """
    w = np.random.default_rng(SEED).standard_normal((LATENTS, layers[0].shape[1]))
    w /= np.sqrt((w**2).mean(1, keepdims=True))
    for weight, bias in zip(layers[::2], layers[1::2], strict=True):
        w = w @ (RATE / np.sqrt(weight.shape[1]) * weight.T.astype(np.float64)) + RATE * bias
        w = np.sqrt(2) * np.where(w < 0, SLOPE * w, w)
    mean: NDArray[Any] = w.mean(0).astype(np.float32)
    return mean
