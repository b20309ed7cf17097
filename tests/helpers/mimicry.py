"""A generator of ours, and the content of a file of mimicry with it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import ganzoo

ARGUMENTS = {"latent_dim": 5, "width": 3, "upsampling": "bilinear"}
WIDTHS = {24: (8, 6, 4), 32: (4, 4, 4, 4)}


def ours(side: int) -> nn.Module:
    """Return a generator of the architecture resnet for images of 24 or 32 pixels."""
    torch.manual_seed(0)
    data = ganzoo.DataSpec(ganzoo.ImageSpec(side, side, 3))
    factory = ganzoo.architectures.get("resnet")
    generator = factory(data, generator_widths=WIDTHS[side], **ARGUMENTS)["generator"]
    for weight in generator.state_dict().values():
        if weight.is_floating_point():
            weight.copy_(torch.rand_like(weight))
    return generator.eval()


def in_their_layout(generator: nn.Module) -> dict[str, Any]:
    """Return the content of a file: each convolution before a normalisation has a bias, too."""
    last = len(generator.blocks) + 2
    names = {"first": "l1", "norm": f"b{last}", "last": f"c{last}"}
    parts = {"norm1": "b1", "norm2": "b2", "convolution1": "c1", "convolution2": "c2"}
    for k in range(len(generator.blocks)):
        for part, theirs in (parts | {"shortcut": "c_sc"}).items():
            names[f"blocks.{k}.{part}"] = f"block{k + 2}.{theirs}"
    state = {}
    for name, weight in generator.state_dict().items():
        layer, _, kind = name.rpartition(".")
        state[f"{names[layer]}.{kind}"] = weight
    for k in range(len(generator.blocks)):
        mean = state[f"block{k + 2}.b2.running_mean"]
        state[f"block{k + 2}.c1.bias"] = bias = torch.randn_like(mean)
        state[f"block{k + 2}.b2.running_mean"] = mean + bias
    return {"model_state_dict": state, "optimizer_state_dict": None, "global_step": 7}
