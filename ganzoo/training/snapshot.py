"""What a training leaves for use: sample grids, and its averaged generator as a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from ganzoo import bundle
from ganzoo.files import write_file
from ganzoo.generator import Generator
from ganzoo.images import ImageBatch
from ganzoo.spec import ModelSpec, Recipe

GRID = 64  # images in a sample grid: numbers 0 to 63 of seed 0, uncurated


class InTraining(Generator):
    """A network that is being trained, as a generator."""

    def __init__(self, spec: ModelSpec, network: nn.Module, device: torch.device) -> None:
        self.spec = spec
        self.network = network
        self.device = device

    @torch.no_grad()
    def generate(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network."""
        images = self.network(torch.from_numpy(z).to(self.device))
        result: NDArray[np.float32] = images.cpu().numpy()
        return result


def sample_grid(spec: ModelSpec, network: nn.Module, device: torch.device) -> ImageBatch:
    """Return the fixed images by which a training is watched."""
    return InTraining(spec, network, device).sample(GRID, seed=0)


def write_snapshot(
    path: Path, spec: ModelSpec, network: nn.Module, samples: ImageBatch, log: Path
) -> None:
    """Write a bundle that the torch runtime can load; exporting it adds the rest.

    Raises:
        OutputError: it cannot be written.
    """
    weights = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    metadata = {bundle.METADATA_KEY: spec.to_json()}
    bundle.write_bundle(
        path,
        spec,
        {
            bundle.WEIGHTS: lambda p: write_file(p, safetensors.torch.save(weights, metadata)),
            bundle.SAMPLES: samples.save,
            bundle.RECIPE: lambda p: write_file(p, _recipe_of(spec)),
            bundle.LOG: lambda p: write_file(p, log.read_bytes()),
        },
    )


def _recipe_of(spec: ModelSpec) -> str:
    return Recipe.from_dict(spec.provenance["recipe"]).to_toml()
