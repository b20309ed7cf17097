"""Networks whose weights come from a file: nothing is drawn for them first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# Those of `nn.init` that torch hands to a mode whole; the others call these or the methods below.
_FILLS = frozenset(
    [nn.init.normal_, nn.init.uniform_, nn.init.trunc_normal_, nn.init.constant_]
    + [nn.init.kaiming_uniform_, Tensor.normal_, Tensor.uniform_, Tensor.exponential_]
    + [Tensor.cauchy_, Tensor.log_normal_, Tensor.geometric_, Tensor.fill_, Tensor.zero_]
)


class Uninitialised(TorchFunctionMode):
    """Leave tensors on the meta device as they are where values would be written into them.

    Such a tensor holds no values, so the result is the same. But torch imports its compiler
    to find that out, which takes a second or more. Modes are of one thread: others see nothing.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the tensor that would be filled; run anything else."""
        kwargs = kwargs or {}
        if func in _FILLS:
            tensor = args[0] if args else kwargs.get("tensor")
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **kwargs)
