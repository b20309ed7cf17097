"""The adversarial game: a criterion on both logits, penalties, and turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganzoo.games.game import Batch, Loss, Player, Turn
from ganzoo.games.penalties import Pair, Penalty


@dataclass(frozen=True)
class Criterion:
    """What each side minimises, per sample. A logit goes up when an image looks real.

    Attributes:
        d: (real logits, fake logits) -> the discriminator's loss.
        g: (real logits, fake logits) -> the generator's loss.
        g_needs_real: whether `g` reads the real logits; if not it is given the fake ones twice.
    """

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor, Tensor], Tensor]
    g_needs_real: bool = False


class AdversarialLoss(Loss):
    """Generator against discriminator.

    Args:
        criterion: what they minimise.
        penalties: further terms of the discriminator.
        critic_steps: updates of the discriminator for one of the generator.
    """

    def __init__(
        self, criterion: Criterion, *, penalties: Sequence[Penalty] = (), critic_steps: int = 1
    ) -> None:
        super().__init__()
        self.criterion = criterion
        self.penalties = tuple(penalties)
        self.players = (
            Player("discriminator", trains=("discriminator",), repeat=critic_steps),
            Player("generator", trains=("generator",)),
        )

    def discriminator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Tell real from fake."""
        judge = _Judge(nets["discriminator"])
        fake = nets["generator"](turn.latents(len(batch))).float()
        real_logits, fake_logits = judge(batch.images), judge(fake)
        terms = {"adversarial": self.criterion.d(real_logits, fake_logits)}
        pair = Pair(judge, batch.images, fake, real_logits, fake_logits)
        for penalty in self.penalties:
            terms |= penalty.term(pair, turn.tick)
        return terms

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Be taken for real."""
        judge = _Judge(nets["discriminator"])
        fake_logits = judge(nets["generator"](turn.latents(len(batch))))
        real_logits = judge(batch.images) if self.criterion.g_needs_real else fake_logits
        return {"adversarial": self.criterion.g(real_logits, fake_logits)}


class _Judge:
    """A discriminator whose logits are fp32 whatever precision it ran in."""

    def __init__(self, discriminator: nn.Module) -> None:
        self.discriminator = discriminator

    def __call__(self, images: Tensor) -> Tensor:
        logits: Tensor = self.discriminator(images)
        return logits if logits.dtype == torch.float64 else logits.float()
