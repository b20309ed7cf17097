"""Checkpoints of the authors' program.

Their pickles hold networks as objects without the options that built them: widths, groups and
blocks are in the shapes of the weights. "The GAN is dead; long live the GAN! A Modern GAN Baseline"
(Huang et al., 2024), https://arxiv.org/abs/2501.05441.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ImportFileError
from ganzoo.importers import (
    Checkpoint,
    Computed,
    Conversion,
    Importer,
    Weights,
    count_parts,
    shape_of,
)

FILTER = np.outer((1, 3, 3, 1), (1, 3, 3, 1)) / 64
LAYER = ".LinearLayer1.Layer.weight"  # each residual block has it


class R3GAN(Importer):
    """Converts ``network-snapshot-*.pkl``."""

    project = "R3GAN (https://github.com/brownvc/R3GAN)"
    marks = frozenset(
        {
            "G_ema.Model.MainLayers.0.Layers.0.Basis",
            "G_ema.Model.MainLayers.0.Layers.0.LinearLayer.weight",
            f"G_ema.Model.MainLayers.0.Layers.1{LAYER}",
            "G_ema.Model.AggregationLayer.Layer.weight",
        }
    )

    def convert(
        self,
        checkpoint: Checkpoint,
        *,
        network: Literal["G_ema", "G"] = "G_ema",
        without_discriminator: bool = False,
    ) -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            network: the generator: ``G_ema``, with averaged weights, or ``G``.
            without_discriminator: import the generator alone.

        Raises:
            ImportFileError: a tensor is missing, or has shapes that the architecture lacks.
        """
        generator = _Generator.read(checkpoint, f"{network}.Model")
        stages, image = generator.stages, generator.image
        counts = {"z_dim": generator.latent_dim, "c_dim": generator.classes}
        for name, count in counts.items():
            if (value := checkpoint.values.get(f"{network}.{name}", count)) != count:
                raise ImportFileError(
                    f"{network} says {name}={value!r}, but by its weights has {count}. Get the "
                    "file again."
                )
        weights = {"generator": generator.weights}
        other = "G" if network == "G_ema" else "G_ema"
        ignored = {
            f"{other}.*": f"another copy of the generator: --network {other}",
            f"{network}.*.Resampler.Kernel": "a constant, the filter (1, 3, 3, 1)",
            "*_opt_state.*": "the state of an optimizer",
        }
        if without_discriminator or not checkpoint.under("D").tensors:
            ignored["D.*"] = "the discriminator: --without-discriminator"
        else:
            weights["discriminator"] = _discriminator(checkpoint, "D.Model", generator)
            ignored["D.*.Resampler.Kernel"] = "a constant, the filter (1, 3, 3, 1)"
        deviations = [
            "All layers compute in float32. The original computes stages that the file marks as "
            "bfloat16 in this type.",
            "The generator clamps images to [-1, 1].",
        ]
        if generator.classes:
            deviations.append(
                "The generator's embedding of labels is multiplied with the linear map after it."
            )
        return Conversion(
            architecture="r3gan",
            arguments={
                "latent_dim": generator.latent_dim,
                "widths": tuple(stage.width for stage in stages),
                "groups": tuple(stage.groups for stage in stages),
                "blocks": stages[0].blocks,
                "expansion": stages[0].expansion,
                "output": "linear",
                "conditioning": "projection" if generator.classes else "none",
            },
            data=DataSpec(image, classes=generator.classes),
            weights=weights,
            ignored=ignored,
            options={
                "NoiseDimension": generator.latent_dim,
                "WidthPerStage": tuple(stage.width for stage in stages),
                "CardinalityPerStage": tuple(stage.groups for stage in stages),
                "BlocksPerStage": tuple(stage.blocks for stage in stages),
                "ExpansionFactor": stages[0].expansion,
                "ConditionDimension": generator.classes,
                "cur_nimg": checkpoint.values.get("cur_nimg"),
            },
            network=network,
            deviations=tuple(deviations),
        )


class _Stage(NamedTuple):
    """The residual blocks of one side: channels, groups, number, and factor of inner channels."""

    width: int
    groups: int
    blocks: int
    expansion: int

    @classmethod
    def read(cls, checkpoint: Checkpoint, path: str, first: int) -> _Stage:
        """Return a stage from the path of its layers and the index of its first block."""
        blocks = count_parts(checkpoint, f"{path}.{{}}{LAYER}", first)
        hidden, width, *_ = shape_of(checkpoint, f"{path}.{first}{LAYER}", 4)
        mix = shape_of(checkpoint, f"{path}.{first}.LinearLayer2.Layer.weight", 4)
        if hidden % width or mix[0] != hidden or hidden % mix[1] or mix[2:] != (3, 3):
            raise ImportFileError(
                f"{path}.{first} has {width} channels, {hidden} inside, and "
                f"weights {mix}. Architecture 'r3gan' has a whole ExpansionFactor, groups that "
                "divide the channels, and KernelSize 3: it cannot hold this model."
            )
        return cls(width, hidden // mix[1], blocks, hidden // width)


class _Generator(NamedTuple):
    """The generator's options and weights."""

    latent_dim: int
    classes: int
    image: ImageSpec
    stages: list[_Stage]
    weights: Weights

    @classmethod
    def read(cls, checkpoint: Checkpoint, path: str) -> _Generator:
        """Return a generator from its path."""
        layers = f"{path}.MainLayers.{{}}.Layers"
        count = count_parts(checkpoint, f"{layers}.1{LAYER}")
        stages = [_Stage.read(checkpoint, layers.format(k), 1) for k in range(count)]
        if len({stage[2:] for stage in stages}) != 1:
            raise ImportFileError(
                f"{path} has the BlocksPerStage "
                f"{[stage.blocks for stage in stages]} and the ExpansionFactor "
                f"{[stage.expansion for stage in stages]}. Architecture 'r3gan' has one number of "
                "blocks and one factor for all sides: it cannot hold this model."
            )
        basis, modulation = (
            f"{layers.format(0)}.0.Basis",
            f"{layers.format(0)}.0.LinearLayer.weight",
        )
        _, side, _ = shape_of(checkpoint, basis, 3)
        _, latent_dim = shape_of(checkpoint, modulation, 2)
        to_image = f"{path}.AggregationLayer.Layer.weight"
        side *= 2 ** (count - 1)
        image = ImageSpec(side, side, shape_of(checkpoint, to_image, 4)[0])
        weights: Weights = {"modulation.weight": modulation}
        classes, embedding = 0, f"{path}.EmbeddingLayer.weight"
        if embedding in checkpoint.tensors:
            size, classes = shape_of(checkpoint, embedding, 2)
            latent_dim -= size
            weights["modulation.weight"] = Computed(_multiply, (modulation, embedding))
        weights |= {"basis": basis, "to_image.weight": to_image}
        index = 0
        for k, stage in enumerate(stages):
            if k:
                change = _check_filter(checkpoint, f"{layers.format(k)}.0")
                # A projection to other channels, where there is one, comes before the doubling.
                if stage.width != stages[k - 1].width:
                    weights[f"layers.{index}.weight"] = change
                    index += 1
                index += 1
            for block in range(1, stage.blocks + 1):
                weights |= _block(f"{layers.format(k)}.{block}", f"layers.{index}")
                index += 1
        if not classes:
            return cls(latent_dim, 0, image, stages, weights)
        return cls(
            latent_dim, classes, image, stages, {f"trunk.{k}": v for k, v in weights.items()}
        )


def _discriminator(checkpoint: Checkpoint, path: str, generator: _Generator) -> Weights:
    """Return the discriminator's weights. It mirrors the generator, as in the architecture."""
    layers = f"{path}.MainLayers.{{}}.Layers"
    stages = [_Stage.read(checkpoint, layers.format(k), 0) for k in range(len(generator.stages))]
    if stages[::-1] != generator.stages:
        raise ImportFileError(
            f"the discriminator has the stages {_describe(stages[::-1])} from "
            f"the smallest side, and the generator {_describe(generator.stages)}. Those of "
            "architecture 'r3gan' are equal. Import the generator alone: --without-discriminator."
        )
    weights: Weights = {"trunk.from_image.weight": f"{path}.ExtractionLayer.Layer.weight"}
    index = 0
    for k, stage in enumerate(stages):
        for block in range(stage.blocks):
            weights |= _block(f"{layers.format(k)}.{block}", f"trunk.layers.{index}")
            index += 1
        if k + 1 < len(stages):
            change = _check_filter(checkpoint, f"{layers.format(k)}.{stage.blocks}")
            index += 1
            if stages[k + 1].width != stage.width:
                weights[f"trunk.layers.{index}.weight"] = change
                index += 1
    last = f"{layers.format(len(stages) - 1)}.{stages[-1].blocks}"
    weights["trunk.pool.weight"] = f"{last}.Basis.weight"
    if not generator.classes:
        return weights | {"last.weight": f"{last}.LinearLayer.weight"}
    embedding = f"{path}.EmbeddingLayer.weight"
    size, _ = shape_of(checkpoint, embedding, 2)
    if size != stages[-1].width:
        raise ImportFileError(
            f"the discriminator has a ConditionEmbeddingDimension of {size}. In "
            "architecture 'r3gan' it equals the channels of the smallest map, "
            f"{stages[-1].width}. Import the generator alone: --without-discriminator."
        )
    return weights | {
        "trunk.linear.weight": f"{last}.LinearLayer.weight",
        "projection.weight": Computed(np.transpose, (embedding,)),
    }


def _block(theirs: str, ours: str) -> Weights:
    return {
        f"{ours}.widen.weight": f"{theirs}{LAYER}",
        f"{ours}.widen.bias": f"{theirs}.NonLinearity1.Bias",
        f"{ours}.mix.weight": f"{theirs}.LinearLayer2.Layer.weight",
        f"{ours}.mix.bias": f"{theirs}.NonLinearity2.Bias",
        f"{ours}.narrow.weight": f"{theirs}.LinearLayer3.Layer.weight",
    }


def _check_filter(checkpoint: Checkpoint, path: str) -> str:
    """Check the filter of a transition between sides; return the path of its projection."""
    kernel = f"{path}.Resampler.Kernel"
    if shape_of(checkpoint, kernel, 2) != FILTER.shape or not np.allclose(
        checkpoint.tensors[kernel].read(), FILTER
    ):
        raise ImportFileError(
            f"{kernel} is not the filter (1, 3, 3, 1), which is the only one of "
            "architecture 'r3gan'. A file with another ResamplingFilter cannot be imported."
        )
    return f"{path}.LinearLayer.Layer.weight"


def _describe(stages: list[_Stage]) -> str:
    return ", ".join(f"{s.blocks} x {s.width} channels in {s.groups} groups" for s in stages)


def _multiply(modulation: NDArray[Any], embedding: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Return the linear map of z and a one-hot label: W [z, E y] = [W_z, W_y E] [z, y]."""
    split = modulation.shape[1] - embedding.shape[0]
    z, y = modulation[:, :split], modulation[:, split:].astype(np.float64) @ embedding
    return np.concatenate([z, y], 1).astype(np.float32)
