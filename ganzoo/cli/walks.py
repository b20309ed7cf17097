"""Write walks through latent space as animations and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from ganzoo.cli.arguments import Text
from ganzoo.cli.outputs import MaybeOutput, choose_output
from ganzoo.errors import SampleError, quantity, shell_word
from ganzoo.spec.seeds import parse_seeds
from ganzoo.system.terminal import print_out


def walk(
    name: Text,
    /,
    seeds: str | None = None,
    files: Annotated[tuple[Path, ...], tyro.conf.arg(name="from")] = (),
    seconds: float = 12.0,
    fps: float = 30.0,
    output: MaybeOutput = None,
    labels: tuple[str, ...] = (),
    space: Literal["w", "z"] | None = None,
    easing: Literal["smooth", "linear"] = "smooth",
    truncation: float | None = None,
    scale: int | None = None,
    columns: int = 1,
    rows: int = 1,
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Write a video of images along a closed path through the latents of seeds, or codes of photos.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        seeds: the key points, such as 3,9,12 or 3 9 12 or 0-5.
        files: instead of seeds, files of codes, such as those of ganzoo invert: each code is a key
            point.
        seconds: duration.
        fps: images per second, 1 to 60; at most 50 for a .gif file.
        output: .mp4 or .webm file to write or replace, which need PyAV; or .gif or .webp. By
            default walk.mp4, which replaces no file.
        labels: names or numbers of classes: one for each seed, or one for all; by default the
            first class.
        space: w for straight lines between the w of the key points, z for arcs between their
            latents; by default w if the model has a mapping network, as a StyleGAN has.
        easing: smooth slows down at each key point, linear does not.
        truncation: distance of seeds from the average image, as for ganzoo sample; by default the
            model's own.
        scale: size of a pixel; by default images are enlarged to sides of at least 256 pixels.
        columns: walks side by side, each with its part of the key points.
        rows: rows of walks.
        runtime: torch or onnx; by default torch if it is installed.
        device: cpu, cuda, cuda:1, or auto for cuda if there is a GPU.
        threads: threads of onnxruntime; by default one per core.
    """
    from ganzoo import zoo
    from ganzoo.sampling.animations import check_animation
    from ganzoo.sampling.generator import Generator
    from ganzoo.sampling.walks import codes_of_files, default_space, save_walk

    if (seeds is None) != bool(files):
        raise SampleError(
            "a walk needs either seeds or files of codes. Pass --seeds 3,9,12, or --from "
            "a.z.safetensors b.z.safetensors."
        )
    numbers = [] if seeds is None else parse_seeds(seeds)
    output = choose_output(output, "walk.mp4")
    check_animation(output, fps, scale)
    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Generator):
        raise SampleError(
            f"{name} translates images. Use: ganzoo translate {shell_word(name)} FILE ... -o OUT"
        )
    codes = codes_of_files(model, files, space) if files else None
    frames = save_walk(
        model,
        output,
        numbers if codes is None else codes,
        seconds=seconds,
        fps=fps,
        labels=labels,
        space=space,
        easing=easing,
        truncation=truncation,
        scale=scale,
        columns=columns,
        rows=rows,
        progress=True,
    )
    through = ", ".join(map(str, files)) if files else f"seeds {seeds}"
    print_out(f"{output}: {quantity(frames, 'image')} in {seconds:g} s, through {through}")
    classes = {*labels} if codes is None or codes.y is None else {*codes.y.tolist()}
    if len(classes) > 1 and (space or default_space(model)) == "z":
        print_out(
            "The class changes at once in the middle between two key points, because it is no part "
            "of z."
        )
