"""Options that importers read from the shapes of tensors."""

from __future__ import annotations

from itertools import count

from ganzoo.errors import ImportFileError
from ganzoo.importers.checkpoint import Checkpoint


def shape_of(checkpoint: Checkpoint, path: str, dimensions: int) -> tuple[int, ...]:
    """Return the shape of a tensor.

    Args:
        checkpoint: the checkpoint.
        path: path of the tensor.
        dimensions: how many dimensions it must have.

    Raises:
        ImportFileError: the file has no such tensor, or it has other dimensions or no numbers.
    """
    tensor = checkpoint.tensors.get(path)
    if tensor is None:
        raise ImportFileError(f"it lacks the tensor {path!r}. Get the file again.")
    if len(tensor.shape) != dimensions or not tensor.size:
        raise ImportFileError(
            f"{path} has shape {tensor.shape}, not {dimensions} dimensions of at least 1. Look at "
            "it with --inspect."
        )
    return tensor.shape


def count_parts(checkpoint: Checkpoint, pattern: str, start: int = 0) -> int:
    """Return how many tensors a file has whose paths differ in a running number.

    Args:
        checkpoint: the checkpoint.
        pattern: their path, with ``{}`` in place of the number.
        start: the first number.
    """
    return next(k for k in count() if pattern.format(start + k) not in checkpoint.tensors)
