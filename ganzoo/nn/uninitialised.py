"""Build networks without initialising their weights, which a file provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.overrides import TorchFunctionMode

# Functions of `nn.init` that torch passes to a mode; the others call these or the methods below.
_FILLS = frozenset(
    [nn.init.normal_, nn.init.uniform_, nn.init.trunc_normal_, nn.init.constant_]
    + [nn.init.kaiming_uniform_, Tensor.normal_, Tensor.uniform_, Tensor.exponential_]
    + [Tensor.cauchy_, Tensor.log_normal_, Tensor.geometric_, Tensor.fill_, Tensor.zero_]
    + [Tensor.mul_, Tensor.div_, Tensor.copy_]
)
_POINTWISE = frozenset(
    ["__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__neg__"]
    + ["add", "sub", "rsub", "mul", "div", "neg", "sqrt", "cos", "sin"]
)


class Uninitialised(TorchFunctionMode):
    """Skip operations that only set values of tensors on the meta device, the default device.

    Such tensors hold no values, so the result is the same. Without this mode, torch imports its
    compiler for the operation, which takes a second or more. A mode applies to one thread.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return a tensor without values for an operation on such tensors; else run the function.

        Spectral normalisation and the inputs of networks compute more than initial values.
        """
        kwargs = kwargs or {}
        if func in _FILLS:
            tensor = args[0] if args else kwargs.get("tensor")
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        if func is normalize and args[0].is_meta:
            return args[0] if kwargs.get("out") is None else kwargs["out"]
        if (shape := _find_shape(func, args)) is not None and not kwargs:
            return torch.empty(shape)
        return func(*args, **kwargs)


def _find_shape(func: Callable[..., Any], args: Sequence[Any]) -> tuple[int, ...] | None:
    """Return the shape of a result that is float32 on the meta device; None for other results."""
    if func in (torch.rand, torch.randn, torch.eye) and args:
        sides = tuple(args[0] if len(args) == 1 and isinstance(args[0], tuple | list) else args)
        if func is torch.eye and len(sides) == 1:
            sides = (*sides, *sides)
        return sides if all(isinstance(side, int) for side in sides) else None
    parts = args[0] if func is torch.stack else args
    tensors = [part for part in parts if isinstance(part, Tensor)]
    if not tensors or not all(t.is_meta and t.dtype == torch.float32 for t in tensors):
        return None
    if func is torch.mv:
        return tuple(args[0].shape[:1])
    if func is torch.vdot:
        return ()
    if func is torch.stack and len(args) == 2 and 0 <= args[1] <= tensors[0].ndim:
        shape = tensors[0].shape
        return (*shape[: args[1]], len(tensors), *shape[args[1] :])
    numbers = all(isinstance(part, Tensor | int | float) for part in parts)
    if getattr(func, "__name__", "") in _POINTWISE and numbers:
        return np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    return None
