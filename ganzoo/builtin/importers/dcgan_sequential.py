"""DCGANs of pytorch/examples, and all others that have their layers, whatever the names.

The order and the shapes of the layers tell the network: transposed convolutions, each with half of
the channels, and BatchNorm between them. "Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks" (Radford et al., 2016),
https://arxiv.org/abs/1511.06434.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ImportFileError
from ganzoo.importers import (
    IGNORED_COUNTS,
    Checkpoint,
    Computed,
    Conversion,
    Importer,
    Layer,
    Weights,
    convert_batch_norm,
    layers_of,
    select,
)

KERNEL = 4  # with stride 2 and padding 1, it doubles or halves a side
BASES = (4, 7)  # kernels of a generator's first layer: the sides of its map
ODD = (4, 3, 4, 4)  # kernels of a generator with the sides 4, 7, 14, 28
SHALLOWEST = 3  # layers for 16 pixels
COLOURS = (1, 3)  # channels of an image
MULTIPLIER = 8  # usual maximum of a map's channels, in units of the width

NORM = (
    "BatchNorm uses the statistics of the training. Programs that sample in training mode use "
    "those of the batch."
)
ASSUMED = "Strides, paddings and activations are not in the file. They are those of DCGAN."


class DcganSequential(Importer):
    """Converts DCGAN's generator, alone or in one file with its discriminator."""

    project = "DCGAN, such as that of https://github.com/pytorch/examples"
    marks = frozenset({"main.0.weight", "main.1.running_mean", "main.3.weight"})

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether the layers of a file are those of DCGAN's networks."""
        return _find(checkpoint) is not None

    def convert(self, checkpoint: Checkpoint) -> Conversion:
        """Convert a file.

        Raises:
            ImportFileError: it has no generator, or one with other widths than the architecture.
        """
        networks = _find(checkpoint)
        if networks is None or networks.generator is None:
            raise ImportFileError(
                "it is a discriminator, which makes no images. Import the file of the generator, "
                "such as netG.pth."
            )
        generator, discriminator = networks.generator, networks.discriminator
        width, multiplier = _widths(generator)
        weights = {"generator": _generator(generator)}
        ignored = networks.ignored | IGNORED_COUNTS
        side, channels = generator.side, generator.channels
        if discriminator is not None:
            maps = [min(2**k, multiplier) * width for k in range(len(discriminator.norms) + 1)]
            fits = discriminator.channels == [channels[-1], *maps, 1]
            if fits and discriminator.side == side:
                weights["discriminator"] = _discriminator(discriminator)
            else:
                ignored[f"{networks.heads[1]}.*"] = (
                    "a discriminator of another width or depth than the architecture builds"
                )
        return Conversion(
            architecture="dcgan",
            arguments={
                "latent_dim": channels[0],
                "width": width,
                "width_multiplier": multiplier,
                "base": generator.convolutions[0].shape[2],
            },
            data=DataSpec(ImageSpec(side, side, channels[-1])),
            weights=weights,
            ignored=ignored,
            options={
                "nz": channels[0],
                "ngf": width,
                "nc": channels[-1],
                "imageSize": side,
                "layers": ", ".join(layer.path for layer in generator.layers),
            },
            network=networks.heads[0],
            deviations=(NORM,) if generator.numbered else (NORM, ASSUMED),
        )


class _Network(NamedTuple):
    """A network, in order.

    Attributes:
        convolutions: its convolutions.
        norms: the BatchNorm layers between them.
        channels: of its input and of the output of each convolution.
        kernels: of the convolutions.
    """

    convolutions: list[Layer]
    norms: list[Layer]
    channels: list[int]
    kernels: tuple[int, ...]

    @property
    def layers(self) -> list[Layer]:
        """The generator's layers: BatchNorm follows each convolution but the last."""
        *hidden, last = self.convolutions
        return [*itertools.chain(*zip(hidden, self.norms, strict=True)), last]

    @property
    def numbered(self) -> bool:
        """Whether the generator is an nn.Sequential with an activation after each BatchNorm."""
        numbers = [layer.path.rpartition(".")[2] for layer in self.layers]
        return numbers == [str(k) for k in range(3 * len(self.convolutions) - 2) if k % 3 != 2]

    @property
    def side(self) -> int:
        """Height and width of its images."""
        if self.kernels == ODD:
            return 28
        base = max(self.kernels[0], self.kernels[-1])
        return int(base * 2 ** (len(self.kernels) - 1))


@dataclass(frozen=True)
class _Networks:
    """The networks of a file.

    Attributes:
        generator: the generator.
        discriminator: the discriminator.
        heads: the first parts of their paths, if the file has both.
        ignored: as in `Conversion`.
    """

    generator: _Network | None
    discriminator: _Network | None
    heads: tuple[str, ...] = ("", "")
    ignored: dict[str, str] = field(default_factory=dict)


def _find(checkpoint: Checkpoint) -> _Networks | None:
    """Return the networks of a file: a single one, or both beside the states of optimizers."""
    layers = layers_of(checkpoint)
    if generator := _as_generator(layers):
        return _Networks(generator, None)
    if discriminator := _as_discriminator(layers):
        return _Networks(None, discriminator)
    parts: dict[str, list[Layer]] = {}
    for layer in layers:
        parts.setdefault(layer.path.partition(".")[0], []).append(layer)
    optimizers = [head for head in parts if "optim" in head.lower()]
    ignored = {f"{head}.*": "the state of an optimizer" for head in optimizers}
    heads = [head for head in parts if head not in optimizers]
    if len(heads) == 1 and (generator := _as_generator(parts[heads[0]])):
        return _Networks(generator, None, (heads[0], ""), ignored)
    for pair in itertools.permutations(heads) if len(heads) == 2 else ():
        generator, discriminator = _as_generator(parts[pair[0]]), _as_discriminator(parts[pair[1]])
        if generator and discriminator:
            return _Networks(generator, discriminator, pair, ignored)
    return None


def _chain(layers: Sequence[Layer], inputs: int) -> _Network | None:
    """Return a network if each convolution reads the channels of the one before it.

    Args:
        layers: its layers.
        inputs: the dimension of a weight that has the input channels: 0 of a transposed
            convolution, else 1.
    """
    convolutions, norms = select(layers, "convolution"), select(layers, "batch norm")
    if len(convolutions) < SHALLOWEST or len(convolutions) + len(norms) < len(layers):
        return None
    shapes = [layer.shape for layer in convolutions]
    channels = [shapes[0][inputs], *(shape[1 - inputs] for shape in shapes)]
    fits = [shape[inputs] for shape in shapes] == channels[:-1]
    biases = all(
        layer.tensors["bias"].shape == (above,)
        for layer, above in zip(convolutions, channels[1:], strict=True)
        if layer.bias
    )
    if not fits or not biases or any(shape[2] != shape[3] for shape in shapes):
        return None
    return _Network(convolutions, norms, channels, tuple(shape[2] for shape in shapes))


def _as_generator(layers: Sequence[Layer]) -> _Network | None:
    network = _chain(layers, inputs=0)
    if network is None or network.channels[-1] not in COLOURS:
        return None
    first, *others = network.kernels
    doubles = first in BASES and set(others) == {KERNEL}
    if not doubles and network.kernels != ODD:
        return None
    normed = [norm.shape[0] for norm in network.norms]
    return network if normed == network.channels[1:-1] else None


def _as_discriminator(layers: Sequence[Layer]) -> _Network | None:
    network = _chain(layers, inputs=1)
    if network is None or network.channels[0] not in COLOURS or network.channels[-1] != 1:
        return None
    # PatchGAN's discriminators have the same shapes, and biases where there is no BatchNorm.
    uniform = len({layer.bias is None for layer in network.convolutions}) == 1
    normed = [norm.shape[0] for norm in network.norms]
    if not uniform or set(network.kernels) != {KERNEL} or normed != network.channels[2:-1]:
        return None
    return network


def _widths(generator: _Network) -> tuple[int, int]:
    """Return the width, and the maximum of the maps' channels in units of it.

    Raises:
        ImportFileError: the channels do not double up to a maximum.
    """
    maps = generator.channels[-2:0:-1]  # from the image down
    width = maps[0]
    for multiplier in (MULTIPLIER, max(maps) // width):
        if maps == [min(2**k, multiplier) * width for k in range(len(maps))]:
            return width, multiplier
    raise ImportFileError(
        f"the generator has maps of {', '.join(map(str, maps))} channels. Those of architecture "
        "'dcgan' double each time the side is halved, up to a maximum: it cannot hold this model."
    )


def _generator(network: _Network) -> Weights:
    """Return the generator's weights: each layer is followed by BatchNorm and ReLU."""
    *hidden, last = network.convolutions
    weights: Weights = {}
    for k, (layer, norm) in enumerate(zip(hidden, network.norms, strict=True)):
        weights[f"layers.{3 * k}.weight"] = layer.tensor("weight")
        weights |= convert_batch_norm(f"layers.{3 * k + 1}", norm, layer.bias)
    return weights | _biased(f"layers.{3 * len(hidden)}", last, network.channels[-1])


def _discriminator(network: _Network) -> Weights:
    """Return the discriminator's weights: BatchNorm follows all layers but the first and last."""
    first, *hidden, last = network.convolutions
    weights = _biased("trunk.layers.0", first, network.channels[1])
    for k, (layer, norm) in enumerate(zip(hidden, network.norms, strict=True)):
        weights[f"trunk.layers.{3 * k + 2}.weight"] = layer.tensor("weight")
        weights |= convert_batch_norm(f"trunk.layers.{3 * k + 3}", norm, layer.bias)
    return weights | _biased("last", last, 1)


def _biased(ours: str, layer: Layer, outputs: int) -> Weights:
    """Return the weights of a layer that has a bias in the architecture."""
    zeros = Computed(partial(np.zeros, outputs, np.float32))
    return {f"{ours}.weight": layer.tensor("weight"), f"{ours}.bias": layer.bias or zeros}
