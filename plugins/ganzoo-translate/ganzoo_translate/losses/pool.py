"""A pool of past fakes for the discriminator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """A pool of past fakes, some of which replace new fakes in the discriminator's batch.

    "Learning from Simulated and Unsupervised Images through Adversarial Training" (Shrivastava et
    al., 2017), section 2.3, https://arxiv.org/abs/1612.07828, in the form of Zhu et al. (2017),
    section 4, https://arxiv.org/abs/1703.10593.

    Args:
        size: maximum number of images; 0 for no pool.

    Attributes:
        images: the images in the pool, (k, channels, height, width), a buffer that grows to `size`.

    Raises:
        ValueError: the size is negative.
    """

    images: Tensor
    sequential_buffers = ("images",)

    def __init__(self, size: int) -> None:
        super().__init__()
        if size < 0:
            raise ValueError(f"pool_size is {size}. Set it to 0 or more")
        self.size = size
        self.register_buffer("images", torch.empty(0))

    def exchange(self, images: Tensor) -> Tensor:
        """Store new images and return the same number of new or old images, detached.

        Images enter one after the other. While the pool is not full, an image is stored and
        returned. Later, it is returned with probability 1/2. Otherwise it replaces an old image,
        which is returned.
        """
        images = images.detach().contiguous()
        if not self.size:
            return images
        # One draw for each image, so that the draws do not depend on the split of a batch.
        indices = torch.randint(self.size, (len(images), 1), device=images.device).tolist()
        swaps = (torch.rand(len(images), 1, device=images.device) < 0.5).tolist()
        exchanged = []
        for image, (index,), (swap,) in zip(images, indices, swaps, strict=True):
            if len(self.images) < self.size:
                new = image[None]
                self.images = torch.cat([self.images, new]) if len(self.images) else new.clone()
            elif swap:
                old = self.images[index].clone()
                self.images[index] = image
                image = old
            exchanged.append(image)
        return torch.stack(exchanged)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Resize the buffer to the number of saved images, and load them."""
        saved = state[f"{prefix}images"]
        self.images = self.images.new_empty(saved.shape)
        super()._load_from_state_dict(state, prefix, *rest)
