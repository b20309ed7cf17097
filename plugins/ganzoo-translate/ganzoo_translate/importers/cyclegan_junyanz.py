"""CycleGAN's translator of the authors' PyTorch program, and the same network by other names.

The order and the shapes of the layers tell the network: 7x7, two halvings, residual blocks, two
doublings, 7x7. "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks"
(Zhu et al., 2017), appendix 7.2, https://arxiv.org/abs/1703.10593.
"""

from __future__ import annotations

from typing import NamedTuple

from ganzoo.importers import Checkpoint, Conversion, Importer, Layer, Weights, layers_of, select
from ganzoo_translate.importers.discriminators import (
    is_patch_discriminator,
    refuse_discriminator,
)
from ganzoo_translate.importers.shared import (
    PROJECT,
    Statistics,
    choose_norm,
    convert_norms,
    describe_translation,
    ignore,
)

OTHERS = 6  # convolutions outside of the residual blocks: three before and three after them


class CycleganJunyanz(Importer):
    """Converts a translator with residual blocks, such as ``latest_net_G_A.pth``."""

    project = PROJECT
    marks = frozenset(
        {"model.1.weight", "model.4.weight", "model.7.weight", "model.10.conv_block.1.weight"}
    )

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file has the layers of the network, or is a discriminator."""
        return _find(checkpoint) is not None or is_patch_discriminator(checkpoint, batch_norm=False)

    def convert(
        self,
        checkpoint: Checkpoint,
        *,
        height: int = 256,
        width: int = 256,
        statistics: Statistics = "stored",
    ) -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            height: height of the images, a multiple of 4. The network fits any size, and the file
                does not say which one it was trained on.
            width: width of the images, a multiple of 4.
            statistics: of BatchNorm, in a file that has it: ``stored`` in the file, or those of
                each ``image``, as in the project's test script without ``--eval``.

        Raises:
            ImportFileError: the file is a discriminator, or a size is out of its range.
        """
        network = _find(checkpoint)
        if network is None:
            refuse_discriminator("latest_net_G_A.pth")
        first, last = network.convolutions[0].shape, network.convolutions[-1].shape
        paired = bool(network.norms)  # the program's default for pairs is BatchNorm
        arguments: dict[str, int | str] = {"width": first[0], "blocks": network.blocks}
        if paired:
            arguments["generator_norm"] = choose_norm(network.norms, statistics)
        deviations = []
        if network.dropout:
            deviations.append("Without dropout, which the original leaves on except with --eval.")
        if not network.original:
            deviations.append(
                "Strides, paddings and instance normalisation are not in the file. They are those "
                "of the original program."
            )
        return Conversion(
            architecture="translator" if paired else "cyclegan",
            arguments=arguments,
            data=describe_translation(height, width, first[1], last[0], paired=paired),
            weights={"generator": _weights(network, statistics)},
            ignored=ignore(network.norms, statistics),
            options={
                "netG": f"resnet_{network.blocks}blocks",
                "ngf": first[0],
                "norm": "batch" if network.norms else "instance",
                "input_nc": first[1],
                "output_nc": last[0],
                "convolutions": ", ".join(layer.path for layer in network.convolutions),
            },
            deviations=tuple(deviations),
        )


class _Network(NamedTuple):
    """A translator: its convolutions and BatchNorm layers, in order."""

    convolutions: list[Layer]
    norms: list[Layer]

    @property
    def blocks(self) -> int:
        """Number of residual blocks."""
        return (len(self.convolutions) - OTHERS) // 2

    @property
    def original(self) -> bool:
        """Whether the layers have the original program's names."""
        paths = [layer.path for layer in self.convolutions]
        return paths[:3] == ["model.1", "model.4", "model.7"]

    @property
    def dropout(self) -> bool:
        """Whether the residual blocks of the original program have dropout."""
        return self.convolutions[4].path == "model.10.conv_block.6"


def _find(checkpoint: Checkpoint) -> _Network | None:
    """Return the translator if a file has exactly its layers, by order and shape."""
    layers = layers_of(checkpoint)
    network = _Network(select(layers, "convolution"), select(layers, "batch norm"))
    statistics = select(layers, "statistics")
    shapes = [layer.shape for layer in network.convolutions]
    blocks = network.blocks
    if blocks < 1 or len(network.convolutions) != OTHERS + 2 * blocks:
        return None
    if len(shapes) + len(network.norms) + len(statistics) < len(layers):
        return None
    (width, inputs, *_), outputs = shapes[0], shapes[-1][0]
    most = 4 * width
    expected = [
        (width, inputs, 7, 7),
        (2 * width, width, 3, 3),
        (most, 2 * width, 3, 3),
        *[(most, most, 3, 3)] * (2 * blocks),
        (most, 2 * width, 3, 3),  # transposed: input channels first
        (2 * width, width, 3, 3),
        (outputs, width, 7, 7),
    ]
    maps = [width, 2 * width, *[most] * (2 * blocks + 1), 2 * width, width]
    normed = [norm.shape[0] for norm in network.norms or statistics]
    if shapes != expected or (normed and normed != maps) or not network.convolutions[-1].bias:
        return None
    # In the original program, layers before instance normalisation have a bias, all others none.
    biases = {layer.bias is not None for layer in network.convolutions[:-1]}
    if network.norms:
        return network if biases == {False} and not statistics else None
    return network if biases == {True} or statistics else None


def _weights(network: _Network, statistics: Statistics) -> Weights:
    after = 10 + network.blocks  # index of the layer after the residual blocks
    ours = [
        *("layers.1", "layers.4", "layers.7"),
        *(f"layers.{k}.layers.{j}" for k in range(10, after) for j in (1, 5)),
        *(f"layers.{after}", f"layers.{after + 3}", f"layers.{after + 7}"),
    ]
    weights: Weights = {
        f"{name}.weight": layer.tensor("weight")
        for name, layer in zip(ours, network.convolutions, strict=True)
    }
    weights[f"{ours[-1]}.bias"] = network.convolutions[-1].tensor("bias")
    norms = {}
    if network.norms:  # instance normalisation has no weights
        norms = dict(zip(map(_after, ours[:-1]), network.norms, strict=True))
    return weights | convert_norms(norms, statistics)


def _after(name: str) -> str:
    """Return the name of the layer after one, such as ``layers.2`` for ``layers.1``."""
    path, _, number = name.rpartition(".")
    return f"{path}.{int(number) + 1}"
