"""Where a descent starts: the nearest of random samples, the average of w, an encoder's code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.errors import SampleError
from ganzoo.inversion.distances import Distance
from ganzoo.inversion.network import Network, to_tensor
from ganzoo.runtimes.torch import TorchGenerator
from ganzoo.sampling.classes import Label
from ganzoo.sampling.samplers import Draw
from ganzoo.sampling.sizes import compute_batch

DEVIATION_SAMPLES = 1_000  # latents whose w are measured


class Starts(NamedTuple):
    """Codes, the nearest first.

    Attributes:
        codes: (n, ...), as `Network.images` reads them.
        y: their classes (n,); None for a model without classes.
        distances: (n,).
    """

    codes: Tensor
    y: Tensor | None
    distances: Tensor


def find_starts(
    model: TorchGenerator,
    network: Network,
    distance: Distance,
    *,
    samples: int,
    count: int,
    seed: int,
    label: Label | None,
    encoded: NDArray[np.float32] | None,
) -> Starts:
    """Return the nearest codes; an encoder's code is always one of them.

    Args:
        model: the generator.
        network: the same with gradients.
        distance: distance to the photo.
        samples: number of random samples of `seed`, whose classes alternate without `label`.
        count: largest number of codes to return.
        seed: seed of the samples.
        label: class of all codes.
        encoded: an encoder's z of the photo (1, latent_dim).

    Raises:
        SampleError: there is no code to start from, a label does not exist, or a distance is not
            finite.
    """
    z = np.zeros((0, model.latent_dim), np.float32)
    if samples:
        z = Draw.of(seed, samples).normal(model.latent_dim)
    first = 0 if encoded is None else len(encoded)
    if encoded is not None:
        z = np.concatenate([encoded, z])
    has_average = network.space != "z"
    if not len(z) + has_average:
        raise SampleError("there is no start without samples. Pass --samples 256.")
    y = model.labels(len(z) + has_average, label=label)
    codes = z
    if has_average:
        average = model.w_average
        assert average is not None  # as is `spec.styles`: the network has checked
        assert model.spec.styles is not None
        w = model.map(z, None if y is None else y[: len(z)]) if len(z) else average[None, :][:0]
        codes = np.concatenate([w, average[None]])
        if network.space == "w+":
            codes = np.repeat(codes[:, None], model.spec.styles.layers, axis=1)
    tensor = to_tensor(codes, network.device)
    classes = None if y is None else to_tensor(y, network.device)
    distances = _measure(network, distance, tensor, classes)
    ranks = torch.nan_to_num(distances, nan=torch.inf).clone()
    ranks[:first] = -1  # the encoder's code
    rows = ranks.argsort(stable=True)[:count]
    if not distances[rows].isfinite().all():
        encoded_is_bad = not distances[:first].isfinite().all()
        origin = "the encoder's code of the photo" if encoded_is_bad else "the nearest start"
        raise SampleError(
            f"cannot start from {origin}: its distance to the photo is NaN or infinite, so "
            f"{model.spec.name!r} or the extractor computes values that are not finite. Get "
            "another version of the model, or use another --extractor."
        )
    return Starts(tensor[rows], None if classes is None else classes[rows], distances[rows])


def deviation_of_w(model: TorchGenerator, seed: int, label: Label | None) -> float:
    """Return the root mean square distance of w from its average."""
    y = model.labels(DEVIATION_SAMPLES, label=label)
    w = model.map(Draw.of(seed, DEVIATION_SAMPLES).normal(model.latent_dim), y)
    return float(np.sqrt(np.square(w - w.mean(0)).sum(1).mean()))


@torch.no_grad()
def _measure(network: Network, distance: Distance, codes: Tensor, y: Tensor | None) -> Tensor:
    size = compute_batch(network.spec)
    parts = []
    for k in range(0, len(codes), size):
        labels = None if y is None else y[k : k + size]
        parts.append(distance(network.images(codes[k : k + size], labels, {})))
    return torch.cat(parts)
