"""A batch in parts, which are computed one after the other to save memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from ganzoo.errors import RecipeError
from ganzoo.games import Batch
from ganzoo.games.random_state import get_random_state, set_random_state


def in_parts(
    batch: Batch, parts: int, modules: Iterable[nn.Module], device: torch.device
) -> Iterator[Batch]:
    """Yield the parts of a batch. The caller computes each part before it takes the next.

    Every part starts at the same state of the random generators, from which it draws for the whole
    batch, and at the same buffers. At the end each floating-point buffer has changed by the mean of
    its changes in all parts, so a moving average moves once per batch, by the mean of the parts'
    statistics. Other buffers, such as counts of batches, are those of the last part. Buffers that a
    module names in `sequential_buffers` pass from one part to the next.

    Args:
        batch: the batch.
        parts: number of parts, a divisor of the batch's size.
        modules: modules whose buffers may change while a part is computed.
        device: device of the random generators.

    Raises:
        RecipeError: a buffer changes its shape and is not one of the `sequential_buffers`.
    """
    if parts == 1:
        yield batch
        return
    root = nn.ModuleList(modules)
    random_state = get_random_state(device)
    start = {name: buffer.clone() for name, buffer in _restarted_buffers(root).items()}
    change = {
        name: torch.zeros_like(value) for name, value in start.items() if value.is_floating_point()
    }
    for number, part in enumerate(batch.split(parts)):
        if number:
            set_random_state(random_state, device)
            _set_buffers(root, start)
        yield part
        buffers = _restarted_buffers(root)
        for name in change:
            _check_shape(name, buffers[name], start[name])
            change[name] += (buffers[name] - start[name]) / parts
    _set_buffers(root, {name: start[name] + change[name] for name in change})


def _restarted_buffers(root: nn.Module) -> dict[str, Tensor]:
    """Return the buffers by name, without those that pass from one part to the next."""
    sequential = {
        f"{prefix}.{name}"
        for prefix, module in root.named_modules()
        for name in getattr(module, "sequential_buffers", ())
    }
    return {n: buffer.detach() for n, buffer in root.named_buffers() if n not in sequential}


def _check_shape(name: str, buffer: Tensor, start: Tensor) -> None:
    if buffer.shape != start.shape:
        raise RecipeError(
            f"the buffer {name.rpartition('.')[2]!r} changes its shape from {tuple(start.shape)} "
            f"to {tuple(buffer.shape)}, so a batch in parts cannot average it. Name it in the "
            "attribute sequential_buffers of its module, or use --accumulate 1."
        )


@torch.no_grad()
def _set_buffers(root: nn.Module, values: Mapping[str, Tensor]) -> None:
    buffers = _restarted_buffers(root)
    for name, value in values.items():
        buffers[name].copy_(value)
