"""Importers of the weights of lightweight-gan and of HugGAN, which has an older version of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ImportFileError
from ganzoo.importers import Checkpoint, Computed, Conversion, Importer

Shapes = Mapping[str, tuple[int, ...]]
BASE = 4  # side of the first map
CONVOLUTION = ("weight", "bias")
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
EXCITATION = {"attention": "to_k", "squeeze": "net.0", "excite": "net.2"}
FILTER = [1.0, 2.0, 1.0]
OPTIONS = frozenset(
    {
        *("image_size", "latent_dim", "fmap_max", "fmap_inverse_coef", "transparent", "greyscale"),
        *("attn_res_layers", "freq_chan_attn", "disc_output_size", "syncbatchnorm"),
        *("optimizer", "lr", "ttur_mult"),
    }
)
IGNORED = {
    "G.*": "the generator before averaging; the averaged one is imported",
    "D.*": "the discriminator, whose layers differ from those of the architecture",
    "D_aug.*": "the same discriminator again",
}
RANGE = "Images are in [-1, 1]; those of the original program are 0 to 1."
NOISE = (
    "The noise is 0, so that each latent has one image. The original program adds new noise for "
    "every image."
)


class LightweightGan(Importer):
    """Training states of lightweight-gan: ``model_*.pt``, with ``.config.json`` beside it."""

    project: ClassVar[str] = "lightweight-gan, https://github.com/lucidrains/lightweight-gan"
    marks: ClassVar[frozenset[str]] = frozenset(
        {"GE.initial_conv.0.weight", "GE.layers.0.0.2.1.weight", "GE.out_conv.weight"}
    )
    arguments: ClassVar[Mapping[str, Any]] = {"upsampling": "shuffle", "attention": "linear-local"}
    # Layers by their names in the architecture and in the file.
    convolutions: ClassVar[Mapping[str, str]] = {
        "enlarge.expand": "0.0.net.0",
        "enlarge.convolution": "0.2.1",
    }
    noise: ClassVar[str] = "0.3.weight"
    norm: ClassVar[str] = "0.4"
    projections: ClassVar[Mapping[str, str]] = {
        "query": "to_lin_q",
        "depthwise": "to_lin_kv.net.0",
        "key_value": "to_lin_kv.net.1",
        "local_query": "to_q",
        "local_key_value": "to_kv",
    }
    ignored: ClassVar[Mapping[str, str]] = IGNORED | {
        "GE.layers.*.0.1.f": "the filter (1, 2, 1), which is fixed"
    }
    deviations: ClassVar[tuple[str, ...]] = (RANGE, NOISE)

    def convert(self, checkpoint: Checkpoint) -> Conversion:
        """Convert the averaged generator.

        Args:
            checkpoint: the file.

        Raises:
            ImportFileError: an option or a shape has no counterpart in the architecture.
        """
        shapes = {name: tensor.shape for name, tensor in checkpoint.tensors.items()}
        layers = _layers(shapes)
        _check_options(checkpoint.config, BASE << len(layers))
        _check_filters(checkpoint)
        last = list(self.convolutions.values())[-1]  # of a block; its outputs are gated
        side, hidden = BASE << len(layers), "GE.layers.{}.1.net.0.weight".format
        return Conversion(
            architecture="lightweight",
            arguments={
                **self.arguments,
                "latent_dim": shapes["GE.initial_conv.0.weight"][0],
                "widths": tuple(shapes[f"GE.layers.{k}.{last}.weight"][0] // 2 for k in layers),
                "noise": bool(self.noise),
                "attention_sides": tuple(BASE << k for k in layers if _attends(shapes, k)),
                "excitation_widths": tuple(
                    shapes[hidden(k)][0] for k in layers if hidden(k) in shapes
                ),
                "output": "linear",
            },
            data=DataSpec(ImageSpec(side, side, shapes["GE.out_conv.weight"][0])),
            weights={"generator": dict(self._weights(shapes, layers))},
            ignored=self.ignored,
            options=checkpoint.config,
            network="GE",
            deviations=self.deviations,
        )

    def _weights(self, shapes: Shapes, layers: range) -> Iterator[tuple[str, str | Computed]]:
        """Yield the name of each weight in the generator, and its tensor in the file."""
        yield from _copy("first", "GE.initial_conv.0", CONVOLUTION)
        yield from _copy("norm", "GE.initial_conv.1", NORM)
        for k in layers:
            side, path = BASE << k, f"GE.layers.{k}"
            for ours, theirs in self.convolutions.items():
                yield from _copy(f"blocks.{side}.{ours}", f"{path}.{theirs}", CONVOLUTION)
            if self.noise:
                yield f"blocks.{side}.noise.strength", f"{path}.{self.noise}"
            yield from _copy(f"blocks.{side}.norm", f"{path}.{self.norm}", NORM)
            if f"{path}.1.net.0.weight" in shapes:
                for ours, theirs in EXCITATION.items():
                    name = f"excitations.{2 * side}.{ours}"
                    yield from _copy(name, f"{path}.1.{theirs}", CONVOLUTION)
            if _attends(shapes, k):
                name = f"attentions.{side}"
                for ours, theirs in {"weight": "g", "bias": "b"}.items():
                    yield f"{name}.norm.{ours}", Computed(np.ravel, (f"{path}.2.norm.{theirs}",))
                for ours, theirs in self.projections.items():
                    yield f"{name}.{ours}.weight", f"{path}.2.fn.{theirs}.weight"
                yield from _copy(f"{name}.last", f"{path}.2.fn.to_out", CONVOLUTION)
        yield "last.weight", Computed(lambda weight: 2 * weight, ("GE.out_conv.weight",))
        # An image x in [0, 1] becomes 2 x - 1.
        yield "last.bias", Computed(lambda bias: 2 * bias - 1, ("GE.out_conv.bias",))


class HugganLightweight(LightweightGan):
    """Models of HugGAN: ``pytorch_model.bin``, with ``config.json`` beside it."""

    project: ClassVar[str] = "HugGAN, https://github.com/huggingface/community-events"
    marks: ClassVar[frozenset[str]] = frozenset(
        {"GE.initial_conv.0.weight", "GE.layers.0.0.2.weight", "GE.out_conv.weight"}
    )
    arguments: ClassVar[Mapping[str, Any]] = {"upsampling": "nearest", "attention": "linear"}
    convolutions: ClassVar[Mapping[str, str]] = {"enlarge": "0.2"}
    noise: ClassVar[str] = ""
    norm: ClassVar[str] = "0.3"
    projections: ClassVar[Mapping[str, str]] = {
        "query": "to_q",
        "depthwise": "to_kv.net.0",
        "key_value": "to_kv.net.1",
    }
    ignored: ClassVar[Mapping[str, str]] = IGNORED
    deviations: ClassVar[tuple[str, ...]] = (RANGE,)


def _copy(ours: str, theirs: str, parts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the weights of a layer, and their tensors in the file."""
    for part in parts:
        yield f"{ours}.{part}", f"{theirs}.{part}"


def _attends(shapes: Shapes, layer: int) -> bool:
    return f"GE.layers.{layer}.2.norm.g" in shapes


def _layers(shapes: Shapes) -> range:
    """Return the numbers of the blocks."""
    numbers = {name.split(".")[2] for name in shapes if name.startswith("GE.layers.")}
    layers = range(len(numbers))
    if numbers != set(map(str, layers)):
        raise ImportFileError("some layers of GE are missing. Get the file again.")
    return layers


def _check_options(config: Mapping[str, Any], side: int) -> None:
    """Raise an error if an option has no counterpart, or contradicts the weights."""
    if unknown := sorted(config.keys() - OPTIONS):
        raise ImportFileError(
            f"the config beside it has the option {unknown[0][:100]!r}, which this format does not "
            "have. Remove the option if it does not change the generator."
        )
    if config.get("freq_chan_attn"):
        raise ImportFileError(
            "it was trained with freq_chan_attn, excitations by frequencies, which the "
            "architecture 'lightweight' lacks. Import a model without this option."
        )
    if config.get("image_size", side) != side:
        raise ImportFileError(
            f"the config beside it has image_size {config['image_size']}, but its weights generate "
            f"images of {side} pixels per side. Put the model's own config beside it."
        )


def _check_filters(checkpoint: Checkpoint) -> None:
    for name, tensor in checkpoint.tensors.items():
        if name.startswith("GE.layers.") and name.endswith(".1.f"):
            values = tensor.read().ravel().tolist()
            if values != FILTER:
                raise ImportFileError(
                    f"{name} is {values[:9]}, but the architecture 'lightweight' has the filter "
                    f"{FILTER}. Import another file."
                )
