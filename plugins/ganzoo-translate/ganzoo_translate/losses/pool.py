"""Fakes of the past."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """The last fakes, of which a discriminator sees some again in place of new ones.

    "Learning from Simulated and Unsupervised Images through Adversarial Training" (Shrivastava et
    al., 2017), section 2.3, https://arxiv.org/abs/1612.07828, in the form of Zhu et al. (2017),
    section 4, https://arxiv.org/abs/1703.10593.

    Args:
        size: most images it holds; 0 for none.

    Attributes:
        images: those it holds, (k, channels, height, width): a buffer that grows up to `size`.

    Raises:
        ValueError: a negative size.
    """

    images: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        if size < 0:
            raise ValueError(f"the pool's size is {size}, it must be at least 0")
        self.size = size
        self.register_buffer("images", torch.empty(0))

    def exchange(self, images: Tensor) -> Tensor:
        """Take in new images and return as many, detached.

        While there is room every image is kept and returned. Then each is, with probability 1/2,
        returned itself, and otherwise takes the place of an old one that is returned.
        """
        images = images.detach().contiguous()
        room = self.size - len(self.images)
        kept, rest = images[:room], images[room:]
        if len(kept):
            self.images = torch.cat([self.images, kept]) if len(self.images) else kept.clone()
        if not self.size or not len(rest):
            return images
        # No two images take one place, so of more images than places the last are returned.
        places = torch.randperm(self.size, device=images.device)[: len(rest)]
        new, passed = rest[: len(places)], rest[len(places) :]
        old = self.images[places]
        swapped = torch.rand(len(places), 1, 1, 1, device=images.device) < 0.5
        self.images[places] = torch.where(swapped, new, old)
        return torch.cat([kept, torch.where(swapped, old, new), passed])

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for as many images as were saved."""
        saved = state[f"{prefix}images"]
        self.images = self.images.new_empty(saved.shape)
        super()._load_from_state_dict(state, prefix, *rest)
