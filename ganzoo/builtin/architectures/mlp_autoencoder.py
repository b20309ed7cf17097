"""Fully connected encoder and decoder."""

from __future__ import annotations

from torch import nn

from ganzoo import DataSpec
from ganzoo.builtin.architectures.mlp import Generator, check, make_trunk
from ganzoo.nn import ConditioningHeads, DiscriminatorKind, GaussianEncoder, JointDiscriminator


def mlp_autoencoder(
    data: DataSpec,
    *,
    latent_dim: int = 10,
    width: int = 500,
    depth: int = 1,
    slope: float = 0.0,
    discriminator: DiscriminatorKind = "none",
) -> dict[str, nn.Module]:
    """Multilayer perceptrons as encoder and decoder, for images of any size.

    The sizes are those of "Auto-Encoding Variational Bayes" (Kingma and Welling, 2013), section 5,
    https://arxiv.org/abs/1312.6114, with rectified units for its tanh.

    Args:
        data: the images.
        latent_dim: length of z, the bottleneck.
        width: units of a hidden layer.
        depth: hidden layers in each network.
        slope: of LeakyReLU; 0 is ReLU.
        discriminator: ``none``, of an ``image`` for the loss vaegan, or ``joint`` of an image and
            its latent for the loss bigan.

    Returns:
        ``encoder``: images -> mean and log-variance (n, latent_dim) each.
        ``generator``: z (n, latent_dim) -> images (n, channels, height, width) in [-1, 1].
        ``discriminator`` or ``joint_discriminator`` where asked for.

    Raises:
        ArchitectureError: an argument below 1.
    """
    check("mlp-autoencoder", latent_dim, width, depth)
    image = data.image
    encoding, judging = (make_trunk(image, 0, width, depth, slope) for _ in range(2))
    nets: dict[str, nn.Module] = {
        "encoder": GaussianEncoder(encoding, width, latent_dim),
        "generator": Generator(image, latent_dim, width, depth, slope),
    }
    if discriminator == "image":
        nets["discriminator"] = ConditioningHeads(data).discriminator(
            judging, nn.Linear(width, 1), width
        )
    elif discriminator == "joint":
        nets["joint_discriminator"] = JointDiscriminator(judging, width, latent_dim, width)
    return nets
