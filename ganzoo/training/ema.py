"""Averaged networks, which are sampled and exported."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from ganzoo.training.distributed import Group

RAMP_UP = 0.05  # the half-life is at most this share of the images seen


class Averaged:
    """An exponential moving average of networks, buffers included.

    The half-life is in images, so it does not depend on the batch size. It grows until it reaches
    its full length: in proportion to the images seen ("Training Generative Adversarial Networks
    with Limited Data", Karras et al., 2020, https://arxiv.org/abs/2006.06676, appendix C), or along
    half a cosine over the whole run ("The GAN is dead; long live the GAN!", Huang et al., 2024,
    https://arxiv.org/abs/2501.05441).

    Args:
        networks: networks by role.
        halflife: images after which a weight contributes half; 0 copies the networks.
        batch_size: images between two updates.
        cosine_over: images of the whole run, for a half-life that grows along half a cosine; 0 for
            one that grows in proportion.
        ramp_up: largest half-life as a share of the images seen, if it grows in proportion.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        halflife: int,
        batch_size: int,
        cosine_over: int = 0,
        ramp_up: float = RAMP_UP,
    ) -> None:
        self.current = nn.ModuleDict(networks)
        self.halflife = halflife
        self.batch_size = batch_size
        self.cosine_over = cosine_over
        self.ramp_up = ramp_up
        self.decay = 0.0
        self.average = AveragedModel(self.current, multi_avg_fn=self._blend, use_buffers=True)
        self.average.requires_grad_(False).eval()

    def start(self, group: Group) -> None:
        """Start from the average of a trained model, which the first process holds."""
        group.share(self.networks.values())
        self.average.n_averaged.fill_(1)  # with 0, the first update would replace the average

    def update(self, images_seen: int) -> None:
        """Add the current weights to the average."""
        halflife = self._current_halflife(images_seen)
        self.decay = 0.5 ** (self.batch_size / halflife) if halflife else 0.0
        self.average.update_parameters(self.current)

    def _current_halflife(self, images_seen: int) -> float:
        if not self.cosine_over:
            return min(float(self.halflife), self.ramp_up * images_seen)
        share = min(1.0, images_seen / self.cosine_over)
        return self.halflife * 0.5 * (1 - math.cos(math.pi * share))

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The averaged networks by role, in eval mode."""
        averages = self.average.module
        assert isinstance(averages, nn.ModuleDict)
        return dict(averages.items())

    @torch.no_grad()
    def _blend(
        self, average: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int
    ) -> None:
        for old, new in zip(average, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1.0 - self.decay)
            else:
                old.copy_(new)
