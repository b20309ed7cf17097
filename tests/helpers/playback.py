"""A generator that returns given images."""

from __future__ import annotations

import numpy as np

import ganzoo
from ganzoo.sampling.generator import Generator
from ganzoo.spec import DataSpec, LatentSpec, ModelSpec


class Playback(Generator):
    """A generator that returns given images."""

    def __init__(self, images: np.ndarray, data: DataSpec, inputs: tuple[str, ...] = ("z",)):
        self.images = images
        self.spec = ModelSpec("playback", "none", {}, (), data, LatentSpec(1), inputs=inputs)

    def sample(self, n=1, seed=0, *, label=None, start=0):
        return ganzoo.ImageBatch(self.images[start : start + n])

    def run(self, inputs):
        raise NotImplementedError
