"""Helpers: tiny networks, recipes and synthetic image files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import ganzoo
from ganzoo import DataSpec, ImageSpec, Recipe
from ganzoo.spec import Component

# Small networks are slower with more threads, above all on a busy machine.
torch.set_num_threads(1)

SIDE = 32
SMALL = {
    "unet": {"width": 4},
    "translator": {"width": 4, "blocks": 1},
    "cyclegan": {"width": 4, "blocks": 1},
    "dcgan": {"width": 4},
}


def recipe(architecture: str = "unet", **changes: Any) -> Recipe:
    """Return a recipe that trains in a second."""
    arguments = changes.pop("arguments", {})
    data = Component("paired", {"size": SIDE})
    if architecture == "cyclegan":
        data = Component("unpaired", {"size": SIDE, "repeat_shorter": True})
    fields: dict[str, Any] = {
        "name": "tiny",
        "architecture": Component(architecture, SMALL[architecture] | arguments),
        "loss": Component("pix2pix"),
        "dataset": data,
        "images": 12,
        "batch_size": 4,
        "log_every": 4,
        "sample_every": 0,
        "checkpoint_every": 8,
        "ema_halflife": 50,
    }
    return Recipe(**fields | changes)


def data_spec(
    side: int = SIDE, channels: int = 3, condition: int = 3, paired: bool = True
) -> DataSpec:
    """Return a description of data with square images."""
    condition = ImageSpec(side, side, condition)
    return DataSpec(ImageSpec(side, side, channels), condition=condition, paired=paired)


def build(architecture: str, data: DataSpec | None = None, **arguments: Any) -> dict[str, Any]:
    """Build the networks of an architecture of the installed plugin."""
    return ganzoo.architectures.get(architecture)(data or data_spec(), **arguments)


def images(n: int = 2, side: int = SIDE, channels: int = 3, seed: int = 0, **like: Any) -> Any:
    """Return noise in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, channels, side, side, generator=generator, **like) * 2 - 1


def paint(file: Path, width: int = 40, height: int = 40, seed: int = 0, mode: str = "RGB") -> Path:
    """Write an image file of a bright disc on a dark background."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    middle = rng.uniform(0.3, 0.7, 2) * (height, width)
    inside = (y - middle[0]) ** 2 + (x - middle[1]) ** 2 < (height / 4) ** 2
    pixels = np.where(inside[..., None], rng.integers(128, 256, 3), rng.integers(0, 128, 3))
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).convert(mode).save(file)
    return file


def paint_all(folder: Path, names: list[str], **options: Any) -> Path:
    """Write an image file of each name."""
    for k, name in enumerate(names):
        paint(folder / name, seed=k, **options)
    return folder
