"""What is drawn for a part of a batch is the part of what is drawn for the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ganzoo.nn import at_least_fp32

_SHAPED = frozenset([torch.rand, torch.randn, torch.randint])
_VALUE_BY_VALUE = frozenset(
    [torch.rand_like, torch.randn_like, torch.randint_like]
    + [torch.bernoulli, torch.normal, torch.poisson, Tensor.bernoulli]
    + [functional.dropout, functional.dropout1d, functional.dropout2d, functional.dropout3d]
    + [functional.alpha_dropout, functional.feature_alpha_dropout]
)
_IN_PLACE = frozenset(
    [Tensor.uniform_, Tensor.normal_, Tensor.exponential_, Tensor.random_, Tensor.bernoulli_]
    + [Tensor.geometric_, Tensor.cauchy_, Tensor.log_normal_]
)


class WholeBatch(TorchFunctionMode):
    """Make random numbers, and BatchNorm's statistics, independent of how a batch is split.

    All processes seed torch alike. Whatever is drawn with as many rows as a process has samples is
    drawn for the samples of all, and the process's own rows are taken. So one process with the
    whole batch, and any number with parts of it, compute the same, and no loss or network has to
    know. What has other shapes, such as one coin for a batch, is the same in all of them.

    Args:
        rows: samples that this process holds.
        rank: number of this process.
        ranks: how many there are, each with as many samples.
        mean: mean over the processes, differentiable, for BatchNorm in training; None leaves it
            the statistics of a process's own samples.
    """

    def __init__(
        self, rows: int, rank: int, ranks: int, mean: Callable[[Tensor], Tensor] | None
    ) -> None:
        super().__init__()
        self.rows = rows
        self.ranks = ranks
        self.mine = slice(rank * rows, (rank + 1) * rows)
        self.mean = mean

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a function of torch."""
        kwargs = dict(kwargs or {})
        if func in _SHAPED:
            return self._shaped(func, args, kwargs)
        if func in _VALUE_BY_VALUE and args and self._is_split(args[0]):
            return func(*map(self._repeat, args), **kwargs)[self.mine]
        if func in _IN_PLACE and args and self._is_split(args[0]):
            with torch.no_grad():
                return args[0].copy_(func(*map(self._repeat, args), **kwargs)[self.mine])
        if func is functional.batch_norm and self.mean is not None:
            return self._batch_norm(self.mean, *args, **kwargs)
        return func(*args, **kwargs)

    def _is_split(self, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dim() > 0 and len(x) == self.rows

    def _repeat(self, part: Any) -> Any:
        """Stand in for the whole batch: what is drawn for a row depends on that row alone.

        The format of the part is kept, since numbers are drawn in its order.
        """
        return torch.cat([part] * self.ranks) if self._is_split(part) else part

    def _shaped(self, func: Callable[..., Tensor], args: tuple[Any, ...], kwargs: Any) -> Tensor:
        # rand(2, 3), rand((2, 3)) and rand(size=(2, 3)); randint(high, (2, 3)) ends in its shape.
        if "size" in kwargs:
            before, size = args, kwargs.pop("size")
        elif args and isinstance(args[-1], Sequence):
            before, size = args[:-1], args[-1]
        else:
            before, size = (), args
        if not size or size[0] != self.rows:
            return func(*before, tuple(size), **kwargs)
        return func(*before, (size[0] * self.ranks, *size[1:]), **kwargs)[self.mine]

    def _batch_norm(
        self,
        mean: Callable[[Tensor], Tensor],
        input: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if not training:
            return functional.batch_norm(
                input, running_mean, running_var, weight, bias, False, momentum, eps
            )
        x = at_least_fp32(input)
        over = [0, *range(2, x.dim())]
        shape = [1, -1] + [1] * (x.dim() - 2)
        centre = mean(x.mean(over))
        spread = mean((x - centre.view(shape)).square().mean(over))
        if running_mean is not None and running_var is not None:
            count = self.ranks * x.numel() / x.shape[1]
            with torch.no_grad():
                running_mean.lerp_(centre.to(running_mean), momentum)
                running_var.lerp_((spread * count / (count - 1)).to(running_var), momentum)
        y = (x - centre.view(shape)) * (spread.view(shape) + eps).rsqrt()
        if weight is not None:
            y = y * weight.view(shape)
        if bias is not None:
            y = y + bias.view(shape)
        return y.to(input.dtype)
