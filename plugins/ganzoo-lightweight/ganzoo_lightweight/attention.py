"""Attention over the pixels of a map, at a cost that grows linearly with their number."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad

AttentionKind = Literal["linear", "linear-local"]
HEADS = 8
DIM = 64  # of each head


class Attention(nn.Module):
    """x + attention(norm(x)), with 8 heads.

    Linear attention is "Efficient Attention: Attention with Linear Complexities" (Shen et al.,
    2021), https://arxiv.org/abs/1812.01243: softmax(q) (softmax(k)^T v), where q is normalised over
    channels and k over pixels. Local attention is softmax(q k^T / sqrt(64)) v over 3x3 pixels;
    pixels outside the map count as zeros.

    Args:
        channels: channels of x.
        kind: ``linear``, or ``linear-local`` for both side by side.
    """

    def __init__(self, channels: int, kind: AttentionKind) -> None:
        super().__init__()
        inner = HEADS * DIM
        self.norm = ChannelNorm(channels)
        self.query = nn.Conv2d(channels, inner, 1, bias=False)
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.key_value = nn.Conv2d(channels, 2 * inner, 1, bias=False)
        self.local = kind == "linear-local"
        if self.local:
            self.local_query = nn.Conv2d(channels, inner, 1, bias=False)
            self.local_key_value = nn.Conv2d(channels, 2 * inner, 1, bias=False)
        self.last = nn.Conv2d(2 * inner if self.local else inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map (n, channels, height, width) of the same shape."""
        h = self.norm(x)
        keys, values = self.key_value(self.depthwise(h)).chunk(2, 1)
        y = gelu(linear_attention(self.query(h), keys, values))
        if self.local:
            local = local_attention(self.local_query(h), *self.local_key_value(h).chunk(2, 1))
            y = torch.cat([y, local], 1)
        result: Tensor = x + self.last(y)
        return result


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation of each pixel over its channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a map (n, channels, height, width) of the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def linear_attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return linear attention of maps (n, 8 * 64, height, width), in the same shape."""
    q, k, v = (_split_heads(x.flatten(2)) for x in (queries, keys, values))
    context = k.softmax(3) @ v.transpose(2, 3)  # (n, heads, 64 of k, 64 of v)
    y = context.transpose(2, 3) @ (q.softmax(2) / DIM**0.5)
    result: Tensor = y.reshape(queries.shape)
    return result


def local_attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return attention over 3x3 pixels of maps (n, 8 * 64, height, width), in the same shape."""
    q, k, v = map(_split_heads, (queries, neighbours(keys), neighbours(values)))
    logits = (q[:, :, :, None] * k).sum(2, keepdim=True) / DIM**0.5
    result: Tensor = (v * logits.softmax(3)).sum(3).flatten(1, 2)
    return result


def _split_heads(x: Tensor) -> Tensor:
    """Split channels (n, 8 * 64, ...) by head, (n, 8, 64, ...)."""
    return x.reshape(-1, HEADS, DIM, *x.shape[2:])


def neighbours(x: Tensor) -> Tensor:
    """Return the 3x3 pixels around each pixel: (n, channels, 9, height, width)."""
    height, width = x.shape[2:]
    wide = pad(x, (1, 1, 1, 1))
    parts = [wide[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return torch.stack(parts, 2)
