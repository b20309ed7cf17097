"""The adversarial game: a criterion on real and fake logits, penalties, and players."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ganzoo.games.ada import SMALLEST, AdaptiveAugmentation, AugmentedDiscriminator
from ganzoo.games.augmentation import augment, augment_pair
from ganzoo.games.game import LOSS, Batch, Loss, Player, Turn
from ganzoo.games.options import AdversarialOptions
from ganzoo.games.penalties import Comparison
from ganzoo.games.registered_penalties import build_penalties
from ganzoo.games.replay import RANDOM_STATE, replayed, starting_point
from ganzoo.nn import DiscriminatorOutput, at_least_fp32, call_discriminator, generate, inputs_of
from ganzoo.nn.layers import reads_images
from ganzoo.spec import DataSpec

MAX_CLIP_RATIO = 50  # root mean square of a discriminator's weights over the clipping bound


def _root_mean_square(network: nn.Module) -> float:
    """Return the root mean square of a network's weights, without biases (often 0 at first)."""
    weights = [w.detach().flatten() for w in network.parameters() if w.dim() > 1]
    return torch.cat(weights).square().mean().sqrt().item() if weights else 0.0


def _check_ada(nets: Mapping[str, nn.Module], data: DataSpec) -> None:
    """Raise a ValueError if adaptive augmentation does not support the images or the generator."""
    if min(data.image.height, data.image.width) < SMALLEST:
        raise ValueError(
            f"adaptive augmentation needs images with sides of at least {SMALLEST} pixels, and "
            f"these are {data.image}: remove --loss.ada"
        )
    if "condition" in inputs_of(nets["generator"]):
        raise ValueError(
            "adaptive augmentation would move images but not their conditions: remove --loss.ada, "
            "or use --loss.augmentation color translation cutout instead"
        )


def accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """Return the share of logits with the correct sign: real > 0, fake < 0."""
    return 0.5 * ((real > 0).float().mean() + (fake < 0).float().mean())


@dataclass(frozen=True)
class Criterion:
    """The losses of discriminator and generator, per logit. A higher logit means "looks real".

    Attributes:
        d: (real logits, fake logits) -> the discriminator's loss.
        g: (real logits, fake logits) -> the generator's loss.
        g_needs_real: whether `g` reads the real logits; if not, it receives the fake ones twice.
        has_labels: whether `d` compares each logit with a target label, which can be smoothed. The
            sign of a logit then says which label is nearer.
        boundary: with labels, the logit halfway between the labels of fake and real images.
        metrics: further values to log: name -> (real logits, fake logits) -> scalar.
    """

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor, Tensor], Tensor]
    g_needs_real: bool = False
    has_labels: bool = True
    boundary: float = 0.0
    metrics: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = field(
        default_factory=lambda: {"accuracy": accuracy}
    )


class WrappedDiscriminator:
    """A discriminator with the augmentation and noise of the options before it, and fp32 outputs.

    Args:
        network: the discriminator.
        options: the augmentation and the instance noise.
        progress: share of the training that is done, from 0 to 1.
        batch: labels and conditions of the images.
    """

    def __init__(
        self, network: nn.Module, options: AdversarialOptions, progress: float, batch: Batch
    ) -> None:
        self.network = network
        self.options = options
        self.noise = options.instance_noise * (1.0 - progress)
        self.batch = batch

    def __call__(self, images: Tensor) -> DiscriminatorOutput:
        """Return the output for images (n, channels, height, width), at least fp32."""
        condition, policies = self.batch.condition, self.options.augmentation
        if condition is not None and condition.shape[2:] == images.shape[2:]:
            images, condition = augment_pair(images, condition, policies)
        else:
            images = augment(images, policies)
        if self.noise > 0:
            images = images + self.noise * torch.randn_like(images)
        output = call_discriminator(self.network, images, y=self.batch.labels, condition=condition)
        if isinstance(output, Tensor):
            output = DiscriminatorOutput(output)
        heads = {name: at_least_fp32(head) for name, head in output.heads.items()}
        features = None if output.features is None else at_least_fp32(output.features)
        return DiscriminatorOutput(at_least_fp32(output.logits), features, heads)


class AdversarialLoss(Loss):
    """A game of a generator against a discriminator.

    Labels and conditions, where the data has them, go to each network that reads them. The fake
    images of a batch have the labels and conditions of its real images.

    Args:
        criterion: the losses of both players.
        options: penalties, number of turns, augmentation and noise.

    Raises:
        ValueError: label smoothing or adaptive augmentation with a criterion without labels.
        UnknownNameError, BrokenPluginError, ...: a penalty cannot be loaded or built.

    Attributes:
        heads_used: heads of the discriminator that the terms of this loss use.
        generator_reads_real: whether the generator's terms read real images even if its criterion
            does not.
        penalties: the penalties of `options` whose weight is not 0.
        ada: the adaptive augmentation, None without.
    """

    heads_used: frozenset[str] = frozenset()
    generator_reads_real: bool = False

    def __init__(self, criterion: Criterion, options: AdversarialOptions | None = None) -> None:
        super().__init__()
        options = options or AdversarialOptions()
        if options.label_smoothing and not criterion.has_labels:
            raise ValueError(
                "label_smoothing needs a loss that compares each logit with a label, and this one "
                "does not: --loss.label-smoothing 0"
            )
        if options.ada and not criterion.has_labels:
            raise ValueError(
                "ada needs a loss that compares each logit with a label, such as nonsaturating or "
                "hinge: in this one only differences of logits have a meaning, so their sign does "
                "not show that the discriminator overfits. Use --loss.augmentation color "
                "translation cutout"
            )
        self.criterion = criterion
        self.options = options
        self.ada = (
            AdaptiveAugmentation(options.ada_target, options.ada_images) if options.ada else None
        )
        self.follows_length = options.instance_noise > 0
        self.penalties = build_penalties(options)
        # Registers the state of penalties, so that it is saved and moved with the loss.
        self.penalty_modules = nn.ModuleList(p for p in self.penalties if isinstance(p, nn.Module))
        self.players = (
            Player(
                "discriminator",
                trains=("discriminator",),
                every=options.discriminator_every,
                repeat=options.discriminator_steps,
                keeps_graph_of=("generator",),
                reads_real=True,
            ),
            Player(
                "generator",
                trains=("generator",),
                reads_real=criterion.g_needs_real or self.generator_reads_real,
            ),
        )

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Check that the data is paired, that clipping keeps the weights, and that heads are used.

        Raises:
            ValueError: a generator with a condition on data without pairs, a clipping bound far
                below the discriminator's weights, a head that no term uses, or images that adaptive
                augmentation does not support.
        """
        if self.ada is not None:
            _check_ada(nets, data)
        if "condition" in inputs_of(nets["generator"]) and not data.paired:
            raise ValueError(
                "its generator needs paired images, and this dataset has none: choose another "
                "dataset, such as --dataset paired"
            )
        clipped = self._clipped(nets) if self.options.weight_clip else []
        size = max(map(_root_mean_square, clipped), default=0.0)
        if size > MAX_CLIP_RATIO * self.options.weight_clip:
            raise ValueError(
                f"clipping at {self.options.weight_clip:g} would erase the weights of its "
                f"discriminator, whose root mean square is {size:.2g}: --loss.weight-clip 1, or "
                "--loss.weight-clip 0 --loss.gp 10"
            )
        unused = set(getattr(nets.get("discriminator"), "heads", ())) - self.heads_used
        if "class" in unused:
            raise ValueError(
                "its discriminator predicts the class and this loss does not use it: --loss acgan, "
                "or --architecture.conditioning concat"
            )
        if unused:
            raise ValueError(
                "its discriminator predicts codes and this loss does not use them: --loss infogan, "
                "or --architecture.categorical-code 0 --architecture.continuous-codes 0"
            )

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the terms of the discriminator, which separates real images from fake ones."""
        fake, _ = self.fake_for_discriminator(nets["generator"], batch, turn)
        return self.discriminator_terms(
            self.judge_both(nets["discriminator"], fake, batch, turn), turn
        )

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the term of the generator, whose images should look real."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, _ = self.generator_terms(nets["discriminator"], fake, batch, turn)
        return {"adversarial": loss}

    def generate_fakes(
        self, generator: nn.Module, batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor | None]:
        """Return one fake image per real image of the batch, and their latents if it reads any."""
        z = turn.latents(len(batch)) if "z" in inputs_of(generator) else None
        return at_least_fp32(generate(generator, z=z, y=batch.labels, condition=batch.condition)), z

    def fake_for_discriminator(
        self, generator: nn.Module, batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor | None]:
        """Return detached fake images, and share them with the generator's turn.

        Images without a graph are shared as the starting point of the generator, see `replayed`.
        With `Turn.fresh_latents` nothing is shared.
        """
        if turn.fresh_latents:
            fake, z = self.generate_fakes(generator, batch, turn)
            return fake.detach(), z
        keeps_graph = any(weight.requires_grad for weight in generator.parameters())
        if not keeps_graph and not {"fake", RANDOM_STATE} & turn.shared.keys():
            turn.shared.update(starting_point(generator, batch.images.device))
        fake, z = self.generate_fakes(generator, batch, turn)
        if keeps_graph:
            turn.shared["fake"] = fake
            if z is not None:
                turn.shared["z"] = z
        return fake.detach(), z

    def fake_for_generator(
        self, generator: nn.Module, batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor | None]:
        """Return the fake images that the discriminator's turn shared, or generate new ones."""
        if "fake" in turn.shared:
            return turn.shared["fake"], turn.shared.get("z")
        if RANDOM_STATE not in turn.shared:
            return self.generate_fakes(generator, batch, turn)
        with replayed(generator, turn.shared, batch.images.device):
            return self.generate_fakes(generator, batch, turn)

    def wrap_discriminator(
        self, discriminator: nn.Module, batch: Batch, turn: Turn
    ) -> Callable[[Tensor], DiscriminatorOutput]:
        """Return the function that both players call, images -> output; override it to augment."""
        wrapped = WrappedDiscriminator(discriminator, self.options, turn.progress, batch)
        return wrapped if self.ada is None else AugmentedDiscriminator(wrapped, self.ada)

    def judge_both(
        self, discriminator: nn.Module, fake: Tensor, batch: Batch, turn: Turn
    ) -> Comparison:
        """Return the discriminator's outputs for the real images of a batch and for fake ones."""
        if self.ada is not None:  # to the turns before this one
            self.ada.adapt(turn.tick // self.options.discriminator_every, turn.images_seen)
            turn.metrics["augmentation"] = self.ada.probability.clone()
        discriminate, fake = self.wrap_discriminator(discriminator, batch, turn), fake.detach()
        real_output, fake_output = discriminate(batch.images), discriminate(fake)
        if self.ada is not None:
            sign = self.ada.observe(real_output.logits - self.criterion.boundary)
            turn.metrics["real_sign"] = sign
        return Comparison(discriminate, batch.images, fake, real_output, fake_output)

    def discriminator_terms(self, comparison: Comparison, turn: Turn) -> dict[str, Tensor]:
        """Return the discriminator's terms for one comparison."""
        real, fake = comparison.real_output.logits, comparison.fake_output.logits
        loss = self.criterion.d(real, fake)
        if self.options.label_smoothing:
            # d(r, f) = a(r) + b(f), so this adds b(r) - a(r) and a constant.
            zeros = torch.zeros_like(real)
            flipped = self.criterion.d(zeros, real) - self.criterion.d(real, zeros)
            loss = loss + self.options.label_smoothing * flipped
        terms = {"adversarial": loss}
        number = turn.tick // self.options.discriminator_every
        for penalty in self.penalties:
            terms |= penalty.term(comparison, number, turn)
        for name, metric in self.criterion.metrics.items():
            turn.metrics[name] = metric(real.detach(), fake.detach())
        return terms

    def generator_terms(
        self, discriminator: nn.Module, fake: Tensor, batch: Batch, turn: Turn
    ) -> tuple[Tensor, DiscriminatorOutput]:
        """Return the generator's loss for fake images, and the discriminator's output for them."""
        discriminate = self.wrap_discriminator(discriminator, batch, turn)
        output = discriminate(fake)
        real = discriminate(batch.images).logits if self.criterion.g_needs_real else output.logits
        return self.criterion.g(real, output.logits), output

    def constrain(self, player: Player, nets: Mapping[str, nn.Module]) -> None:
        """Clip the discriminator's weights after its update, if the options set `weight_clip`."""
        if self.options.weight_clip and player.name == "discriminator":
            bound = self.options.weight_clip
            with torch.no_grad():
                for net in self._clipped(nets):
                    for weight in net.parameters():
                        if weight.requires_grad:  # a frozen layer keeps its weights
                            weight.clamp_(-bound, bound)

    def _clipped(self, nets: Mapping[str, nn.Module]) -> list[nn.Module]:
        """Return the networks that the player `discriminator` trains and that read images."""
        players = [player for player in self.players if player.name == "discriminator"]
        roles = [role for player in players for role in player.trains if role != LOSS]
        return [nets[role] for role in roles if reads_images(nets[role])]
