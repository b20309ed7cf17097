"""What the architectures share: their scale, images in [-1, 1], and the discriminator."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Literal

import torch
from torch import Tensor, nn

from ganzoo import DataSpec, ImageSpec, SizesSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import DiscriminatorOutput
from ganzoo_restore.windows import any_batch

DiscriminatorOption = Literal["vgg", "none"]
SLOPE = 0.2  # of the leaky ReLUs of all discriminators, and of RRDBNet
STAGES = 4  # of the discriminator; each halves the sides


class Restorer(nn.Module):
    """A network that reads and returns images in [0, 1], as one of images in [-1, 1].

    Args:
        network: the network.
        sizes: the sizes of images that it reads.
    """

    def __init__(self, network: nn.Module, sizes: SizesSpec) -> None:
        super().__init__()
        self.network = network
        self.sizes = sizes

    def forward(self, condition: Tensor) -> Tensor:
        """Return images (n, channels, height, width), clamped to [-1, 1] in eval mode."""
        with any_batch(self.network) if torch.compiler.is_exporting() else nullcontext():
            images = self.network(condition / 2 + 0.5)
        if isinstance(images, tuple):  # with an estimate of the degradation
            images = images[0]
        images = images * 2 - 1
        result: Tensor = images if self.training else images.clamp(-1, 1)
        return result


class VGGDiscriminator(nn.Module):
    """The discriminator of SRGAN and ESRGAN: images -> one logit.

    "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network" (Ledig et
    al., 2017), figure 4, https://arxiv.org/abs/1609.04802: pairs of convolutions of kernel size 3,
    the second with stride 2, then two linear layers.

    Args:
        image: size of the images.
        width: channels of the first map. They double in each later stage.
    """

    def __init__(self, image: ImageSpec, width: int) -> None:
        super().__init__()
        layers = [nn.Conv2d(image.channels, width, 3, 1, 1), nn.LeakyReLU(SLOPE)]
        channels = width
        for stage in range(STAGES):
            if stage:
                layers += _normalised(channels, 2 * channels, stride=1)
                channels *= 2
            layers += _normalised(channels, channels, stride=2)
        self.body = nn.Sequential(*layers)
        rows, columns = (math.ceil(side / 2**STAGES) for side in (image.height, image.width))
        self.hidden = nn.Linear(channels * rows * columns, 16 * width)
        self.last = nn.Linear(16 * width, 1)

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Return logits (n,) and features (n, 16 * width) of (n, channels, height, width)."""
        features = nn.functional.leaky_relu(self.hidden(self.body(images).flatten(1)), SLOPE)
        return DiscriminatorOutput(self.last(features).flatten(), features)


def _normalised(channels: int, features: int, stride: int) -> list[nn.Module]:
    # A bias before a normalisation has no effect.
    convolution = nn.Conv2d(channels, features, 3, stride, 1, bias=False)
    return [convolution, nn.BatchNorm2d(features), nn.LeakyReLU(SLOPE)]


def condition_of(name: str, data: DataSpec) -> ImageSpec:
    """Return the size of the condition images.

    Args:
        name: registered name of the architecture, for errors.
        data: spec of the data.

    Raises:
        ArchitectureError: the data has no condition images.
    """
    if data.condition is None:
        raise ArchitectureError(
            f"architecture {name!r} restores images, but this data has no condition images. Use "
            "a dataset with conditions, such as --dataset degraded."
        )
    return data.condition


def scale_of(name: str, data: DataSpec) -> int:
    """Return the factor of the sides of images and of their conditions.

    Args:
        name: registered name of the architecture, for errors.
        data: spec of the data.

    Raises:
        ArchitectureError: the data has no condition images, or the factor is no integer.
    """
    condition, image = condition_of(name, data), data.image
    scale = image.height // condition.height
    if (image.height, image.width) != (scale * condition.height, scale * condition.width):
        raise ArchitectureError(
            f"architecture {name!r} cannot make images of {image} from conditions of "
            f"{condition}: both sides are multiplied by one integer. Resize one of them."
        )
    return scale


def count_doublings(name: str, data: DataSpec) -> int:
    """Return how often the sides of conditions double until they are those of the images.

    Raises:
        ArchitectureError: as for `scale_of`, or the factor is no power of two.
    """
    scale = scale_of(name, data)
    if scale & (scale - 1):
        raise ArchitectureError(
            f"architecture {name!r} cannot multiply sides by {scale}. Use data with a scale of "
            "1, 2, 4, 8 or 16, such as --dataset degraded --dataset.scale 4."
        )
    return scale.bit_length() - 1


def check_counts(name: str, **counts: int) -> None:
    """Check that numbers of channels and blocks are 1 to 1024.

    Raises:
        ArchitectureError: one is not.
    """
    for argument, value in counts.items():
        if not 1 <= value <= 1024:
            raise ArchitectureError(
                f"architecture {name!r} cannot be built with {argument}={value}. Use "
                f"--architecture.{argument} 1 to 1024."
            )


def with_discriminator(
    network: nn.Module, sizes: SizesSpec, data: DataSpec, kind: DiscriminatorOption, width: int
) -> dict[str, nn.Module]:
    """Return the networks of an architecture by role.

    Args:
        network: the generator, which reads and returns images in [0, 1].
        sizes: the sizes of images that it reads.
        data: spec of the data.
        kind: ``vgg`` for a `VGGDiscriminator`, or ``none``.
        width: channels of its first map.
    """
    nets: dict[str, nn.Module] = {"generator": Restorer(network, sizes)}
    if kind == "vgg":
        nets["discriminator"] = VGGDiscriminator(data.image, width)
    return nets
