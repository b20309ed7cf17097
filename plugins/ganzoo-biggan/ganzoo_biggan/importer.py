"""The importer of the weights of pytorch-pretrained-BigGAN."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ImportFileError
from ganzoo.importers import Checkpoint, Computed, Conversion, Importer

Array = NDArray[Any]
BOTTLENECK = 4  # convolutions of a block
RGB = 3


@dataclass(frozen=True)
class Options:
    """The options of config.json.

    Attributes:
        output_dim: side of the images.
        z_dim: length of z.
        class_embed_dim: length of the embedding of a class.
        channel_width: channels of the largest map.
        num_classes: number of classes.
        layers: whether a block doubles the side, and multiples of the width before and after it.
        attention_layer_position: number of blocks before the attention.
        eps: added to variances.
        n_stats: rows of the statistics of each normalisation, for truncations from 0 to 1.
    """

    __pydantic_config__ = {"extra": "forbid", "strict": True}  # noqa: RUF012

    output_dim: int
    z_dim: int
    class_embed_dim: int
    channel_width: int
    num_classes: int
    layers: tuple[tuple[bool, int, int], ...]
    attention_layer_position: int
    eps: float
    n_stats: int


class BigGanDeep(Importer):
    """A folder with ``pytorch_model.bin`` and ``config.json``."""

    project: ClassVar[str] = (
        "pytorch-pretrained-BigGAN, https://github.com/huggingface/pytorch-pretrained-BigGAN"
    )
    marks: ClassVar[frozenset[str]] = frozenset(
        {
            "embeddings.weight",
            "generator.gen_z.weight_orig",
            "generator.layers.0.bn_0.running_means",
            "generator.bn.running_means",
            "generator.conv_to_rgb.weight_orig",
        }
    )

    def convert(self, checkpoint: Checkpoint, *, truncation: float = 1.0) -> Conversion:
        """Convert the generator.

        Args:
            checkpoint: the file.
            truncation: factor of z, above 0 and at most 1, such as 0.4; less gives images of higher
                quality and less variety. It also selects the statistics of BatchNorm.

        Raises:
            ImportFileError: `truncation` is out of its range, config.json is missing, or one of
                its options has no counterpart in the architecture.
        """
        if not 0 < truncation <= 1:
            raise ImportFileError(
                f"truncation is {truncation}, but must be above 0 and at most 1. "
                "Use --truncation 0.4, for example."
            )
        options = _options(checkpoint.config)
        side = options.output_dim
        return Conversion(
            architecture="biggan-deep",
            arguments={
                "latent_dim": options.z_dim,
                "class_dim": options.class_embed_dim,
                "width": options.channel_width,
                "multiples": (options.layers[0][1], *(after for _, _, after in options.layers)),
                "up_blocks": tuple(k for k, (up, _, _) in enumerate(options.layers) if up),
                "attention_side": _attention_side(options),
                "epsilon": options.eps,
                "truncation": truncation,
            },
            data=DataSpec(
                ImageSpec(side, side, min(RGB, options.channel_width)), classes=options.num_classes
            ),
            weights={"generator": dict(_weights(options, truncation))},
            options={**checkpoint.config, "truncation": truncation},
            deviations=(
                "z is drawn from N(0, 1) and multiplied by the truncation. The original program "
                "draws from a normal distribution that is cut at -2 and 2.",
                f"The truncation is {truncation:g} for all images.",
            ),
        )


def _options(config: Mapping[str, Any]) -> Options:
    """Return the options of config.json.

    Raises:
        ImportFileError: there is no config.json, it lacks an option, or has an unknown one.
    """
    if not config:
        raise ImportFileError(
            "there is no config.json beside it, which describes its blocks. Put the config.json of "
            "the model into the same folder."
        )
    try:
        text = json.dumps(dict(config))
        options = TypeAdapter(Options).validate_json(text)
    except ValidationError as error:
        mistakes = (
            f"{'.'.join(map(str, each['loc']))[:100]}: {each['msg'].lower()}"
            for each in error.errors(include_url=False)[:3]
        )
        raise ImportFileError(
            "the config.json beside it is not that of a BigGAN-deep: "
            f"{'; '.join(mistakes)}. Get the file again."
        ) from error
    before = [multiple for _, multiple, _ in options.layers[1:]]
    if not options.layers or before != [multiple for _, _, multiple in options.layers[:-1]]:
        raise ImportFileError(
            "the layers in the config.json beside it do not fit together: each must begin with "
            "the channels with which the one before ends. Get the file again."
        )
    return options


def _attention_side(options: Options) -> int:
    """Return the side of the map that attention changes."""
    place = options.attention_layer_position
    ups = [up for up, _, _ in options.layers[:place]]
    if not 0 < place < len(options.layers) or not ups[-1]:
        raise ImportFileError(
            f"attention_layer_position is {place} in the config.json beside it, but the "
            "architecture 'biggan-deep' has attention after a block that doubles the side. "
            "Import another model."
        )
    return 4 << sum(ups)


def _weights(options: Options, truncation: float) -> Iterator[tuple[str, Computed | str]]:
    """Yield the name of each weight in the generator, and its tensors in the file."""
    yield "embedding.weight", Computed(np.transpose, ("embeddings.weight",))
    yield from _linear("first", "generator.gen_z")
    for k in range(len(options.layers)):
        # The file counts the attention as a layer.
        path = f"generator.layers.{k + (k >= options.attention_layer_position)}"
        for i in range(BOTTLENECK):
            norm = f"blocks.{k}.norms.{i}"
            yield from _statistics(f"{norm}.norm", f"{path}.bn_{i}", truncation)
            yield f"{norm}.scale.weight", _normalised(f"{path}.bn_{i}.scale")
            yield f"{norm}.shift.weight", _normalised(f"{path}.bn_{i}.offset")
            yield from _linear(f"blocks.{k}.convolutions.{i}", f"{path}.conv_{i}")
    path = f"generator.layers.{options.attention_layer_position}"
    yield "attention.gamma", f"{path}.gamma"
    for ours, theirs in {"query": "theta", "key": "phi", "value": "g", "last": "o_conv"}.items():
        yield f"attention.{ours}.weight", _normalised(f"{path}.snconv1x1_{theirs}")
    yield from _statistics("norm", "generator.bn", truncation)
    yield "norm.weight", "generator.bn.weight"
    yield "norm.bias", "generator.bn.bias"
    # Images have the first three channels.
    yield "last.weight", _normalised("generator.conv_to_rgb", RGB)
    yield "last.bias", Computed(lambda bias: bias[:RGB], ("generator.conv_to_rgb.bias",))


def _linear(ours: str, theirs: str) -> Iterator[tuple[str, Computed | str]]:
    yield f"{ours}.weight", _normalised(theirs)
    yield f"{ours}.bias", f"{theirs}.bias"


def _normalised(path: str, outputs: int | None = None) -> Computed:
    """Return the first `outputs` rows of a weight with spectral normalisation."""
    tensors = tuple(f"{path}.weight_{part}" for part in ("orig", "u", "v"))
    return Computed(lambda *arrays: divide_by_norm(*arrays)[:outputs], tensors)


def divide_by_norm(weight: Array, u: Array, v: Array) -> Array:
    """Return W / (u^T W v), with the stored estimates of the first singular vectors."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a weight that is not finite is refused
        result: Array = weight / (u @ (weight.reshape(len(weight), -1) @ v))
    return result


def _statistics(ours: str, theirs: str, truncation: float) -> Iterator[tuple[str, Computed]]:
    select = partial(select_row, truncation=truncation)
    yield f"{ours}.running_mean", Computed(select, (f"{theirs}.running_means",))
    yield f"{ours}.running_var", Computed(select, (f"{theirs}.running_vars",))
    yield f"{ours}.num_batches_tracked", Computed(lambda: np.zeros((), np.int64))


def select_row(rows: Array, truncation: float) -> Array:
    """Return the statistics for a truncation, from rows for truncations 0, 1 / (n - 1), ..., 1.

    Between two rows, the original program weighs them the other way round than a linear
    interpolation does. Because of rounding, some truncations that have a row of their own are
    between two: 0.28 with 51 rows uses the row of 0.3.
    """
    fraction, place = math.modf(truncation / (1 / (len(rows) - 1)))
    row = int(place)
    selected: Array = rows[row]
    if fraction:
        following = rows[min(row + 1, len(rows) - 1)]
        selected = selected * np.float32(fraction) + following * np.float32(1 - fraction)
    return selected
