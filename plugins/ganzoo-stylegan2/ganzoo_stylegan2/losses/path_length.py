"""Path length regularisation.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), section 3.2 and
appendix B, https://arxiv.org/abs/1912.04958.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganzoo.games import batch_mean
from ganzoo.nn import at_least_fp32

MEMORY = 0.99  # decay of the moving average of lengths, per batch
EPSILON = 1e-12  # avoids 0, where the square root has no derivative


def path_lengths(images: Tensor, styles: Tensor) -> Tensor:
    """Return the length of the change of images under a change of their styles, (n,).

    This is the paper's ||J^T y||, y ~ N(0, I), for all styles of an image together, divided by the
    square roots of the numbers of pixels and of styles, so that it depends on neither number.

    Args:
        images: (n, channels, height, width), computed from `styles`.
        styles: (n, layers, style_dim).
    """
    noise = torch.randn_like(images)
    (gradient,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
    squares = at_least_fp32(gradient).square().sum(2).mean(1)
    return (squares / images[0, 0].numel() + EPSILON).sqrt()


class PathLength(nn.Module):
    """The penalty (length - a)^2, where a is the moving average of lengths.

    With a weight of 2 it equals the paper's penalty. The paper does not divide lengths, and its
    gamma is ln 2 / (r^2 (ln r - ln 2)) for images of r x r pixels with 2 (log2 r - 1) styles.
    """

    average: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("average", torch.zeros(()))
        self.register_buffer("seen", torch.zeros(()))  # batches

    def forward(self, images: Tensor, styles: Tensor) -> Tensor:
        """Return the penalty of each image, (n,), and update the average of lengths."""
        # Autocast still applies in the backward pass of operations that ran in bf16.
        with torch.autocast(images.device.type, enabled=False):
            lengths = path_lengths(images, styles)
            self.seen += 1
            # The plain mean at first: a moving average from 0 would pull lengths towards 0.
            share = self.seen.reciprocal().clamp(min=1 - MEMORY)
            # The gradient passes through this batch's share of the average.
            average = self.average + share * (batch_mean(lengths) - self.average)
            self.average.copy_(average.detach())
            return (lengths - average).square()
