"""Autoencoder of multilayer perceptrons."""

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
    https://arxiv.org/abs/1312.6114, with ReLU instead of tanh.

    Args:
        data: spec of the images.
        latent_dim: length of z, the bottleneck.
        width: units of each hidden layer.
        depth: number of hidden layers in each network, 1 to 64.
        slope: negative slope of LeakyReLU; 0 is ReLU.
        discriminator: ``none``; ``image`` for the loss vaegan; or ``joint`` for the loss bigan,
            which judges an image and its latent together.

    Returns:
        ``encoder``: images -> mean and log-variance (n, latent_dim) each.
        ``generator``: z (n, latent_dim) -> images (n, channels, height, width) in [-1, 1].
        ``discriminator`` or ``joint_discriminator`` if requested.

    Raises:
        ArchitectureError: an argument is out of range.
    """
    check("mlp-autoencoder", latent_dim, width, depth)
    image = data.image
    encoder, trunk = (make_trunk(image, 0, width, depth, slope) for _ in range(2))
    nets: dict[str, nn.Module] = {
        "encoder": GaussianEncoder(encoder, width, latent_dim),
        "generator": Generator(image, latent_dim, [width] * depth, slope),
    }
    if discriminator == "image":
        nets["discriminator"] = ConditioningHeads(data).discriminator(
            trunk, nn.Linear(width, 1), width
        )
    elif discriminator == "joint":
        nets["joint_discriminator"] = JointDiscriminator(trunk, width, latent_dim, width)
    return nets
