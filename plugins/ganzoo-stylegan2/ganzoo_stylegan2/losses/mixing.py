"""Style mixing.

"A Style-Based Generator Architecture for Generative Adversarial Networks" (Karras et al., 2019),
section 3.1, https://arxiv.org/abs/1812.04948.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mix_styles(first: Tensor, second: Tensor, layers: int, share: float) -> Tensor:
    """Return one w per layer; for some images, a second w starts at a random layer.

    Args:
        first, second: w, (n, style_dim) each.
        layers: number of layers that read a w.
        share: probability that an image has two styles. The second one starts at a layer that is
            uniform over all layers but the first.

    Returns:
        (n, layers, style_dim).
    """
    n, device = len(first), first.device
    if layers < 2 or not share:
        return first[:, None].expand(-1, layers, -1)
    mixed = torch.rand(n, 1, device=device) < share
    start = torch.randint(1, layers, (n, 1), device=device)
    later = torch.arange(layers, device=device) >= start
    return torch.where((mixed & later)[:, :, None], second[:, None], first[:, None])
