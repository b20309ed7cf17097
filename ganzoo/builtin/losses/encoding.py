"""Adversarial losses with an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn
from torch.nn.functional import mse_loss

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

TURNS = ("discriminator_steps", "discriminator_every", "weight_clip")


class VaeGan(AdversarialLoss):
    """A VAE whose reconstructions are compared in the discriminator's features; see `vaegan`."""

    exported_roles = ("generator", "encoder")

    def __init__(self, options: AdversarialOptions, reconstruction_weight: float) -> None:
        check_weight("reconstruction_weight", reconstruction_weight)
        super().__init__(NONSATURATING, options)
        self.reconstruction_weight = reconstruction_weight
        discriminator, generator = self.players
        self.players = (discriminator, Player("encoder", trains=("encoder",)), generator)

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Tell real images from those of drawn latents and from reconstructions."""
        fake, _ = self.fake_for_discriminator(nets["generator"], batch, turn)
        terms = self.discriminator_terms(
            self.judge_both(nets["discriminator"], fake, batch, turn), turn
        )
        _, _, rebuilt = self._rebuild(nets, batch)
        discriminate = WrappedDiscriminator(
            nets["discriminator"], self.options, turn.progress, batch
        )
        # Only its half on fakes: the real images are counted above.
        terms["reconstructed"] = nn.functional.softplus(discriminate(rebuilt.detach()).logits)
        return terms

    def encoder(self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn) -> dict[str, Tensor]:
        """Stay near N(0, I) and let the generator rebuild the features."""
        mean, log_variance, rebuilt = self._rebuild(nets, batch)
        return {
            "kl": kl_from_standard_normal(mean, log_variance),
            "features": self._features(nets, rebuilt, batch, turn),
        }

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Be taken for real and rebuild the features."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, _ = self.generator_terms(nets["discriminator"], fake, batch, turn)
        _, _, rebuilt = self._rebuild(nets, batch)
        judged, _ = self.generator_terms(nets["discriminator"], rebuilt, batch, turn)
        features = self._features(nets, rebuilt, batch, turn)
        return {
            "adversarial": loss,
            "reconstructed": judged,
            "features": self.reconstruction_weight * features,
        }

    def _rebuild(
        self, nets: Mapping[str, nn.Module], batch: Batch
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = encode(nets["encoder"], batch.images)
        z = draw(mean, log_variance)
        rebuilt = generate(nets["generator"], z=z, y=batch.labels)
        return mean, log_variance, at_least_fp32(rebuilt)

    def _features(
        self, nets: Mapping[str, nn.Module], rebuilt: Tensor, batch: Batch, turn: Turn
    ) -> Tensor:
        """-log N(Dis_l(x) | Dis_l(rebuilt), I) of each sample, up to a constant."""
        # Without the options' random changes, which would differ between the two.
        discriminate = WrappedDiscriminator(
            nets["discriminator"], AdversarialOptions(), turn.progress, batch
        )
        real, made = discriminate(batch.images).features, discriminate(rebuilt).features
        if real is None or made is None:
            raise IncompatibleCombinationError(
                "loss 'vaegan' needs a discriminator that returns its features"
            )
        return 0.5 * mse_loss(made, real, reduction="none").flatten(1).sum(1)


class BiGan(AdversarialLoss):
    """Pairs of image and latent, encoded or generated; see `bigan`."""

    exported_roles = ("generator", "encoder")

    def __init__(self, options: AdversarialOptions) -> None:
        if options != replace(
            AdversarialOptions(), **{name: getattr(options, name) for name in TURNS}
        ):
            raise ValueError(
                "its discriminator judges pairs of image and latent: of the options it takes "
                f"{enumerate_names(TURNS)} alone"
            )
        super().__init__(NONSATURATING, options)
        self.players = (
            Player(
                "discriminator",
                trains=("joint_discriminator",),
                every=options.discriminator_every,
                repeat=options.discriminator_steps,
            ),
            Player("generator", trains=("generator", "encoder")),
        )

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Tell (x, E(x)) from (G(z), z)."""
        encoded, made = self._judge(nets, batch, turn)
        for name, metric in self.criterion.metrics.items():
            turn.metrics[name] = metric(encoded.detach(), made.detach())
        return {"adversarial": self.criterion.d(encoded, made)}

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Have the two kinds of pairs taken for each other."""
        encoded, made = self._judge(nets, batch, turn)
        return {"adversarial": self.criterion.d(made, encoded)}

    def _judge(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor]:
        mean, _ = encode(nets["encoder"], batch.images)
        fake, z = self.generate_fakes(nets["generator"], batch, turn)
        discriminate = nets["joint_discriminator"]
        encoded, made = discriminate(batch.images, mean), discriminate(fake, z)
        return at_least_fp32(encoded), at_least_fp32(made)


@with_adversarial_options()
def vaegan(options: AdversarialOptions, *, reconstruction_weight: float = 1e-2) -> Loss:
    """A VAE that measures its reconstructions in a discriminator's features.

    "Autoencoding beyond pixels using a learned similarity metric" (Larsen et al., 2016),
    algorithm 1, https://arxiv.org/abs/1512.09300.

    Args:
        reconstruction_weight: gamma, of the features against the adversarial term in the
            generator's loss.
    """
    return VaeGan(options, reconstruction_weight)


@with_adversarial_options()
def bigan(options: AdversarialOptions) -> Loss:
    """A discriminator of (image, latent) pairs teaches an encoder the generator's inverse.

    "Adversarial Feature Learning" (Donahue et al., 2017), equation 3,
    https://arxiv.org/abs/1605.09782. Needs an architecture with a ``joint_discriminator``.
    """
    return BiGan(options)
