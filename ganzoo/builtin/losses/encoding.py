"""Adversarial losses with an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn
from torch.nn.functional import mse_loss, softplus

from ganzoo.builtin.losses.adversarial import NONSATURATING
from ganzoo.builtin.losses.autoencoding import draw, encode, kl_from_standard_normal
from ganzoo.errors import IncompatibleCombinationError, enumerate_names
from ganzoo.games import (
    AdversarialLoss,
    AdversarialOptions,
    Batch,
    Loss,
    Player,
    Turn,
    WrappedDiscriminator,
    check_weight,
    with_adversarial_options,
)
from ganzoo.nn import at_least_fp32, generate

BIGAN_OPTIONS = ("discriminator_steps", "discriminator_every", "weight_clip")


class VaeGan(AdversarialLoss):
    """A VAE with a reconstruction error in the discriminator's features; see `vaegan`."""

    exported_roles = ("generator", "encoder")
    generator_reads_real = True

    def __init__(self, options: AdversarialOptions, reconstruction_weight: float) -> None:
        check_weight("reconstruction_weight", reconstruction_weight)
        super().__init__(NONSATURATING, options)
        self.reconstruction_weight = reconstruction_weight
        discriminator, generator = self.players
        encoder = Player("encoder", trains=("encoder",), reads_real=True)
        self.players = (discriminator, encoder, generator)

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial terms for samples, and for reconstructions."""
        fake, _ = self.fake_for_discriminator(nets["generator"], batch, turn)
        terms = self.discriminator_terms(
            self.judge_both(nets["discriminator"], fake, batch, turn), turn
        )
        _, _, reconstruction = self._reconstruct(nets, batch)
        discriminate = self.wrap_discriminator(nets["discriminator"], batch, turn)
        # Only the fake half of the loss: the terms above contain the real half.
        terms["reconstructed"] = softplus(discriminate(reconstruction.detach()).logits)
        return terms

    def encoder(self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn) -> dict[str, Tensor]:
        """Return the KL divergence, and the reconstruction error of the features."""
        mean, log_variance, reconstruction = self._reconstruct(nets, batch)
        return {
            "kl": kl_from_standard_normal(mean, log_variance),
            "features": self._feature_error(nets, reconstruction, batch, turn),
        }

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial terms, and the reconstruction error of the features."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, _ = self.generator_terms(nets["discriminator"], fake, batch, turn)
        _, _, reconstruction = self._reconstruct(nets, batch)
        reconstructed, _ = self.generator_terms(nets["discriminator"], reconstruction, batch, turn)
        features = self._feature_error(nets, reconstruction, batch, turn)
        return {
            "adversarial": loss,
            "reconstructed": reconstructed,
            "features": turn.weigh("features", self.reconstruction_weight, features),
        }

    def _reconstruct(
        self, nets: Mapping[str, nn.Module], batch: Batch
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = encode(nets["encoder"], batch.images)
        z = draw(mean, log_variance)
        reconstruction = generate(nets["generator"], z=z, y=batch.labels)
        return mean, log_variance, at_least_fp32(reconstruction)

    def _feature_error(
        self, nets: Mapping[str, nn.Module], reconstruction: Tensor, batch: Batch, turn: Turn
    ) -> Tensor:
        """Return -log N(Dis_l(x) | Dis_l(reconstruction), I) per sample, up to a constant."""
        # Without random augmentation, which would differ between the two.
        discriminate = WrappedDiscriminator(
            nets["discriminator"], AdversarialOptions(), turn.progress, batch
        )
        real = discriminate(batch.images).features
        fake = discriminate(reconstruction).features
        if real is None or fake is None:
            raise IncompatibleCombinationError(
                "loss 'vaegan' needs a discriminator that returns its features, and this one does "
                "not. Use another loss or architecture; `ganzoo list` names them."
            )
        return 0.5 * mse_loss(fake, real, reduction="none").flatten(1).sum(1)


class BiGan(AdversarialLoss):
    """A discriminator of (image, latent), with an encoder beside the generator; see `bigan`."""

    exported_roles = ("generator", "encoder")

    def __init__(self, options: AdversarialOptions) -> None:
        if options != replace(
            AdversarialOptions(), **{name: getattr(options, name) for name in BIGAN_OPTIONS}
        ):
            raise ValueError(
                "its discriminator reads images together with latents, so it supports only the "
                f"options {enumerate_names(BIGAN_OPTIONS)}: remove the others"
            )
        super().__init__(NONSATURATING, options)
        self.players = (
            Player(
                "discriminator",
                trains=("joint_discriminator",),
                every=options.discriminator_every,
                repeat=options.discriminator_steps,
                reads_real=True,
            ),
            Player("generator", trains=("generator", "encoder"), reads_real=True),
        )

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the term that separates (x, E(x)) from (G(z), z)."""
        encoded, generated = self._joint_logits(nets, batch, turn)
        for name, metric in self.criterion.metrics.items():
            turn.metrics[name] = metric(encoded.detach(), generated.detach())
        return {"adversarial": self.criterion.d(encoded, generated)}

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the same term with the two sides exchanged."""
        encoded, generated = self._joint_logits(nets, batch, turn)
        return {"adversarial": self.criterion.d(generated, encoded)}

    def _joint_logits(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor]:
        mean, _ = encode(nets["encoder"], batch.images)
        fake, z = self.generate_fakes(nets["generator"], batch, turn)
        discriminate = nets["joint_discriminator"]
        encoded, generated = discriminate(batch.images, mean), discriminate(fake, z)
        return at_least_fp32(encoded), at_least_fp32(generated)


@with_adversarial_options()
def vaegan(options: AdversarialOptions, *, reconstruction_weight: float = 1e-2) -> Loss:
    """VAE/GAN: a VAE that measures reconstructions in the features of a discriminator.

    With features f of the discriminator and a reconstruction r = G(E(x)):

        discriminator: -log D(x) - log(1 - D(G(z))) - log(1 - D(r))
        encoder:       KL(N(m, s^2) || N(0, 1)) + |f(x) - f(r)|^2 / 2
        generator:     -log D(G(z)) - log D(r) + reconstruction_weight |f(x) - f(r)|^2 / 2

    "Autoencoding beyond pixels using a learned similarity metric" (Larsen et al., 2016),
    algorithm 1, https://arxiv.org/abs/1512.09300. Two things differ: there the generator minimises
    log(1 - D), whose gradient vanishes where the discriminator is sure, and all losses come from
    one pass; here the players take turns. In both, all networks use the same images and latents,
    here without ``fresh_latents``.

    Args:
        reconstruction_weight: weight of the features in the generator's loss, the paper's gamma;
            the adversarial term has weight 1.
    """
    return VaeGan(options, reconstruction_weight)


@with_adversarial_options()
def bigan(options: AdversarialOptions) -> Loss:
    """BiGAN: an encoder learns to invert the generator, against a discriminator of (image, latent).

        discriminator:         -log D(x, E(x)) - log(1 - D(G(z), z))
        generator and encoder: -log D(G(z), z) - log(1 - D(x, E(x)))

    "Adversarial Feature Learning" (Donahue et al., 2017), equation 3,
    https://arxiv.org/abs/1605.09782. Needs an architecture with a ``joint_discriminator``.
    """
    return BiGan(options)
