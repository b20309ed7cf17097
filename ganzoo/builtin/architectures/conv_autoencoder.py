"""Convolutional autoencoder with the layers of DCGAN."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ganzoo import DataSpec
from ganzoo.builtin.architectures.dcgan import AFTER_TRUNK, Generator, Trunk, check
from ganzoo.errors import ArchitectureError
from ganzoo.nn import ConditioningHeads, DiscriminatorKind, GaussianEncoder, JointDiscriminator


class Decoder(nn.Sequential):
    """A fully connected hidden layer, and DCGAN's generator: z -> images."""

    def forward(self, z: Tensor, logits: bool = False) -> Tensor:
        """Return images x (n, channels, height, width) in [-1, 1], or l with x = tanh(l / 2)."""
        linear, relu, generator = self
        images: Tensor = generator(relu(linear(z)), logits)
        return images


def conv_autoencoder(
    data: DataSpec,
    *,
    latent_dim: int = 10,
    width: int = 32,
    hidden: int = 64,
    discriminator: DiscriminatorKind = "none",
) -> dict[str, nn.Module]:
    """Convolutional encoder and decoder with DCGAN's layers, and an optional discriminator.

    The layers are those of Radford et al. (2016), https://arxiv.org/abs/1511.06434, plus a fully
    connected hidden layer next to the bottleneck, which lets a latent of low dimension describe
    curved manifolds.

    Args:
        data: spec of the images: sides of 16 to 256 pixels, any number of channels.
        latent_dim: length of z, the bottleneck.
        width: channels of the map next to the image. They double each time the side is halved.
        hidden: units of the fully connected layer next to the bottleneck.
        discriminator: ``none``; ``image`` for the loss vaegan; or ``joint`` for the loss bigan,
            which judges an image and its latent together.

    Returns:
        ``encoder``: images -> mean and log-variance (n, latent_dim) each.
        ``generator``: z (n, latent_dim) -> images (n, channels, height, width) in [-1, 1].
        ``discriminator`` or ``joint_discriminator`` if requested, without BatchNorm.

    Raises:
        ArchitectureError: the image size is not supported, or an argument is below 1.
    """
    image, size = data.image, (data.image.height, data.image.width)
    check("conv-autoencoder", "mlp-autoencoder", data, latent_dim, width)
    if hidden < 1:
        raise ArchitectureError(
            f"architecture 'conv-autoencoder' cannot be built with hidden={hidden}. Use "
            "--architecture.hidden 1 or more."
        )

    def trunk(normalise: bool) -> Trunk:
        return Trunk(image.channels, width, size, normalise=normalise)

    encoder_trunk, discriminator_trunk = trunk(normalise=True), trunk(normalise=False)
    features = encoder_trunk.features * math.prod(encoder_trunk.size)
    encoder = nn.Sequential(encoder_trunk, nn.Flatten(), nn.Linear(features, hidden), nn.ReLU())
    nets: dict[str, nn.Module] = {
        "encoder": GaussianEncoder(encoder, hidden, latent_dim),
        "generator": Decoder(
            nn.Linear(latent_dim, hidden),
            nn.ReLU(),
            Generator(hidden, image.channels, width, size),
        ),
    }
    if discriminator == "image":
        last = nn.Conv2d(discriminator_trunk.features, 1, discriminator_trunk.size)
        judge = ConditioningHeads(data).discriminator(
            discriminator_trunk, last, discriminator_trunk.features
        )
        judge.aligned_at = AFTER_TRUNK
        nets["discriminator"] = judge
    elif discriminator == "joint":
        nets["joint_discriminator"] = JointDiscriminator(
            discriminator_trunk, features, latent_dim, hidden
        )
    return nets
