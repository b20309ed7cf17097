"""How often images are augmented: as often as the discriminator overfits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganzoo.games import batch_mean
from ganzoo.nn import DiscriminatorOutput
from ganzoo_stylegan2.augmentation.pipeline import augment

ADAPT_EVERY = 4  # turns of the discriminator


class AdaptiveAugmentation(nn.Module):
    """The probability of every step of `augment`, which begins at 0.

    "Training Generative Adversarial Networks with Limited Data" (Karras et al., 2020), section 3,
    https://arxiv.org/abs/2006.06676: r_t, the mean sign of the logits of real images, tends to 1
    as the discriminator comes to know them by heart. The probability rises while it is above the
    target and falls while it is below.

    Args:
        target: of r_t.
        images: in which the probability can rise from 0 to 1.

    Raises:
        ValueError: a target outside (-1, 1), or no images.
    """

    probability: Tensor
    signs: Tensor
    seen: Tensor
    adapted_at: Tensor

    def __init__(self, target: float, images: int) -> None:
        super().__init__()
        if not -1 < target < 1:
            raise ValueError(f"ada_target is {target}, it lies between -1 and 1")
        if images < 1:
            raise ValueError(f"ada_images is {images}, it must be at least 1")
        self.target = target
        self.images = images
        self.register_buffer("probability", torch.zeros(()))
        self.register_buffer("signs", torch.zeros(()))  # mean signs since it was adapted, summed
        self.register_buffer("seen", torch.zeros(()))  # of how many batches
        self.register_buffer("adapted_at", torch.zeros((), dtype=torch.int64))  # images seen then

    @torch.no_grad()
    def adapt(self, real_logits: Tensor, turn: int, images_seen: int) -> None:
        """Take the logits of real images into account, and adapt every so many turns.

        Args:
            real_logits: (n, ...).
            turn: number of the discriminator's turn.
            images_seen: in the training so far.
        """
        self.signs += batch_mean(real_logits.sign())
        self.seen += 1
        if turn % ADAPT_EVERY == ADAPT_EVERY - 1:
            overfitting = self.signs / self.seen
            step = (images_seen - self.adapted_at) / self.images
            self.probability += (overfitting - self.target).sign() * step
            self.probability.clamp_(0, 1)
            self.adapted_at.fill_(images_seen)
            self.signs.zero_()
            self.seen.zero_()


class AugmentedDiscriminator:
    """A discriminator that sees augmented images alone.

    Args:
        discriminate: images -> output.
        augmentation: how often.
    """

    def __init__(
        self,
        discriminate: Callable[[Tensor], DiscriminatorOutput],
        augmentation: AdaptiveAugmentation,
    ) -> None:
        self.discriminate = discriminate
        self.augmentation = augmentation

    def __call__(self, images: Tensor) -> DiscriminatorOutput:
        """Judge images (n, channels, height, width)."""
        return self.discriminate(augment(images, self.augmentation.probability))
