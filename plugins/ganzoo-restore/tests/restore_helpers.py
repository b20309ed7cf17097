"""Tiny networks of spandrel with random weights, files of them, and images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN
from torch import Tensor, nn

from ganzoo import DataSpec, ImageSpec


def random_weights(network: nn.Module, gain: float = 1.0) -> nn.Module:
    """Give a network weights that change with every pixel of its receptive field."""
    generator = torch.Generator().manual_seed(0)
    for weight in network.parameters():
        inputs = weight[0].numel() if weight.ndim > 1 else 100
        nn.init.normal_(weight, std=gain / inputs**0.5, generator=generator)
    return network.eval()


def random_matrices(network: nn.Module) -> nn.Module:
    """Give the matrices and kernels of a network random values that keep the scale of numbers."""
    generator = torch.Generator().manual_seed(0)
    for weight in network.parameters():
        if weight.ndim > 1:
            nn.init.normal_(weight, std=weight[0].numel() ** -0.5, generator=generator)
    return network


def rrdbnet(scale: int = 4, shuffle_factor: int | None = None, blocks: int = 1) -> nn.Module:
    channels = 3 * (shuffle_factor or 1) ** 2
    return random_weights(
        ESRGAN(
            in_nc=channels,
            num_filters=8,
            num_blocks=blocks,
            scale=scale,
            shuffle_factor=shuffle_factor,
        )
    )


def compact(scale: int = 2, channels: int = 3) -> nn.Module:
    network = Compact(
        num_in_ch=channels, num_out_ch=channels, num_feat=8, num_conv=2, upscale=scale
    )
    return random_weights(network)


def newer_layout(
    network: nn.Module, names: Mapping[str, str], blocks: int = 1
) -> dict[str, Tensor]:
    """Return the weights of an RRDBNet by the names of later programs.

    Args:
        network: the network.
        names: names of the layers besides those of blocks, and of blocks with {block}, {dense} and
            {layer}.
        blocks: number of blocks.
    """
    state = network.state_dict()
    last = max(int(name.split(".")[1]) for name in state)
    ups = sorted({int(name.split(".")[1]) for name in state} - {0, 1, last, last - 2})
    layers = {"model.0": names["first"], f"model.1.sub.{blocks}": names["body"]}
    layers |= {f"model.{k}": names["up"].format(n) for n, k in enumerate(ups, 1)}
    layers |= {f"model.{last - 2}": names["hr"], f"model.{last}": "conv_last"}
    result = {}
    for name, tensor in state.items():
        path, _, part = name.rpartition(".")
        if match := re.fullmatch(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0", path):
            path = names["block"].format(*match.groups())
        result[f"{layers.get(path, path)}.{part}"] = tensor
    return result


BASICSR = {
    "first": "conv_first",
    "body": "conv_body",
    "up": "conv_up{}",
    "hr": "conv_hr",
    "block": "body.{}.rdb{}.conv{}",
}
XINNTAO = {
    "first": "conv_first",
    "body": "trunk_conv",
    "up": "upconv{}",
    "hr": "HRconv",
    "block": "RRDB_trunk.{}.RDB{}.conv{}",
}


def pairs_of(scale: int = 4, side: int = 32, channels: int = 3) -> DataSpec:
    """Return data of square images and of conditions whose sides are divided by a scale."""
    condition = ImageSpec(side // scale, side // scale, channels)
    return DataSpec(ImageSpec(side, side, channels), condition=condition)


def paint(file: Path, height: int, width: int, seed: int = 0) -> Path:
    """Write an image of smooth colours and some noise."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noise = draw.integers(0, 16, (height, width, 3))
    pixels = np.clip(np.asarray(smooth).astype(int) + noise, 0, 255).astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return file
