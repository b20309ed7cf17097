"""What a discriminator says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor


class DiscriminatorOutput(NamedTuple):
    """A discriminator's answer. One that has nothing else to say may return bare logits.

    Attributes:
        logits: (n,), or (n, ...) where it judges patches; higher where an image looks more real.
        features: (n, ...), what its last hidden layer saw, or None.
        heads: further answers by name, such as ``class``: logits (n, classes).
    """

    logits: Tensor
    features: Tensor | None = None
    heads: Mapping[str, Tensor] = MappingProxyType({})
