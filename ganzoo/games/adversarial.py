"""The adversarial game: a criterion on both logits, penalties, and turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ganzoo.games.augmentation import augment, augment_pair
from ganzoo.games.game import LOSS, Batch, Loss, Player, Turn
from ganzoo.games.options import AdversarialOptions
from ganzoo.games.penalties import Comparison
from ganzoo.games.registered_penalties import build_penalties
from ganzoo.nn import DiscriminatorOutput, at_least_fp32, call_discriminator, generate, inputs_of
from ganzoo.spec import DataSpec

MOST_CLIPPED = 50  # size of a discriminator's weights, in units of where they are clipped


def _root_mean_square(network: nn.Module) -> float:
    """The size of a network's weights; biases, which often begin with 0, aside."""
    weights = [w.detach().flatten() for w in network.parameters() if w.dim() > 1]
    return torch.cat(weights).square().mean().sqrt().item() if weights else 0.0


def accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """Share of logits on the right side of 0."""
    return 0.5 * ((real > 0).float().mean() + (fake < 0).float().mean())


@dataclass(frozen=True)
class Criterion:
    """What each side minimises, per logit. A logit goes up when an image looks real.

    Attributes:
        d: (real logits, fake logits) -> the discriminator's loss.
        g: (real logits, fake logits) -> the generator's loss.
        g_needs_real: whether `g` reads the real logits; if not it is given the fake ones twice.
        has_labels: whether `d` compares logits one by one with what they should be: such labels
            can be smoothed.
        metrics: what else is logged of the discriminator: name -> (real, fake) -> scalar.
    """

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor, Tensor], Tensor]
    g_needs_real: bool = False
    has_labels: bool = True
    metrics: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = field(
        default_factory=lambda: {"accuracy": accuracy}
    )


class WrappedDiscriminator:
    """A discriminator as the game uses it: the options' changes to images before it, fp32 after.

    Args:
        network: the discriminator.
        options: what is done to the images.
        progress: share of the training that is done.
        batch: whose labels and conditions the images are judged by.
    """

    def __init__(
        self, network: nn.Module, options: AdversarialOptions, progress: float, batch: Batch
    ) -> None:
        self.network = network
        self.options = options
        self.noise = options.instance_noise * (1.0 - progress)
        self.batch = batch

    def __call__(self, images: Tensor) -> DiscriminatorOutput:
        """Judge images (n, channels, height, width); what is said is at least fp32."""
        condition, policies = self.batch.condition, self.options.augmentation
        if condition is not None and condition.shape[2:] == images.shape[2:]:
            images, condition = augment_pair(images, condition, policies)
        else:
            images = augment(images, policies)
        if self.noise > 0:
            images = images + self.noise * torch.randn_like(images)
        answer = call_discriminator(self.network, images, y=self.batch.labels, condition=condition)
        if isinstance(answer, Tensor):
            answer = DiscriminatorOutput(answer)
        heads = {name: at_least_fp32(head) for name, head in answer.heads.items()}
        features = None if answer.features is None else at_least_fp32(answer.features)
        return DiscriminatorOutput(at_least_fp32(answer.logits), features, heads)


class AdversarialLoss(Loss):
    """Generator against discriminator.

    Labels and conditions, where the data has them, reach whichever network reads them: the
    fake images of a batch have its labels and its conditions.

    Args:
        criterion: what they minimise.
        options: penalties, turns, and what is done to the images.

    Raises:
        ValueError: label smoothing of a criterion without labels.
        UnknownNameError, BrokenPluginError, ...: a penalty cannot be loaded or built.

    Attributes:
        asks: heads of the discriminator whose answers its terms use.
        penalties: the penalties whose weight is not 0, as `options` has them.
    """

    asks: frozenset[str] = frozenset()

    def __init__(self, criterion: Criterion, options: AdversarialOptions | None = None) -> None:
        super().__init__()
        options = options or AdversarialOptions()
        if options.label_smoothing and not criterion.has_labels:
            raise ValueError(
                "label_smoothing is for a criterion that judges images one by one, by labels"
            )
        self.criterion = criterion
        self.options = options
        self.penalties = build_penalties(options)
        # The state of a penalty is saved, moved and trained as the loss's own.
        self.penalty_modules = nn.ModuleList(p for p in self.penalties if isinstance(p, nn.Module))
        self.players = (
            Player(
                "discriminator",
                trains=("discriminator",),
                every=options.discriminator_every,
                repeat=options.discriminator_steps,
                keeps_graph_of=("generator",),
            ),
            Player("generator", trains=("generator",)),
        )

    def check(self, nets: Mapping[str, nn.Module], data: DataSpec) -> None:
        """Need pairs where pairs are judged, and a discriminator that weight clipping leaves alive.

        Also refuse a discriminator's head that nobody asks.

        Raises:
            ValueError: says what is missing and what to choose.
        """
        if "condition" in inputs_of(nets["generator"]) and not data.paired:
            raise ValueError(
                "it needs pairs of images, and this data has none: choose another dataset, such as "
                "--dataset paired"
            )
        clipped = [nets[role] for role in self._clipped] if self.options.weight_clip else []
        size = max(map(_root_mean_square, clipped), default=0.0)
        if size > MOST_CLIPPED * self.options.weight_clip:
            raise ValueError(
                f"clipping at {self.options.weight_clip:g} would leave next to nothing of its "
                f"discriminator's weights, which are of size {size:.2g}: --loss.weight-clip 1, or "
                "--loss.weight-clip 0 --loss.gp 10"
            )
        idle = set(getattr(nets.get("discriminator"), "heads", ())) - self.asks
        if "class" in idle:
            raise ValueError(
                "its discriminator tells the class and nothing asks it: --loss acgan, or "
                "--architecture.conditioning concat"
            )
        if idle:
            raise ValueError(
                "its discriminator tells codes and nothing asks it: --loss infogan, or "
                "--architecture.categorical-code 0 --architecture.continuous-codes 0"
            )

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Tell real from fake."""
        fake, _ = self.fake_for_discriminator(nets["generator"], batch, turn)
        return self.discriminator_terms(
            self.judge_both(nets["discriminator"], fake, batch, turn), turn
        )

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Be taken for real."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, _ = self.generator_terms(nets["discriminator"], fake, batch, turn)
        return {"adversarial": loss}

    def generate_fakes(
        self, generator: nn.Module, batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor | None]:
        """Return as many fake images as the batch has real ones, and their latents."""
        z = turn.latents(len(batch)) if "z" in inputs_of(generator) else None
        return at_least_fp32(generate(generator, z=z, y=batch.labels, condition=batch.condition)), z

    def fake_for_discriminator(
        self, generator: nn.Module, batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor | None]:
        """Return detached fake images; share them with the generator's turn if it may use them."""
        fake, z = self.generate_fakes(generator, batch, turn)
        if fake.requires_grad:
            turn.shared["fake"] = fake
            if z is not None:
                turn.shared["z"] = z
        return fake.detach(), z

    def fake_for_generator(
        self, generator: nn.Module, batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor | None]:
        """Return the fake images of this tick that were handed on, or make some."""
        if "fake" in turn.shared:
            return turn.shared["fake"], turn.shared.get("z")
        return self.generate_fakes(generator, batch, turn)

    def wrap_discriminator(
        self, discriminator: nn.Module, batch: Batch, turn: Turn
    ) -> Callable[[Tensor], DiscriminatorOutput]:
        """Return a discriminator as both players use it: images -> output."""
        return WrappedDiscriminator(discriminator, self.options, turn.progress, batch)

    def judge_both(
        self, discriminator: nn.Module, fake: Tensor, batch: Batch, turn: Turn
    ) -> Comparison:
        """Let a discriminator judge a batch's images and fake ones."""
        discriminate, fake = self.wrap_discriminator(discriminator, batch, turn), fake.detach()
        return Comparison(
            discriminate, batch.images, fake, discriminate(batch.images), discriminate(fake)
        )

    def discriminator_terms(self, comparison: Comparison, turn: Turn) -> dict[str, Tensor]:
        """Return the discriminator's terms for one comparison."""
        real, fake = comparison.real_output.logits, comparison.fake_output.logits
        loss = self.criterion.d(real, fake)
        if self.options.label_smoothing:
            # d(r, f) = a(r) + b(f), so this adds b(r) - a(r) and a constant.
            nothing = torch.zeros_like(real)
            flipped = self.criterion.d(nothing, real) - self.criterion.d(real, nothing)
            loss = loss + self.options.label_smoothing * flipped
        terms = {"adversarial": loss}
        for penalty in self.penalties:
            terms |= penalty.term(comparison, turn.tick // self.options.discriminator_every)
        for name, metric in self.criterion.metrics.items():
            turn.metrics[name] = metric(real.detach(), fake.detach())
        return terms

    def generator_terms(
        self, discriminator: nn.Module, fake: Tensor, batch: Batch, turn: Turn
    ) -> tuple[Tensor, DiscriminatorOutput]:
        """Return the generator's loss for fake images, and what was said of them."""
        discriminate = self.wrap_discriminator(discriminator, batch, turn)
        said = discriminate(fake)
        real = discriminate(batch.images).logits if self.criterion.g_needs_real else said.logits
        return self.criterion.g(real, said.logits), said

    def constrain(self, player: Player, nets: Mapping[str, nn.Module]) -> None:
        """Clip the weights of whoever judges, where the options say so."""
        if self.options.weight_clip and player.name == "discriminator":
            bound = self.options.weight_clip
            with torch.no_grad():
                for role in self._clipped:
                    for weight in nets[role].parameters():
                        weight.clamp_(-bound, bound)

    @property
    def _clipped(self) -> tuple[str, ...]:
        """Roles of whoever judges."""
        players = [player for player in self.players if player.name == "discriminator"]
        return tuple(role for player in players for role in player.trains if role != LOSS)
