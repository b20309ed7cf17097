"""Translators that are functions of torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ganzoo.sampling.translation import Translator
from ganzoo.spec import DataSpec, ImageSpec, LatentSpec, ModelSpec, SizesSpec


def spec_of(
    sizes: SizesSpec | None, side: int = 16, channels: int = 1, latent: LatentSpec | None = None
) -> ModelSpec:
    """Return the config of a translator of square images."""
    scale = sizes.scale if sizes else 1
    image = ImageSpec(scale * side, scale * side, channels)
    data = DataSpec(image, condition=ImageSpec(side, side, channels))
    inputs = ("condition",) if latent is None else ("condition", "z")
    return ModelSpec("local", "none", {}, (), data, latent, inputs=inputs, sizes=sizes)


class LocalTranslator(Translator):
    """Runs a function, and keeps the shapes of its inputs."""

    def __init__(self, function: Callable, spec: ModelSpec) -> None:
        self.function, self.spec = function, spec
        self.shapes: list[tuple[int, ...]] = []

    def run(self, inputs) -> np.ndarray:
        """Run the function."""
        self.shapes.append(inputs["condition"].shape)
        with torch.no_grad():
            return self.function(*map(torch.from_numpy, inputs.values())).numpy()
