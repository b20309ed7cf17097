"""Build networks without initialising their weights, which a file provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# Functions of `nn.init` that torch passes to a mode; the others call these or the methods below.
_FILLS = frozenset(
    [nn.init.normal_, nn.init.uniform_, nn.init.trunc_normal_, nn.init.constant_]
    + [nn.init.kaiming_uniform_, Tensor.normal_, Tensor.uniform_, Tensor.exponential_]
    + [Tensor.cauchy_, Tensor.log_normal_, Tensor.geometric_, Tensor.fill_, Tensor.zero_]
)
# Functions of spectral normalisation, and the shapes of their results. A weight is divided by its
# largest singular value, a tensor without dimensions.
_SHAPES: Mapping[Callable[..., Any], Callable[[Tensor, Tensor], Sequence[int]]] = {
    torch.mv: lambda matrix, vector: matrix.shape[:1],
    torch.vdot: lambda one, other: (),
    Tensor.div: lambda weight, norm: weight.shape,
}


class Uninitialised(TorchFunctionMode):
    """Skip operations that fill a tensor on the meta device, or compute its singular vectors.

    Such a tensor holds no values, so the result is the same. Without this mode, torch imports its
    compiler for the operation, which takes a second or more. A mode applies to one thread.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the tensor of such an operation without values; run any other function."""
        kwargs = kwargs or {}
        tensor = args[0] if args else kwargs.get("tensor")
        if isinstance(tensor, Tensor) and tensor.is_meta:
            if func in _FILLS:
                return tensor
            if func is nn.functional.normalize:
                out = kwargs.get("out")
                return tensor if out is None else out
            if func in _SHAPES and not kwargs and _are_of_spectral_norm(func, *args):
                return tensor.new_empty(_SHAPES[func](*args))
        return func(*args, **kwargs)


def _are_of_spectral_norm(func: Callable[..., Any], one: Tensor, other: Any = None) -> bool:
    if not isinstance(other, Tensor) or not one.is_floating_point():
        return False
    return func is not Tensor.div or other.dim() == 0
