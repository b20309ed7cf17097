"""The discriminator of StyleGAN2.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), section 4.1 and
figure 7, https://arxiv.org/abs/1912.04958.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ganzoo.nn import DiscriminatorOutput
from ganzoo_stylegan2.architectures.equalised import EqualisedConv2d, EqualisedLinear, activate
from ganzoo_stylegan2.architectures.mapping import LabelMapping
from ganzoo_stylegan2.architectures.resampling import downsample, smooth

EPSILON = 1e-8

Kind = Literal["residual", "skip", "plain"]
"""Figure 7 (c) of the paper, figure 7 (b), and neither."""


def append_deviation(x: Tensor, group: int) -> Tensor:
    """Append a channel with the standard deviation between the samples of a group.

    "Progressive Growing of GANs" (Karras et al., 2018), section 3,
    https://arxiv.org/abs/1710.10196: the standard deviation of each value over the group, averaged
    over all values.

    The samples of a group are consecutive in the batch. If a batch is split over processes or over
    steps, the groups stay the same, as long as each part contains whole groups.

    Args:
        x: (n, channels, height, width).
        group: samples per group; if it does not divide n, the largest smaller divisor of n.

    Returns:
        (n, channels + 1, height, width).
    """
    n, channels, height, width = x.shape
    size = max(k for k in range(1, min(group, n) + 1) if n % k == 0)
    groups = x.reshape(-1, size, channels, height, width)
    variance = (groups - groups.mean(1, keepdim=True)).square().mean(1)
    deviation = (variance + EPSILON).sqrt().mean((1, 2, 3))
    appended = deviation.repeat_interleave(size)[:, None, None, None]
    return torch.cat([x, appended.to(x.dtype).expand(-1, 1, height, width)], 1)


class Block(nn.Module):
    """Two convolutions that halve the sides, and a shortcut with a 1x1 convolution.

    Args:
        inputs, outputs: channels before and after.
        clamp: limit of the absolute values after each activation; 0 for none.
        residual: whether there is a shortcut.
    """

    def __init__(self, inputs: int, outputs: int, clamp: float, residual: bool) -> None:
        super().__init__()
        self.first = EqualisedConv2d(inputs, inputs, 3, padding=1)
        self.second = EqualisedConv2d(inputs, outputs, 3, stride=2)
        self.shortcut = EqualisedConv2d(inputs, outputs, 1, bias=False) if residual else None
        self.clamp = clamp

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, height, width) to (n, outputs, height / 2, width / 2)."""
        y = activate(self.first(x), self.clamp)
        y = activate(self.second(smooth(y, padding=2)), self.clamp)
        if self.shortcut is None:
            return y
        # Both have variance 1; the division by sqrt(2) keeps it.
        result: Tensor = (y + self.shortcut(downsample(x))) / math.sqrt(2)
        return result


class Discriminator(nn.Module):
    """Images, and labels y if there are classes -> `ganzoo.nn.DiscriminatorOutput`.

    Args:
        widths: channels of the maps, from the size of the images down; each map has half the sides
            of the one before.
        base: height and width of the last map.
        channels: channels of the images.
        group: samples per group of `append_deviation`.
        kind: ``residual`` blocks; ``skip``: each map adds features of the downsampled images;
            or ``plain``: neither.
        clamp: limit of the absolute values of maps; 0 for none.
        classes: number of classes of y; the product of a class embedding with the features is
            added to the logit ("cGANs with Projection Discriminator", Miyato and Koyama, 2018,
            https://arxiv.org/abs/1802.05637); 0 for none.
        label_layers: if not 0, the logit is the product of the last layer, of as many outputs as
            features, with the vector of the class, which a mapping of so many layers computes.
    """

    # Networks for two sides have the same layers next to the smallest map.
    aligned_at: ClassVar = {"from_image": "same", "from_smaller": "end", "blocks": "end"}

    def __init__(
        self,
        widths: list[int],
        base: tuple[int, int],
        channels: int,
        group: int,
        kind: Kind = "residual",
        clamp: float = 0.0,
        classes: int = 0,
        label_layers: int = 0,
    ) -> None:
        super().__init__()
        features = widths[-1]
        self.group, self.clamp = group, clamp
        self.from_image = EqualisedConv2d(channels, widths[0], 1)
        smaller = widths[1:] if kind == "skip" else []
        self.from_smaller = nn.ModuleList(EqualisedConv2d(channels, n, 1) for n in smaller)
        self.blocks = nn.Sequential(
            *(Block(*pair, clamp, kind == "residual") for pair in pairwise(widths))
        )
        self.convolution = EqualisedConv2d(features + 1, features, 3, padding=1)
        self.dense = EqualisedLinear(features * math.prod(base), features)
        mapped = bool(classes and label_layers)
        self.last = EqualisedLinear(features, features if mapped else 1)
        self.labels = LabelMapping(classes, features, label_layers) if mapped else None
        self.projection = nn.Embedding(classes, features) if classes and not mapped else None

    def modules_from_image(self) -> list[nn.Module]:
        """Return the modules in the order of `forward`."""
        maps: list[nn.Module] = [self.from_image]
        for k, block in enumerate(self.blocks):
            maps += [block, *self.from_smaller[k : k + 1]]
        heads = (self.convolution, self.dense, self.last, self.labels, self.projection)
        return [*maps, *(module for module in heads if module is not None)]

    def forward(self, images: Tensor, y: Tensor | None = None) -> DiscriminatorOutput:
        """Return logits and features of images (n, channels, height, width); y is int64 (n,)."""
        x = self._describe(images)
        x = activate(self.convolution(append_deviation(x, self.group)), self.clamp)
        features = activate(self.dense(x.flatten(1)))
        output = self.last(features)
        if self.labels is not None:
            logits = (output * self.labels(y)).sum(1) / math.sqrt(features.shape[1])
            return DiscriminatorOutput(logits, features)
        logits = output.flatten()
        if self.projection is not None:
            product = (self.projection(y) * features).sum(1)
            logits = logits + product / math.sqrt(features.shape[1])
        return DiscriminatorOutput(logits, features)

    def _describe(self, images: Tensor) -> Tensor:
        """Return the last map, (n, features, *base)."""
        x = activate(self.from_image(images), self.clamp)
        if not self.from_smaller:
            last: Tensor = self.blocks(x)
            return last
        for block, from_image in zip(self.blocks, self.from_smaller, strict=True):
            images = downsample(images)
            x = block(x) + activate(from_image(images), self.clamp)
        return x
