"""Build networks without initialising their weights, which a file provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# Functions of `nn.init` that torch passes to a mode; the others call these or the methods below.
_FILLS = frozenset(
    [nn.init.normal_, nn.init.uniform_, nn.init.trunc_normal_, nn.init.constant_]
    + [nn.init.kaiming_uniform_, Tensor.normal_, Tensor.uniform_, Tensor.exponential_]
    + [Tensor.cauchy_, Tensor.log_normal_, Tensor.geometric_, Tensor.fill_, Tensor.zero_]
)


class Uninitialised(TorchFunctionMode):
    """Skip operations that fill a tensor on the meta device.

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
        """Return the tensor of a fill operation unchanged; run any other function."""
        kwargs = kwargs or {}
        if func in _FILLS:
            tensor = args[0] if args else kwargs.get("tensor")
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **kwargs)
