"""The choice between batches from memory and streamed batches."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from ganzoo.data.batches import Batches
from ganzoo.data.capacity import free_memory
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.reading import count_values
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import RecipeError
from ganzoo.spec import DataSpec

MEMORY_SHARE = 0.25  # share of free memory for decoded images; the networks need the rest


def open_batches(
    dataset: Dataset[tuple[Tensor, ...]],
    spec: DataSpec,
    batch_size: int,
    seed: int,
    device: torch.device,
    *,
    streaming: Literal["auto", "on", "off"] = "auto",
    rank: int = 0,
    ranks: int = 1,
    parts: int = 1,
    agree: Callable[[bool], bool] = bool,
) -> Batches:
    """Return the batches of a dataset. They are the same from memory and streamed.

    Args:
        dataset: as for `Batches`.
        spec: the dataset's spec.
        batch_size: images in a batch, summed over all processes of the training.
        seed: seed of the order.
        device: device of the batches.
        rank: number of this process in the training, from 0.
        ranks: number of processes.
        parts: number of parts of a batch that are computed one after the other.
        streaming: ``on``, ``off``, or ``auto``, which streams if the decoded images would take more
            than `MEMORY_SHARE` of free memory.
        agree: turns this process's decision to stream into the common decision of all processes.

    Raises:
        DataError: the images do not match the spec, or an image is corrupt.
        RecipeError: the processes cannot share a batch evenly, or a batch exceeds free memory.
    """
    _check_batch(spec, batch_size // ranks, device)
    stream = streaming == "on" or (
        streaming == "auto"
        and not isinstance(dataset, TensorDataset)  # it is in memory already
        and exceeds_memory(_copies(ranks, device) * _decoded_bytes(dataset, spec), device)
    )
    kind = StreamedBatches if agree(stream) else MemoryBatches
    return kind(dataset, spec, batch_size, seed, device, rank=rank, ranks=ranks, parts=parts)


def exceeds_memory(decoded: int, device: torch.device) -> bool:
    """Return whether decoded images of this many bytes are streamed, unless the user decides."""
    return decoded > MEMORY_SHARE * free_memory(device)


def _check_batch(spec: DataSpec, images: int, device: torch.device) -> None:
    """Raise RecipeError if the images of one batch, as float32, exceed free memory."""
    size, free = 4 * images * count_values(spec), free_memory(device)
    if size > free:
        raise RecipeError(
            f"a batch of {images:,} images takes {size / 2**30:,.1f} GiB, and {free / 2**30:,.1f} "
            "GiB of memory are free. Use a smaller --batch-size."
        )


def _copies(ranks: int, device: torch.device) -> int:
    """Return how many copies of the images share one memory, the GPU's or the host's."""
    return 1 if device.type == "cuda" else int(os.environ.get("LOCAL_WORLD_SIZE", ranks))


def _decoded_bytes(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec) -> int:
    return len(dataset) * count_values(spec)  # type: ignore[arg-type]
