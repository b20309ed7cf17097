"""Path length regularisation.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), section 3.2 and
appendix B, https://arxiv.org/abs/1912.04958.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganzoo.games import batch_mean
from ganzoo.nn import at_least_fp32

MEMORY = 0.99  # share of the average length that a batch leaves as it was
EPSILON = 1e-12  # the square root has no derivative at 0


def path_lengths(images: Tensor, styles: Tensor) -> Tensor:
    """Return how far images move when their styles move, as random directions show it, (n,).

    The paper's ||J^T y||, y ~ N(0, I), for all styles of an image together, divided by the roots of
    the number of pixels and of that of styles: so it depends on neither.

    Args:
        images: (n, channels, height, width), made of
        styles: (n, layers, style_dim).
    """
    noise = torch.randn_like(images)
    (gradient,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
    squares = at_least_fp32(gradient).square().sum(2).mean(1)
    return (squares / images[0, 0].numel() + EPSILON).sqrt()


class PathLength(nn.Module):
    """(length - a)^2, a being the running average of lengths.

    With a weight of 2 this is the paper's, whose gamma is ln 2 / (r^2 (ln r - ln 2)) for images of
    r x r pixels: they have 2 (log2 r - 1) styles, and lengths are not divided by anything.
    """

    average: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("average", torch.zeros(()))
        self.register_buffer("seen", torch.zeros(()))  # batches

    def forward(self, images: Tensor, styles: Tensor) -> Tensor:
        """Return the penalty of each image, (n,), and take its length into the average."""
        # The backward pass of what was computed in bf16 is in bf16 where it has to be.
        with torch.autocast(images.device.type, enabled=False):
            lengths = path_lengths(images, styles)
            with torch.no_grad():
                self.seen += 1
                # At first the plain mean: an average that begins at 0 would pull all lengths there.
                share = self.seen.reciprocal().clamp(min=1 - MEMORY)
                self.average.lerp_(batch_mean(lengths), share)
            return (lengths - self.average).square()
