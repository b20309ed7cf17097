"""The linear layers of a torch network that read its latents.

They are recognised where they compute, by the tensors that they read, so that an architecture does
not need to name them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_PRODUCTS = {
    *(functional.linear, torch.matmul, torch.mm, Tensor.matmul, Tensor.mm, Tensor.__matmul__),
}
_LAYERS = _PRODUCTS | {
    *(functional.conv1d, functional.conv2d, functional.conv_transpose1d),
    functional.conv_transpose2d,
}


class _Reached(Exception):
    def __init__(self, features: Tensor) -> None:
        self.features = features


class _FirstLayer(TorchFunctionMode):
    """Stops the computation at the first linear layer or convolution that depends on a tensor."""

    def __init__(self, z: Tensor) -> None:
        super().__init__()
        self._derived = [z]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        read = list(_tensors([args, (kwargs or {}).values()]))
        if any(tensor is known for tensor in read for known in self._derived):
            if func in _LAYERS:
                raise _Reached(result)
            self._derived += _tensors([result])
        return result


class _StyleMaps(TorchFunctionMode):
    """Collects the matrices of the linear layers that read one w per layer."""

    def __init__(self, styles: Tensor) -> None:
        super().__init__()
        self._styles = styles
        self.matrices: dict[int, list[Tensor]] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _PRODUCTS and args and isinstance(args[0], Tensor):
            for layer, w in enumerate(self._styles.unbind(1)):
                if args[0].shape == w.shape and torch.equal(args[0].float(), w.float()):
                    unit = torch.eye(w.shape[1], dtype=args[0].dtype, device=w.device)
                    columns = func(unit, *args[1:], **kwargs)
                    constant = func(torch.zeros_like(args[0]), *args[1:], **kwargs)
                    self.matrices.setdefault(layer, []).append((columns - constant).T)
        return func(*args, **kwargs)


def run_first_layer(network: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> Tensor | None:
    """Return the features of the first linear layer or convolution that reads the first input.

    Returns None if no layer reads it.
    """
    try:
        with _FirstLayer(inputs[0]):
            network(*inputs)
    except _Reached as reached:
        return reached.features
    return None


def find_style_maps(synthesize: Callable[[Tensor], Any], styles: Tensor) -> dict[int, list[Tensor]]:
    """Return the matrices of the linear layers that read w, (outputs, dim), by number of layer.

    Args:
        synthesize: the synthesis network.
        styles: one w per layer, (1, layers, dim), all different.
    """
    maps = _StyleMaps(styles)
    with maps:
        synthesize(styles)
    return maps.matrices


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple) or type(value) is type({}.values()):
            yield from _tensors(value)
