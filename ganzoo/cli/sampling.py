"""Generate and translate images with a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ganzoo.cli.arguments import MaybeOutput, Output, Text
from ganzoo.errors import SampleError
from ganzoo.system.terminal import print_out

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
    """Generate images and save them as one grid, or with --out as tar shards of PNGs.

    Several processes share the shards: torchrun --nproc-per-node N -m ganzoo sample NAME
    -n 1000000 --out DIR.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        n: number of images.
        seed: seed of the latents; image k of a seed is always the same.
        output: image file to write; by default grid.png.
        out: folder for tar shards of PNGs, instead of a grid; repeat the command to continue.
        shard_size: images per shard of --out; by default 10,000.
        label: name or number of a class, for models with classes; by default all classes
            alternate.
        runtime: torch or onnx; by default torch if it is installed.
        device: cpu, cuda, cuda:1, or auto for cuda if there is a GPU.
        threads: threads of onnxruntime; by default one per core.
    """
    from ganzoo import zoo
    from ganzoo.sampling.generator import Generator

    if out and output:
        raise SampleError(
            f"-o {output} and --out {out} exclude each other. Pass -o for one image file, or --out "
            "for a folder of shards."
        )
    if shard_size is not None and not out:
        raise SampleError("--shard-size has no effect without --out. Add --out DIR.")
    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Generator):
        raise SampleError(f"{name} translates images. Use: ganzoo translate {name} FILE ... -o OUT")
    if out:
        _sample_to(model, out, n, seed, label, shard_size)
        return
    images = model.sample(n, seed, label=label)
    print_out(f"{images.save(output or Path('grid.png'))}: {n} images of seed {seed}")


def _sample_to(
    model: Generator, out: Path, n: int, seed: int, label: str | None, shard_size: int | None
) -> None:
    from ganzoo.sampling.shards import SHARD_SIZE, Process, sample_to

    process = Process.of_environment()
    model.accelerate(process.local_rank)
    size = SHARD_SIZE if shard_size is None else shard_size
    result = sample_to(
        model, out, n, seed, label=label, shard_size=size, process=process, progress=True
    )
    if result.ended_it:
        print_out(f"{out}: {n:,} images of seed {seed}, {result.images_per_second:,.0f} images/s")
    elif result.whole and not process.rank:
        print_out(f"{out}: {n:,} images of seed {seed} exist already")


def translate(
    name: Text,
    files: tyro.conf.Positional[tuple[Path, ...]],
    /,
    seed: int = 0,
    output: Output = Path("translated.png"),
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Translate image files, and save the inputs and the outputs as one grid.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        files: image files; they are resized by their short side and cropped at the centre.
        seed: seed of the latents, for models with latents.
        output: image file to write.
        runtime: torch or onnx; by default torch if it is installed.
        device: cpu, cuda, cuda:1, or auto for cuda if there is a GPU.
        threads: threads of onnxruntime; by default one per core.
    """
    from ganzoo import zoo
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.sampling.translation import Translator

    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Translator):
        raise SampleError(
            f"{name} does not translate images. Use: ganzoo sample {name} -o {output}"
        )
    conditions = ImageBatch.open(files, model.condition)
    grid = ImageBatch.rows(conditions, model.translate(conditions, seed), columns=len(conditions))
    count = "1 image" if len(conditions) == 1 else f"{len(conditions)} images"
    print_out(f"{grid.save(output)}: {count} translated")
