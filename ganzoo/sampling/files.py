"""Write each image of a series as a file of its own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import reporting_output, write_file
from ganzoo.errors import OutputError, SampleError
from ganzoo.sampling.classes import Label
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.progress import Progress
from ganzoo.sampling.sizes import images_at_once


def sample_files(
    model: Generator,
    folder: Path,
    n: int,
    seed: int = 0,
    *,
    seeds: Sequence[int] | None = None,
    label: Label | None = None,
    progress: bool = False,
    **sampler: Any,
) -> int:
    """Write one PNG for each image, in constant memory.

    Args:
        model: the generator.
        folder: the folder, which is created; an existing file is never replaced.
        n: number of images of the seed.
        seed: 0 to 2**64 - 1. Image 3 is written to 000003.png.
        seeds: instead of both, the first image of each of these seeds: seed0003.png.
        label: name or index of the class, as for `Generator.sample`.
        progress: whether to print the progress on stderr.
        sampler: sampler and its options, as for `Generator.sample`.

    Returns:
        The number of images.

    Raises:
        SampleError: an argument is out of range.
        OutputError: a file exists, or cannot be written.
    """
    count = n if seeds is None else len(seeds)
    if count < 1:
        raise SampleError(f"cannot sample {count} images: n is 1 or more.")
    size = images_at_once(model.spec)
    with Progress(count, 1, progress) as line:
        for first in range(0, count, size):
            end = min(first + size, count)
            if seeds is None:
                images = model.sample(end - first, seed, start=first, label=label, **sampler)
            else:
                images = model.sample(seeds=seeds[first:end], label=label, **sampler)
            with reporting_output(folder):
                folder.mkdir(parents=True, exist_ok=True)
            for k, image in enumerate(images, first):
                name = f"{k:06d}.png" if seeds is None else f"seed{seeds[k]:04d}.png"
                buffer = io.BytesIO()
                image.save(buffer, "PNG")
                _write_new(folder / name, buffer.getvalue())
            line.update(end - first)
    return count


def _write_new(path: Path, content: bytes) -> None:
    if path.exists():
        raise OutputError(f"{path} exists. Choose another folder with -o, or remove the file.")
    write_file(path, content)
