"""Random numbers and BatchNorm statistics that do not depend on the split of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ganzoo.nn import at_least_fp32

_SHAPED = frozenset([torch.rand, torch.randn, torch.randint])
_AT_ONCE = (1, 2)  # batches of one draw: images, or real and fake images together
_VALUE_BY_VALUE = frozenset(
    [torch.rand_like, torch.randn_like, torch.randint_like]
    + [torch.bernoulli, torch.normal, torch.poisson, torch.multinomial]
    + [Tensor.bernoulli, Tensor.multinomial, functional.gumbel_softmax, functional.rrelu]
    + [functional.dropout, functional.dropout1d, functional.dropout2d, functional.dropout3d]
    + [functional.alpha_dropout, functional.feature_alpha_dropout]
)
_IN_PLACE = frozenset(
    [Tensor.uniform_, Tensor.normal_, Tensor.exponential_, Tensor.random_, Tensor.bernoulli_]
    + [Tensor.geometric_, Tensor.cauchy_, Tensor.log_normal_]
)


class WholeBatch(TorchFunctionMode):
    """Make random numbers, and BatchNorm's statistics, independent of how a batch is split.

    All processes use the same seed. If a function of torch draws as many rows as the process has
    samples, or twice as many, it draws rows for the samples of all processes, and this process uses
    its own rows. So one process with the whole batch, and several processes with parts of it,
    compute the same, without changes to losses and networks. Draws of other shapes, such as one
    number for a batch, are the same in all processes. So are draws inside composite functions, such
    as dropout within attention, which therefore is not independent between processes.

    A shape does not tell one number for a batch from one for its only sample. So if each share has
    one sample, a draw of one row, such as ``torch.rand(1)``, is a draw for each sample. A loss that
    needs one number for the batch draws a scalar: ``torch.rand(())``.

    Args:
        rows: samples of this process.
        rank: number of this process's share of the batch.
        ranks: number of shares, each with the same number of samples: one for each process, and
            for each part that it computes after the other.
        mean: differentiable mean over the processes, for BatchNorm in training; None uses the
            statistics of each process's own samples.
        processes: number of processes; by default one for each share.
    """

    def __init__(
        self,
        rows: int,
        rank: int,
        ranks: int,
        mean: Callable[[Tensor], Tensor] | None,
        processes: int | None = None,
    ) -> None:
        super().__init__()
        self.processes = ranks if processes is None else processes
        self.rows = rows
        self.ranks = ranks
        self.rank = rank
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
        if func in _SHAPED or (func is torch.normal and _is_shape((None, *args)[-1])):
            return self._shaped(func, args, kwargs)
        if func in _VALUE_BY_VALUE:
            return self._value_by_value(func, args, kwargs)
        if func in _IN_PLACE and self._held(args[0]):
            with torch.no_grad():
                return args[0].copy_(self._value_by_value(func, args, kwargs))
        if func is functional.batch_norm and self.mean is not None:
            return self._batch_norm(self.mean, *args, **kwargs)
        return func(*args, **kwargs)

    def _value_by_value(
        self, func: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        count = next(filter(None, map(self._held, (*args, *kwargs.values()))), 0)
        if not count:
            return func(*args, **kwargs)
        named = {name: self._repeat(value) for name, value in kwargs.items()}
        return self._mine(func(*map(self._repeat, args), **named), count)

    def _batches(self, rows: int) -> int:
        """Return the number of this process's batches in a number of rows; 0 if there is none."""
        return rows // self.rows if rows in [k * self.rows for k in _AT_ONCE] else 0

    def _held(self, x: Any) -> int:
        return self._batches(len(x)) if isinstance(x, Tensor) and x.dim() else 0

    def _repeat(self, x: Any) -> Any:
        """Repeat the rows to the size of the whole batch; each draw depends on its row alone.

        The memory format stays, since numbers are drawn in its order.
        """
        if not self._held(x):
            return x
        return torch.cat([part for part in torch.split(x, self.rows) for _ in range(self.ranks)])

    def _mine(self, whole: Tensor, count: int) -> Tensor:
        """Return this process's rows of each of `count` batches."""
        parts = torch.split(whole, self.rows)[self.rank :: self.ranks]
        return parts[0] if count == 1 else torch.cat(parts)

    def _shaped(self, func: Callable[..., Tensor], args: tuple[Any, ...], kwargs: Any) -> Tensor:
        # rand(2, 3), rand((2, 3)) and rand(size=(2, 3)); randint(high, (2, 3)) ends in its shape.
        if "size" in kwargs:
            before, size = args, kwargs.pop("size")
        elif args and _is_shape(args[-1]):
            before, size = args[:-1], args[-1]
        else:
            before, size = (), args
        count = self._batches(size[0]) if size else 0
        if not count:
            return func(*before, tuple(size), **kwargs)
        return self._mine(func(*before, (size[0] * self.ranks, *size[1:]), **kwargs), count)

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
            count = self.processes * x.numel() / x.shape[1]
            with torch.no_grad():
                running_mean.lerp_(centre.to(running_mean), momentum)
                running_var.lerp_((spread * count / (count - 1)).to(running_var), momentum)
        y = (x - centre.view(shape)) * (spread.view(shape) + eps).rsqrt()
        if weight is not None:
            y = y * weight.view(shape)
        if bias is not None:
            y = y + bias.view(shape)
        return y.to(input.dtype)


def _is_shape(x: Any) -> bool:
    return isinstance(x, Sequence)
