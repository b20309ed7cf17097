"""Windows of attention, in graphs for any batch size.

Networks such as SwinIR compute the batch size from the number of windows, as the integer part of a
quotient. torch's exporter takes it for the constant of the example, and writes a graph that is
wrong for all other batch sizes, without an error.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from torch import Tensor, nn

_LOCK = threading.RLock()  # of the functions, which all threads share


@contextmanager
def any_batch(network: nn.Module) -> Iterator[None]:
    """Join windows without the batch size while the block runs, with the same values.

    Args:
        network: a network of spandrel. Its modules' functions are replaced, and restored at the
            end.
    """
    modules = {sys.modules[type(part).__module__] for part in network.modules()}
    joins: dict[str, Callable[..., Tensor]] = {
        "window_reverse": join_squares,
        "windows2img": join_rectangles,
    }
    places = [
        (module, name, join)
        for module in modules
        for name, join in joins.items()
        if module.__name__.startswith("spandrel.") and _fits(getattr(module, name, None), join)
    ]
    patches = [patch.object(*place) for place in places]
    with _LOCK, ExitStack() as stack:
        for each in patches:
            stack.enter_context(each)
        yield


def _fits(function: object, join: Callable[..., Tensor]) -> bool:
    """Return whether a function has as many parameters as the one that replaces it."""
    if not callable(function):
        return False
    return len(inspect.signature(function).parameters) == len(inspect.signature(join).parameters)


def join_rectangles(windows: Tensor, rows: int, columns: int, height: int, width: int) -> Tensor:
    """Return maps (n, height, width, channels) of their windows.

    Args:
        windows: (n * number of windows, ..., channels), row by row; between the first and the last
            dimension are the pixels of a window.
        rows: height of a window.
        columns: width of a window.
        height: height of a map.
        width: width of a map.
    """
    channels = windows.shape[-1]
    grid = windows.reshape(-1, height // rows, width // columns, rows, columns, channels)
    return grid.permute(0, 1, 3, 2, 4, 5).reshape(-1, height, width, channels)


def join_squares(windows: Tensor, size: int, height: int, width: int) -> Tensor:
    """Return maps of square windows, as `join_rectangles`."""
    return join_rectangles(windows, size, size, height, width)
