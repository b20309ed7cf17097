"""DCGAN's networks as encoder and decoder."""

from __future__ import annotations

from torch import nn

from ganzoo import DataSpec
from ganzoo.builtin.architectures.dcgan import Generator, Trunk, check
from ganzoo.errors import ArchitectureError
from ganzoo.nn import ConditioningHeads, DiscriminatorKind, GaussianEncoder, JointDiscriminator


def conv_autoencoder(
    data: DataSpec,
    *,
    latent_dim: int = 10,
    width: int = 32,
    hidden: int = 64,
    discriminator: DiscriminatorKind = "none",
) -> dict[str, nn.Module]:
    """Convolutional encoder and decoder with DCGAN's layers, and a discriminator if one is needed.

    The layers are those of Radford et al. (2016), https://arxiv.org/abs/1511.06434, with a fully
    connected one next to the bottleneck, without which a plane of latents could only bend once.

    Args:
        data: the images, square, 16 to 256 pixels a side, any number of channels.
        latent_dim: length of z, the bottleneck.
        width: channels of the map next to the image; each halving of the side doubles them.
        hidden: units of the fully connected layer beside the bottleneck.
        discriminator: ``none``, of an ``image`` for the loss vaegan, or ``joint`` of an image and
            its latent for the loss bigan.

    Returns:
        ``encoder``: images -> mean and log-variance (n, latent_dim) each.
        ``generator``: z (n, latent_dim) -> images (n, channels, side, side) in [-1, 1].
        ``discriminator`` or ``joint_discriminator`` where asked for, without BatchNorm.

    Raises:
        ArchitectureError: another size of image, or an argument below 1.
    """
    image = data.image
    check("conv-autoencoder", "mlp-autoencoder", data, latent_dim, width)
    if hidden < 1:
        raise ArchitectureError(f"architecture 'conv-autoencoder': hidden={hidden} is below 1.")

    def trunk(normalise: bool) -> Trunk:
        return Trunk(image.channels, width, image.height, normalise=normalise)

    encoding, judging = trunk(normalise=True), trunk(normalise=False)
    features = encoding.features * encoding.side**2
    squeezed = nn.Sequential(encoding, nn.Flatten(), nn.Linear(features, hidden), nn.ReLU())
    nets: dict[str, nn.Module] = {
        "encoder": GaussianEncoder(squeezed, hidden, latent_dim),
        "generator": nn.Sequential(
            nn.Linear(latent_dim, hidden),
            nn.ReLU(),
            Generator(hidden, image.channels, width, image.height),
        ),
    }
    if discriminator == "image":
        last = nn.Conv2d(judging.features, 1, judging.side)
        nets["discriminator"] = ConditioningHeads(data).discriminator(
            judging, last, judging.features
        )
    elif discriminator == "joint":
        nets["joint_discriminator"] = JointDiscriminator(judging, features, latent_dim, hidden)
    return nets
