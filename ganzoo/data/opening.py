"""The choice between batches from memory, from a cache and streamed batches."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from ganzoo.data.batches import Batches
from ganzoo.data.cache import CacheOptions, ImageCache
from ganzoo.data.capacity import free_memory
from ganzoo.data.decoded_images import decode_images
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.reading import count_values
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import RecipeError, quantity
from ganzoo.spec import Component, DataSpec

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
    component: Component | None = None,
    root: Path | None = None,
    cache: CacheOptions | None = None,
) -> Batches:
    """Return the batches of a dataset. They are the same from memory, from a cache and streamed.

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
            than `MEMORY_SHARE` of free memory and are in no cache.
        agree: turns this process's decision to stream into the common decision of all processes.
        component: name and arguments of the dataset, for its cache.
        root: folder of the dataset, for its cache.
        cache: where decoded images are cached; None for nowhere. Streaming that is ``on`` uses no
            cache.

    Raises:
        DataError: the images do not match the spec, or an image is corrupt.
        RecipeError: the processes cannot share a batch evenly, or a batch exceeds free memory.
    """
    _check_batch(spec, batch_size // ranks, device)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", ranks))
    in_memory = isinstance(dataset, TensorDataset)
    copies = 1 if device.type == "cuda" else here  # that share one memory, the GPU's or the host's
    fits = in_memory or not exceeds_memory(copies * _decoded_bytes(dataset, spec), device)
    images, forecast = None, ""
    if cache and component and streaming != "on" and not in_memory and len(dataset):  # type: ignore[arg-type]
        file = ImageCache(cache, component, root, dataset, spec, ranks=here)
        images = file.load(fits=fits or streaming == "off", progress=rank == 0)
        forecast = file.forecast
    shares = {"rank": rank, "ranks": ranks, "parts": parts}
    if agree(streaming == "on" or (streaming == "auto" and not fits and images is None)):
        batches: Batches = StreamedBatches(dataset, spec, batch_size, seed, device, **shares)
        batches.cache = forecast
        return batches
    if images is None:
        images = decode_images(dataset, spec, progress=rank == 0, ranks=here)
    batches = MemoryBatches(dataset, spec, batch_size, seed, device, images=images, **shares)
    batches.cache = batches.cache or forecast
    return batches


def exceeds_memory(decoded: int, device: torch.device) -> bool:
    """Return whether decoded images of this many bytes are streamed, unless the user decides."""
    return decoded > MEMORY_SHARE * free_memory(device)


def _check_batch(spec: DataSpec, images: int, device: torch.device) -> None:
    """Raise RecipeError if the images of one batch, as float32, exceed free memory."""
    size, free = 4 * images * count_values(spec), free_memory(device)
    if size > free:
        raise RecipeError(
            f"a batch of {quantity(images, 'image')} takes {size / 2**30:,.1f} GiB, and "
            f"{free / 2**30:,.1f} GiB of memory are free. Use a smaller --batch-size."
        )


def _decoded_bytes(dataset: Dataset[tuple[Tensor, ...]], spec: DataSpec) -> int:
    return len(dataset) * count_values(spec)  # type: ignore[arg-type]
