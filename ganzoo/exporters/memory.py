"""Measure the memory that a network takes on torch."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ganzoo.runtimes.torch import TorchModel


def measure_memory(model: TorchModel) -> int:
    """Return the bytes of results that are in memory at once, for one image of the training's size.

    Args:
        model: a translator that reads no latents, on the CPU.
    """
    condition = model.spec.data.condition
    assert condition is not None  # guaranteed by the spec of a translator
    with _Memory(model.state_dict().values()) as memory:
        model.run({"condition": np.zeros((1, *condition.shape), np.float32)})
    return int(memory.peak)


class _Memory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that operations create and that are in memory.

    Args:
        weights: tensors that are not counted.
    """

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak: int = 0
        self._bytes = 0
        self._sizes = {tensor.untyped_storage().data_ptr(): 0 for tensor in weights}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation, and count the memory of its results until they are freed."""
        results = func(*args, **kwargs or {})
        for tensor in tree_leaves(results):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                address = storage.data_ptr()
                if address not in self._sizes:
                    self._sizes[address] = storage.nbytes()
                    self._bytes += storage.nbytes()
                    weakref.finalize(storage, self._release, address)
        self.peak = max(self.peak, self._bytes)
        return results

    def _release(self, address: int) -> None:
        self._bytes -= self._sizes.pop(address)
