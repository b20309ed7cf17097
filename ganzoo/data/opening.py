"""Whether a dataset is kept in memory or streamed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from ganzoo.data.batches import Batches
from ganzoo.data.capacity import free_memory
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.spec import DataSpec

MEMORY_SHARE = 0.25  # of free memory, that decoded images may take; the networks need some too


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
    """Return a dataset's batches, which are the same however they are kept.

    Args:
        dataset: as `Batches` takes it, and so all others.
        spec: what it says it holds.
        batch_size: images in a batch, over all processes that train together.
        seed: of the order.
        device: where batches are wanted.
        streaming: ``auto`` streams what, decoded, would take more than `MEMORY_SHARE` of free
            memory.
        rank: number of this process among those that train together.
        ranks: how many these are.
        parts: parts that a batch is computed in.
        agree: what these processes do together when one of them has decided for itself whether to
            stream.

    Raises:
        DataError: images that are not what the spec says; a corrupt image.
        RecipeError: a batch that the processes cannot share evenly.
    """
    stream = streaming == "on" or (
        streaming == "auto"
        and not isinstance(dataset, TensorDataset)  # which is in memory already
        and _copies(ranks, device) * _decoded_bytes(dataset, spec)
        > MEMORY_SHARE * free_memory(device)
    )
    kind = StreamedBatches if agree(stream) else MemoryBatches
    return kind(dataset, spec, batch_size, seed, device, rank=rank, ranks=ranks, parts=parts)


def _copies(ranks: int, device: torch.device) -> int:
    """How many processes keep the images in one memory: a GPU's own, or that of this host."""
    return 1 if device.type == "cuda" else int(os.environ.get("LOCAL_WORLD_SIZE", ranks))


def _decoded_bytes(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec) -> int:
    sizes = [spec.image.shape] + ([spec.condition.shape] if spec.condition else [])
    return len(dataset) * sum(math.prod(size) for size in sizes)  # type: ignore[arg-type]
