"""Networks of the plugin as the stylegan3 repository stores them."""

from __future__ import annotations

from typing import Any

from stylegan2_files import Persistent, layers_of
from torch import tensor


def stylegan3_generator(generator: Any, side: int, **options: Any) -> Persistent:
    """Return a generator as NVIDIA's program stores it; `options` are those of its creation."""
    state, synthesis = generator.state_dict(), generator.synthesis
    layers = len(synthesis.layers)
    radial = [layer.activation.down_filter.ndim == 2 for layer in synthesis.layers]
    kernel = synthesis.layers[0].convolution.convolution.weight.shape[-1]

    def affine(name: str) -> Persistent:
        tensors = {part: state[f"{name}.style.{part}"] for part in ("weight", "bias")}
        return Persistent("FullyConnectedLayer", {}, tensors, activation="linear")

    def layer(name: str, kernel: int, **filters: Any) -> Persistent:
        tensors = {
            "weight": state[f"{name}.convolution.weight"],
            "bias": state[f"{name}.bias"],
            "magnitude_ema": state[f"{name}.magnitude"],
            "in_size": tensor([side, side]),
            "out_size": tensor([side, side]),
        }
        own = {"conv_clamp": synthesis.clamp or None, "conv_kernel": kernel}
        own["magnitude_ema_beta"] = synthesis.to_image.memory
        parts = {"affine": affine(f"{name}.convolution")}
        return Persistent("SynthesisLayer", parts, tensors | filters, **own)

    parts = {
        "input": Persistent(
            "SynthesisInput",
            {"affine": affine("synthesis.input")},
            {
                "freqs": state["synthesis.input.frequencies"],
                "phases": state["synthesis.input.phases"],
                "transform": state["synthesis.input.transform"],
                "weight": state["synthesis.input.mix.weight"][:, :, 0, 0],
                "size": tensor([36, 36]),
            },
            bandwidth=2.0,
        )
    }
    for k in range(layers):
        name = f"synthesis.layers.{k}"
        filters = {
            kind: state[f"{name}.activation.{kind}"] for kind in ("up_filter", "down_filter")
        }
        activation = synthesis.layers[k].activation
        outputs = len(state[f"{name}.convolution.bias"])
        parts[f"L{k}_{activation.size}_{outputs}"] = layer(f"{name}.convolution", kernel, **filters)
    channels = len(state["synthesis.to_image.bias"])
    parts[f"L{layers}_{side}_{channels}"] = layer("synthesis.to_image", 1)
    values = {
        "num_critical": layers - sum(radial) if any(radial) else 1,
        "margin_size": 2,
        "output_scale": 0.25,
        "num_fp16_res": 0,
    }
    modules = {
        "synthesis": Persistent("SynthesisNetwork", parts, {}, **values),
        "mapping": Persistent(
            "MappingNetwork", layers_of(state, "mapping."), {"w_avg": state["mapping.average"]}
        ),
    }
    return Persistent("Generator", modules, {}, _init_kwargs=options)
