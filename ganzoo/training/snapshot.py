"""Sample images of a training, and the bundle of its averaged networks."""

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

ROW = 8  # images in a row of a grid that shows data
SHOWN = 16  # images of the data in such a grid


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
    """Return the sample images of a training by file name, for the same inputs each time.

    A generator shows its fixed preview. A translator shows rows of the data's first conditions, of
    its outputs and of the real images. With an encoder, a second file shows rows of the data's
    first images and of their reconstructions.
    """
    spec, nets = prepared.spec(), prepared.state.ema.networks
    batch = prepared.batches.first(SHOWN)
    if "condition" in spec.inputs:
        translated = _translate(nets["generator"], spec, batch)
        return {SAMPLES: _rows(batch.condition, translated, batch.images)}
    generator = InTraining(spec, nets["generator"], prepared.state.device)
    previews = generator.preview_images()
    if "encoder" in nets:
        with torch.no_grad():
            z = nets["encoder"](batch.images)[0]
            reconstructed = generate(nets["generator"], z=z, y=batch.labels)
        previews[bundle.RECONSTRUCTIONS] = _rows(batch.images, reconstructed)
    return previews


@torch.no_grad()
def _translate(generator: nn.Module, spec: ModelSpec, batch: Batch) -> Tensor:
    z = None
    if spec.latent:
        z = torch.from_numpy(latents.normal(0, len(batch), spec.latent.dim)).to(batch.images.device)
    return generate(generator, z=z, condition=batch.condition)


def _rows(*kinds: Tensor | None) -> ImageBatch:
    batches = [ImageBatch.from_unit(k.float().cpu().numpy()) for k in kinds if k is not None]
    return ImageBatch.rows(*batches, columns=ROW)


def write_snapshot(
    path: Path, prepared: Prepared, log: Path, best: dict[str, Any] | None = None
) -> None:
    """Write a bundle for the torch runtime; `ganzoo export` adds the other files.

    Args:
        path: the bundle's folder.
        prepared: the training.
        log: the log of the run.
        best: for the best bundle, the number that it is best by, for the provenance.

    Raises:
        OutputError: a file cannot be written.
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
        | {name: images.save for name, images in preview_images(prepared).items()}
        | {
            bundle.RECIPE: lambda p: write_file(p, _recipe_of(spec)),
            bundle.LOG: lambda p: write_file(p, log.read_bytes()),
        },
    )


def _recipe_of(spec: ModelSpec) -> str:
    return Recipe.from_dict(spec.provenance["recipe"]).to_toml()
