"""What a training leaves for use: pictures, and its averaged networks as a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ganzoo import bundle
from ganzoo.bundle.files import write_file
from ganzoo.games import Batch
from ganzoo.nn import generate
from ganzoo.sampling import latents
from ganzoo.sampling.generator import SAMPLES, Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import ModelSpec, Recipe

if TYPE_CHECKING:
    from ganzoo.training.preparation import Prepared

ROW = 8  # images in a row of a picture that shows data
SHOWN = 16  # images of the data in such a picture


class InTraining(Generator):
    """A network that is being trained, as a generator."""

    def __init__(self, spec: ModelSpec, network: nn.Module, device: torch.device) -> None:
        self.spec = spec
        self.network = network
        self.device = device

    @torch.no_grad()
    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run the network."""
        images = self.network(
            *(torch.from_numpy(array).to(self.device) for array in inputs.values())
        )
        result: NDArray[np.float32] = images.float().cpu().numpy()
        return result


def preview_images(prepared: Prepared) -> dict[str, ImageBatch]:
    """Return the fixed pictures by which a training is watched, by file name.

    A generator's own; of a translator, rows of the data's first conditions, what it makes of them,
    and of what they belong to; with an encoder, rows of the data's first images and of their
    reconstructions.
    """
    spec, nets = prepared.spec(), prepared.state.ema.networks
    shown = prepared.batches.first(SHOWN)
    if "condition" in spec.inputs:
        made = _translate(nets["generator"], spec, shown)
        return {SAMPLES: _rows(shown.condition, made, shown.images)}
    generator = InTraining(spec, nets["generator"], prepared.state.device)
    found = generator.preview_images()
    if "encoder" in nets:
        with torch.no_grad():
            z = nets["encoder"](shown.images)[0]
            rebuilt = generate(nets["generator"], z=z, y=shown.labels)
        found[bundle.RECONSTRUCTIONS] = _rows(shown.images, rebuilt)
    return found


@torch.no_grad()
def _translate(generator: nn.Module, spec: ModelSpec, shown: Batch) -> Tensor:
    z = None
    if spec.latent:
        z = torch.from_numpy(latents.normal(0, len(shown), spec.latent.dim)).to(shown.images.device)
    return generate(generator, z=z, condition=shown.condition)


def _rows(*kinds: Tensor | None) -> ImageBatch:
    batches = [ImageBatch.from_unit(k.float().cpu().numpy()) for k in kinds if k is not None]
    return ImageBatch.rows(*batches, columns=ROW)


def write_snapshot(
    path: Path, prepared: Prepared, log: Path, best: dict[str, Any] | None = None
) -> None:
    """Write a bundle that the torch runtime can load; exporting it adds the rest.

    Args:
        path: the bundle's folder.
        prepared: the training.
        log: its log.
        best: by what number these weights are its best, for the bundle's provenance.

    Raises:
        OutputError: it cannot be written.
    """
    spec = prepared.spec()
    if best:
        spec = replace(spec, provenance=spec.provenance | {"best": best})
    metadata = {bundle.METADATA_KEY: spec.to_json()}

    def write_weights(network: nn.Module, file: Path) -> None:
        weights = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
        write_file(file, safetensors.torch.save(weights, metadata))

    bundle.write_bundle(
        path,
        spec,
        {
            bundle.weights_name(role): lambda p, network=network: write_weights(network, p)
            for role, network in prepared.state.ema.networks.items()
        }
        | {name: picture.save for name, picture in preview_images(prepared).items()}
        | {
            bundle.RECIPE: lambda p: write_file(p, _recipe_of(spec)),
            bundle.LOG: lambda p: write_file(p, log.read_bytes()),
        },
    )


def _recipe_of(spec: ModelSpec) -> str:
    return Recipe.from_dict(spec.provenance["recipe"]).to_toml()
