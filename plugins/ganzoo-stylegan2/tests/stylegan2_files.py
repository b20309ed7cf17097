"""Networks of the plugin in the layouts of other programs."""

from __future__ import annotations

import argparse
import math
import pickle
import sys
from collections import OrderedDict
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

FILTER = torch.tensor([1.0, 3.0, 3.0, 1.0]).outer(torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64


def randomised(nets: dict[str, Any]) -> dict[str, Any]:
    """Give all parameters and buffers random values, and set eval mode."""
    for net in nets.values():
        for weight in net.state_dict().values():
            weight.add_(0.3 * torch.randn_like(weight))
        net.eval()
    return nets


# ---- NVIDIA's pickles: persistent objects, each with the class name and its state


def _reconstruct_persistent_obj(meta: Any) -> Any:
    raise AssertionError("a checkpoint executed something")


class Persistent:
    """A module in a pickle: parts, tensors and options."""

    def __init__(
        self, kind: str, parts: dict[str, Any], tensors: dict[str, Tensor], **options: Any
    ) -> None:
        self.kind, self.parts, self.tensors, self.options = kind, parts, tensors, options

    def __reduce__(self) -> Any:
        state = {
            "training": False,
            "_parameters": OrderedDict(self.tensors),
            "_buffers": OrderedDict(),
            "_modules": OrderedDict(self.parts),
        }
        meta = {"type": "class", "version": 6, "module_src": "raise SystemExit"}
        meta |= {"class_name": self.kind, "state": state | self.options}
        return _reconstruct_persistent_obj, (meta,)

    def at(self, path: str) -> Persistent:
        """Return a part."""
        name, _, rest = path.partition(".")
        return self.parts[name].at(rest) if name else self


def write_pickle(path: Any, content: Any) -> None:
    """Write a file as NVIDIA's programs do."""
    module = ModuleType("torch_utils.persistence")
    module._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]
    _reconstruct_persistent_obj.__module__ = module.__name__
    added = {"torch_utils": ModuleType("torch_utils"), "torch_utils.persistence": module}
    sys.modules.update(added)
    try:
        path.write_bytes(pickle.dumps(content))
    finally:
        for name in added:
            del sys.modules[name]


def layers_of(state: dict[str, Tensor], start: str) -> dict[str, Any]:
    """Return the parts of a mapping network; labels pass through a linear layer of one-hot."""
    parts = {}
    if (embedding := state.get(f"{start}embedding.weight")) is not None:
        bias = torch.randn(embedding.shape[1])
        weight = (embedding - bias).T * math.sqrt(len(embedding))
        parts["embed"] = Persistent("FullyConnectedLayer", {}, {"weight": weight, "bias": bias})
    k = 0
    while (weight := state.get(f"{start}layers.{k}.weight")) is not None:
        tensors = {"weight": weight, "bias": state[f"{start}layers.{k}.bias"]}
        options = {"activation": "lrelu", "weight_gain": 0.01 / math.sqrt(weight.shape[1])}
        parts[f"fc{k}"] = Persistent("FullyConnectedLayer", {}, tensors, **options)
        k += 1
    return parts


def ada_generator(generator: Any, *, noise: bool = True, **options: Any) -> Persistent:
    """Return a generator as NVIDIA's program stores it; `options` are those of its creation."""
    state, synthesis = generator.state_dict(), generator.synthesis
    clamp = synthesis.first.clamp or None

    def modulated(kind: str, name: str, **own: Any) -> Persistent:
        convolution = f"synthesis.{name}.convolution"
        affine = {part: state[f"{convolution}.style.{part}"] for part in ("weight", "bias")}
        tensors = {
            "weight": state[f"{convolution}.weight"],
            "bias": state[f"synthesis.{name}.bias"],
        }
        parts = {"affine": Persistent("FullyConnectedLayer", {}, affine, activation="linear")}
        if kind == "SynthesisLayer":
            own |= {"activation": "lrelu", "use_noise": noise}
            tensors["resample_filter"] = FILTER
            if noise:
                tensors["noise_const"] = state[f"synthesis.{name}.noise"]
                tensors["noise_strength"] = state[f"synthesis.{name}.noise_strength"]
        return Persistent(kind, parts, tensors, conv_clamp=clamp, **own)

    blocks = {}
    for stage in range(len(synthesis.to_image)):
        convolutions = {"conv1": f"layers.{stage - 1}" if stage else "first"}
        if stage:
            convolutions["conv0"] = f"up_layers.{stage - 1}"
        parts = {k: modulated("SynthesisLayer", name) for k, name in convolutions.items()}
        parts["torgb"] = modulated("ToRGBLayer", f"to_image.{stage}")
        tensors = {"resample_filter": FILTER}
        tensors |= {} if stage else {"const": state["synthesis.constant"][0]}
        blocks[f"b{4 * 2**stage}"] = Persistent(
            "SynthesisBlock", parts, tensors, architecture="skip", use_fp16=False
        )
    mapping = layers_of(state, "mapping.")
    w_avg = {"w_avg": state["mapping.average"]}
    parts = {
        "synthesis": Persistent("SynthesisNetwork", blocks, {}),
        "mapping": Persistent("MappingNetwork", mapping, w_avg),
    }
    return Persistent("Generator", parts, {}, _init_kwargs=options)


def ada_discriminator(discriminator: Any, **options: Any) -> Persistent:
    """Return a discriminator as NVIDIA's program stores it."""
    state, clamp = discriminator.state_dict(), discriminator.clamp or None
    kind = "resnet" if discriminator.blocks[0].shortcut is not None else "orig"
    kind = "skip" if len(discriminator.from_smaller) else kind

    def layer(name: str, *kinds: str) -> Persistent:
        tensors = {part: state[f"{name}.{part}"] for part in kinds or ("weight", "bias")}
        own = {"activation": "lrelu", "conv_clamp": clamp}
        return Persistent("Conv2dLayer", {}, tensors | {"resample_filter": FILTER}, **own)

    def linear(name: str) -> Persistent:
        tensors = {part: state[f"{name}.{part}"] for part in ("weight", "bias")}
        return Persistent("FullyConnectedLayer", {}, tensors, activation="lrelu")

    blocks, last = {}, len(discriminator.blocks)
    for k in range(last):
        parts = {"conv0": layer(f"blocks.{k}.first"), "conv1": layer(f"blocks.{k}.second")}
        if kind == "resnet":
            parts["skip"] = layer(f"blocks.{k}.shortcut", "weight")
        if k == 0:
            parts["fromrgb"] = layer("from_image")
        elif kind == "skip":
            parts["fromrgb"] = layer(f"from_smaller.{k - 1}")
        blocks[f"b{2 ** (last - k + 2)}"] = Persistent(
            "DiscriminatorBlock", parts, {}, architecture=kind
        )
    deviation = Persistent("M", {}, {}, group_size=discriminator.group, num_channels=1)
    parts = {"mbstd": deviation, "conv": layer("convolution")}
    parts |= {"fc": linear("dense"), "out": linear("last")}
    if kind == "skip":
        parts["fromrgb"] = layer(f"from_smaller.{last - 1}")
    blocks["b4"] = Persistent("DiscriminatorEpilogue", parts, {}, architecture=kind)
    if "labels.embedding.weight" in state:
        blocks["mapping"] = Persistent("MappingNetwork", layers_of(state, "labels."), {})
    return Persistent("Discriminator", blocks, {}, _init_kwargs=options)


# ---- rosinality's files of torch.save


def rosinality_generator(generator: Any) -> dict[str, Tensor]:
    """Return the state of a generator as rosinality's program names it."""
    state, synthesis = generator.state_dict(), generator.synthesis
    result = {"input.input": state["synthesis.constant"]}
    for k in range(len(generator.mapping.layers)):
        for part in ("weight", "bias"):
            result[f"style.{k + 1}.{part}"] = state[f"mapping.layers.{k}.{part}"]

    def modulated(theirs: str, ours: str) -> None:
        convolution = f"synthesis.{ours}.convolution"
        result[f"{theirs}.conv.weight"] = state[f"{convolution}.weight"][None]
        for part in ("weight", "bias"):
            result[f"{theirs}.conv.modulation.{part}"] = state[f"{convolution}.style.{part}"]

    layers = ["first"]
    for stage in range(len(synthesis.layers)):
        layers += [f"up_layers.{stage}", f"layers.{stage}"]
    for k, ours in enumerate(layers):
        theirs = f"convs.{k - 1}" if k else "conv1"
        modulated(theirs, ours)
        result[f"{theirs}.activate.bias"] = state[f"synthesis.{ours}.bias"]
        result[f"{theirs}.noise.weight"] = state[f"synthesis.{ours}.noise_strength"][None]
        result[f"noises.noise_{k}"] = state[f"synthesis.{ours}.noise"][None, None]
        if ours.startswith("up"):
            result[f"{theirs}.conv.blur.kernel"] = 4 * FILTER
    for stage in range(len(synthesis.to_image)):
        theirs = f"to_rgbs.{stage - 1}" if stage else "to_rgb1"
        modulated(theirs, f"to_image.{stage}")
        result[f"{theirs}.bias"] = state[f"synthesis.to_image.{stage}.bias"][None, :, None, None]
        if stage:
            result[f"{theirs}.upsample.kernel"] = 4 * FILTER
    return result


def rosinality_discriminator(discriminator: Any) -> dict[str, Tensor]:
    """Return the state of a discriminator as rosinality's program names it."""
    state = discriminator.state_dict()
    names = {"from_image": "convs.0.{}", "convolution": "final_conv.{}"}
    result = {}
    for ours, theirs in {"dense": "final_linear.0", "last": "final_linear.1"}.items():
        for part in ("weight", "bias"):
            result[f"{theirs}.{part}"] = state[f"{ours}.{part}"]
    for k in range(len(discriminator.blocks)):
        block = f"convs.{k + 1}"
        names[f"blocks.{k}.first"] = f"{block}.conv1.{{}}"
        result[f"{block}.conv2.0.kernel"] = result[f"{block}.skip.0.kernel"] = FILTER
        result[f"{block}.conv2.1.weight"] = state[f"blocks.{k}.second.weight"]
        result[f"{block}.conv2.2.bias"] = state[f"blocks.{k}.second.bias"]
        result[f"{block}.skip.1.weight"] = state[f"blocks.{k}.shortcut.weight"]
    for ours, theirs in names.items():
        result[theirs.format("0.weight")] = state[f"{ours}.weight"]
        result[theirs.format("1.bias")] = state[f"{ours}.bias"]
    return result


def rosinality_training(nets: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return the state of a training."""
    generator = rosinality_generator(nets["generator"])
    optimizer = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.002}]}
    return {
        "g": generator | {"input.input": 2 * generator["input.input"]},
        "d": rosinality_discriminator(nets["discriminator"]),
        "g_ema": generator,
        "g_optim": optimizer,
        "d_optim": optimizer,
        "args": argparse.Namespace(arch="stylegan2", path="data.lmdb", batch=16, **options),
        "ada_aug_p": 0.5,
    }
