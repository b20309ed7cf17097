"""Adaptive probability of augmentation, which rises while the discriminator overfits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganzoo.games.ada.pipeline import augment
from ganzoo.games.batchwise import batch_mean
from ganzoo.games.game import check_count
from ganzoo.nn import DiscriminatorOutput
from ganzoo.spec import as_number

ADAPT_EVERY = 4  # turns of the discriminator


def check_settings(target: float, images: int) -> None:
    """Raise ValueError for settings of `AdaptiveAugmentation` that are out of range."""
    if not -1 < as_number("ada_target", target) < 1:
        raise ValueError(f"ada_target is {target}; it must be between -1 and 1")
    check_count("ada_images", images)


class AdaptiveAugmentation(nn.Module):
    """The probability of each step of `augment`, which starts at 0.

    "Training Generative Adversarial Networks with Limited Data" (Karras et al., 2020), section 3,
    https://arxiv.org/abs/2006.06676: r_t, the mean sign of the logits of real images, rises towards
    1 as the discriminator overfits. The probability rises while r_t is above the target, and falls
    while it is below.

    Args:
        target: target of r_t, in (-1, 1).
        images: number of training images in which the probability can rise from 0 to 1.

    Raises:
        ValueError: `target` is outside (-1, 1), or `images` is below 1.
    """

    probability: Tensor
    signs: Tensor
    seen: Tensor
    adapted_at: Tensor

    def __init__(self, target: float, images: int) -> None:
        super().__init__()
        check_settings(target, images)
        self.target = target
        self.images = images
        self.register_buffer("probability", torch.zeros(()))
        self.register_buffer("signs", torch.zeros(()))  # sum of mean signs since the last change
        self.register_buffer("seen", torch.zeros(()))  # batches since the last change
        self.register_buffer(
            "adapted_at", torch.zeros((), dtype=torch.int64)
        )  # images seen at the last change

    @torch.no_grad()
    def adapt(self, turn: int, images_seen: int) -> None:
        """Change the probability before every `ADAPT_EVERY`-th turn, and begin a new mean.

        Args:
            turn: number of the discriminator's turn.
            images_seen: images of the training before this turn.
        """
        # A turn with several updates adapts before the first.
        if turn % ADAPT_EVERY or images_seen <= int(self.adapted_at):
            return
        step = (images_seen - self.adapted_at) / self.images
        self.probability += (self.signs / self.seen - self.target).sign() * step
        self.probability.clamp_(0, 1)
        self.adapted_at.fill_(images_seen)
        self.signs.zero_()
        self.seen.zero_()

    @torch.no_grad()
    def observe(self, real_logits: Tensor) -> Tensor:
        """Add the logits of a batch of real images, (n, ...); return their mean sign."""
        sign = batch_mean(real_logits.sign())
        self.signs += sign
        self.seen += 1
        return sign


class AugmentedDiscriminator:
    """A discriminator that reads only augmented images.

    Args:
        discriminate: images -> output.
        augmentation: probability of the augmentation.
    """

    def __init__(
        self,
        discriminate: Callable[[Tensor], DiscriminatorOutput],
        augmentation: AdaptiveAugmentation,
    ) -> None:
        self.discriminate = discriminate
        self.augmentation = augmentation

    def __call__(self, images: Tensor) -> DiscriminatorOutput:
        """Return the output for augmented images (n, channels, height, width)."""
        return self.discriminate(augment(images, self.augmentation.probability))
