"""Make images with a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ganzoo.cli.arguments import MaybeOutput, Output, Text
from ganzoo.errors import SampleError

if TYPE_CHECKING:
    from ganzoo.sampling.generator import Generator


def sample(
    name: Text,
    /,
    n: Annotated[int, tyro.conf.arg(name="n", aliases=["-n"])] = 64,
    seed: int = 0,
    output: MaybeOutput = None,
    out: Path | None = None,
    shard_size: int | None = None,
    label: str | None = None,
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Make images and save them as one grid, or with --out as shards of PNGs.

    torchrun --nproc-per-node N -m ganzoo sample NAME -n 1000000 --out DIR shares the shards out.

    Args:
        name: a model's name, ./folder or hf://org/repo.
        n: number of images.
        seed: image k of a seed is always the same one.
        output: the picture to write; by default grid.png.
        out: a folder to write tar shards of PNGs to instead; the same command again goes on.
        shard_size: images in a shard of --out; by default 10,000.
        label: a class's number or name, for models with classes; by default all in turn.
        runtime: torch or onnx; by default torch where it is installed.
        device: cpu, cuda, cuda:1, or auto, which is cuda where there is one.
        threads: that onnxruntime may use; by default one for each core.
    """
    from ganzoo import zoo
    from ganzoo.sampling.generator import Generator

    if out and output:
        raise SampleError(
            f"-o {output} asks for one picture, --out {out} for a folder of shards: type one."
        )
    if shard_size is not None and not out:
        raise SampleError("--shard-size is the size of the shards of --out: add --out DIR.")
    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Generator):
        raise SampleError(
            f"{name} makes images out of images: ganzoo translate {name} PICTURE ... -o OUT"
        )
    if out:
        _sample_to(model, out, n, seed, label, shard_size)
        return
    images = model.sample(n, seed, label=label)
    print(f"{images.save(output or Path('grid.png'))}: {n} images of seed {seed}")


def _sample_to(
    model: Generator, out: Path, n: int, seed: int, label: str | None, shard_size: int | None
) -> None:
    from ganzoo.sampling.shards import SHARD_SIZE, Process, sample_to

    process = Process.of_environment()
    model.accelerate(process.local_rank)
    size = SHARD_SIZE if shard_size is None else shard_size
    made = sample_to(
        model, out, n, seed, label=label, shard_size=size, process=process, progress=True
    )
    if made.ended_it:
        print(f"{out}: {n:,} images of seed {seed}, {made.images_per_second:,.0f} images/s")
    elif made.whole and not process.rank:
        print(f"{out}: {n:,} images of seed {seed}, all there already")


def translate(
    name: Text,
    pictures: tyro.conf.Positional[tuple[Path, ...]],
    /,
    seed: int = 0,
    output: Output = Path("translated.png"),
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Make images out of pictures, and save the pictures and what became of them as one grid.

    Args:
        name: a model's name, ./folder or hf://org/repo.
        pictures: files; the short side is resized and the middle cut out.
        seed: of the latents, where the model reads any.
        output: the picture to write.
        runtime: torch or onnx; by default torch where it is installed.
        device: cpu, cuda, cuda:1, or auto, which is cuda where there is one.
        threads: that onnxruntime may use; by default one for each core.
    """
    from ganzoo import zoo
    from ganzoo.sampling.generator import Translator
    from ganzoo.sampling.images import ImageBatch

    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Translator):
        raise SampleError(f"{name} makes images out of nothing: ganzoo sample {name} -o {output}")
    conditions = ImageBatch.open(pictures, model.condition)
    both = ImageBatch.rows(conditions, model.translate(conditions, seed), columns=len(conditions))
    count = "1 picture" if len(conditions) == 1 else f"{len(conditions)} pictures"
    print(f"{both.save(output)}: {count} translated")
