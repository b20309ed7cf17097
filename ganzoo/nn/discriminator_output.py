"""The output of a discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor


class DiscriminatorOutput(NamedTuple):
    """The output of a discriminator. A discriminator may also return a tensor of logits alone.

    Attributes:
        logits: (n,), or (n, ...) with one logit for each patch; higher for more realistic images.
        features: (n, ...), the input of its last layer, or None.
        heads: outputs of additional heads by name, such as ``class``: logits (n, classes).
    """

    logits: Tensor
    features: Tensor | None = None
    heads: Mapping[str, Tensor] = MappingProxyType({})
