"""Generate and translate images with a model."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganzoo.cli.arguments import Text, parse_options
from ganzoo.cli.outputs import MaybeOutput, choose_output
from ganzoo.errors import SampleError, quantity, shell_word
from ganzoo.spec.seeds import parse_seeds
from ganzoo.system.terminal import print_error, print_out

if TYPE_CHECKING:
    from ganzoo.sampling.generator import Generator
    from ganzoo.sampling.image_fits import Fit
    from ganzoo.sampling.translated_files import TranslationReport
    from ganzoo.sampling.translation import Translator

LARGEST_GRID = 256  # inputs in a grid
_FITTED = {  # the effect of each fit
    "crop": "resized and cropped at the centre",
    "pad": "resized and padded",
    "stretch": "stretched",
}
LARGEST_SCALE = 64


def sample(
    name: Text,
    /,
    n: Annotated[int | None, tyro.conf.arg(name="n", aliases=["-n"])] = None,
    seed: int | None = None,
    seeds: str | None = None,
    output: MaybeOutput = None,
    separate: bool = False,
    out: Path | None = None,
    shard_size: int | None = None,
    label: str | None = None,
    truncation: float | None = None,
    sampler: tuple[str, ...] = (),
    scale: int | None = None,
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Generate images: one grid, with --separate one file each, with --out tar shards of PNGs.

    Several processes share the shards: torchrun --nproc-per-node N -m ganzoo sample NAME
    -n 1000000 --out DIR.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        n: number of images; by default 64, or with a sampler of stored codes all of its file.
        seed: seed of the latents, by default 0; image k of a seed is always the same.
        seeds: instead of -n and --seed, the first image of each of these seeds, such as 0-35 or
            3,9,12.
        output: image file to write or replace; by default grid.png, which replaces no file. With
            --separate a folder, by default images.
        separate: write one PNG for each image: seed0003.png with --seeds, else 000003.png. No
            file is replaced.
        out: folder for tar shards of PNGs, instead of a grid; repeat the command to continue.
        shard_size: images per shard of --out; by default 10,000.
        label: name or number of a class, for models with classes; by default all classes
            alternate.
        truncation: for a StyleGAN the factor of the distance of w from its average, such as 0.7 (1
            for none); for other models the largest magnitude of a value of z, such as 2.
        sampler: name of a sampler and its options, such as mixed second-seed=5 layers=fine.
        scale: size of a pixel in the grid; by default images are at least 64 pixels wide.
        runtime: torch or onnx; by default torch if it is installed.
        device: cpu, cuda, cuda:1, or auto for cuda if there is a GPU.
        threads: threads of onnxruntime; by default one per core.
    """
    from ganzoo import zoo
    from ganzoo.sampling.generator import Generator
    from ganzoo.sampling.images import find_format
    from ganzoo.sampling.sizes import arrange, check_size

    if out and (output or separate or seeds is not None):
        raise SampleError(
            f"--out {shell_word(out)} and -o, --separate or --seeds exclude each other. "
            "Pass --out for a folder of shards, or the others for image files."
        )
    if shard_size is not None and not out:
        raise SampleError("--shard-size has no effect without --out. Add --out DIR.")
    if seeds is not None and (n, seed) != (None, None):
        raise SampleError("--seeds excludes -n and --seed. Pass --seeds 0-35, or -n 36 --seed 0.")
    if scale is not None and not 1 <= scale <= LARGEST_SCALE:
        raise SampleError(f"--scale is {scale}; it must be 1 to {LARGEST_SCALE}.")
    if scale is not None and (out or separate):
        raise SampleError("--scale enlarges a grid, and --out and --separate write none.")
    file = None if out or separate else choose_output(output, "grid.png")
    kind = file and find_format(file)
    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Generator):
        raise SampleError(
            f"{name} translates images. Use: ganzoo translate {shell_word(name)} FILE ... -o OUT"
        )
    how = _sampler(model, sampler, truncation)
    n, seed = _default_count(model, how) if n is None else n, seed or 0
    if out:
        _sample_to(model, out, n, seed, label, shard_size, how)
    elif file is None:
        _sample_files(model, output or Path("images"), n, seed, seeds, label, how)
    else:
        which: dict[str, Any] = {"n": n, "seed": seed}
        if seeds is not None:
            which = {"seeds": parse_seeds(seeds)}
            n = len(which["seeds"])
        if kind != "GIF":  # of several images an animation
            height, width = arrange(n, *model.spec.data.image.shape[1:])[1:]
            check_size("a grid", height, width, scale or 1)  # before the images are generated
        images = model.sample(**which, label=label, **how)
        path = images.save(file, scale=scale)
        print_out(f"{path}: {quantity(len(images), 'image')} of {_name(seed, seeds, how)}")


def _sampler(
    model: Generator, sampler: tuple[str, ...], truncation: float | None
) -> dict[str, Any]:
    """Return the sampler and its options, as arguments of `Generator.sample`."""
    from ganzoo.registry import samplers
    from ganzoo.registry.signatures import arguments_of
    from ganzoo.sampling.samplers import RESERVED

    if truncation is None:
        name, *texts = sampler or ("plain",)
        texts_only = [
            key
            for key, argument in arguments_of(samplers.get(name)).items()
            if argument.annotation in (str, str | None)
        ]
        options = parse_options(texts, texts_only)
        if reserved := RESERVED & options.keys():
            raise SampleError(
                f"{min(reserved)!r} is not an option of a sampler. Use --seed, --seeds and --label."
            )
        return {"sampler": name, **options}
    if sampler:
        raise SampleError(
            "--truncation excludes --sampler. Pass the truncation as an option of the sampler, "
            "such as --sampler mixed psi=0.7."
        )
    if model.spec.styles:
        return {"sampler": "truncated", "psi": truncation}
    return {"sampler": "truncated-normal", "threshold": truncation}


def _default_count(model: Generator, how: dict[str, Any]) -> int:
    """Return the number of images, unless -n states it."""
    if (file := _file_of_images(how)) is None:
        return 64
    from ganzoo.sampling.code_files import count_codes, read_codes
    from ganzoo.system.quiet import ignored_warnings

    with ignored_warnings():  # the sampler reads the file again
        return count_codes(read_codes(file, model.spec))


def _file_of_images(how: dict[str, Any]) -> str | None:
    """Return the file whose codes a sampler uses instead of seeds; None if it uses seeds."""
    file = how.get("file") if how["sampler"] in ("stored", "directed") else None
    return file if isinstance(file, str) else None


def _name(seed: int, seeds: str | None, how: dict[str, Any]) -> str:
    if file := _file_of_images(how):
        return file
    return f"seeds {seeds}" if seeds else f"seed {seed}"


def _sample_files(
    model: Generator,
    folder: Path,
    n: int,
    seed: int,
    seeds: str | None,
    label: str | None,
    how: dict[str, Any],
) -> None:
    from ganzoo.sampling.files import sample_files

    chosen = list(dict.fromkeys(parse_seeds(seeds))) if seeds is not None else None
    count = sample_files(model, folder, n, seed, seeds=chosen, label=label, progress=True, **how)
    print_out(f"{folder}: {quantity(count, 'image')} of {_name(seed, seeds, how)}")


def _sample_to(
    model: Generator,
    out: Path,
    n: int,
    seed: int,
    label: str | None,
    shard_size: int | None,
    how: dict[str, Any],
) -> None:
    from ganzoo.sampling.shards import SHARD_SIZE, Process, sample_to

    process = Process.of_environment()
    model.accelerate(process.local_rank)
    size = SHARD_SIZE if shard_size is None else shard_size
    sampler = how.pop("sampler")
    settings: dict[str, Any] = dict(label=label, shard_size=size, sampler=sampler, options=how)
    result = sample_to(model, out, n, seed, **settings, process=process, progress=True)
    if result.ended_it:
        print_out(
            f"{out}: {quantity(n, 'image')} of seed {seed}, {result.images_per_second:,.0f} "
            "images/s"
        )
    elif result.whole and not process.rank:
        print_out(f"{out}: {quantity(n, 'image')} of seed {seed} exist already")


def translate(
    name: Text,
    files: tyro.conf.Positional[tuple[Path, ...]],
    /,
    seed: int = 0,
    output: MaybeOutput = None,
    grid: bool = False,
    fit: Literal["crop", "pad", "stretch"] | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Translate image files, or all image files in folders.

    The outputs in a folder keep the names and sub-folders of the inputs and end in .png. Repeat the
    command to continue: outputs in a folder that exist already are kept, unless their input has
    changed. Its translation.json states the model and the settings, and outputs of others are
    refused.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        files: image files, or folders. A model of one size reads them fitted to it; others read
            them as they are.
        seed: seed of the latents, for models with latents.
        output: image file to write or replace for one image, or folder for several; by default
            translated.png, which replaces no file, or translated.
        grid: save the inputs above the outputs as one image file, resized to the size of the
            model's training.
        fit: how images get the size of a model that reads one size, or of --grid: crop their
            centre, pad them, or stretch them; by default as the dataset of its training did, or
            crop if the model does not state it.
        tile: side of overlapping tiles, for images with a longer side; 0 translates every image
            whole. By default, images of more than 1024x1024 pixels have tiles of 512.
        overlap: pixels that two tiles share, half of them blended. By default twice the reach of
            the network, so that tiles give the same image as the whole one, or 32 if the reach is
            not known.
        runtime: torch or onnx; by default torch if it is installed.
        device: cpu, cuda, cuda:1, or auto for cuda if there is a GPU.
        threads: threads of onnxruntime; by default one per core.
    """
    from ganzoo import zoo
    from ganzoo.sampling.translation import Translator

    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Translator):
        raise SampleError(
            f"{name} does not translate images. Use: ganzoo sample {shell_word(name)} -o "
            f"{shell_word(output or 'grid.png')}"
        )
    if grid and (tile, overlap) != (None, None):
        raise SampleError(
            "--tile and --overlap have no effect with --grid. Omit them, or omit --grid."
        )
    if grid:
        _translate_to_grid(model, files, seed, choose_output(output, "translated.png"), fit)
    elif fit and model.sizes:
        raise SampleError(f"{name} reads images of any size, so --fit has no effect. Omit it.")
    else:
        _translate_to_files(model, files, seed, output, tile, overlap, fit)


def _translate_to_grid(
    model: Translator, inputs: tuple[Path, ...], seed: int, output: Path, fit: Fit | None
) -> None:
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.sampling.translated_files import find_fitting, list_inputs

    files = list_inputs(inputs)
    if len(files) > LARGEST_GRID:
        raise SampleError(
            f"a grid of {len(files):,} images is too large, the limit is {LARGEST_GRID}. Pass "
            "fewer files, or omit --grid."
        )
    conditions = ImageBatch.open(files, model.condition, find_fitting(model, fit))
    rows = ImageBatch.rows(conditions, model.translate(conditions, seed), columns=len(conditions))
    print_out(
        f"{rows.save(output, columns=len(conditions))}: {quantity(len(conditions), 'image')} "
        "translated"
    )


def _translate_to_files(
    model: Translator,
    inputs: tuple[Path, ...],
    seed: int,
    output: Path | None,
    tile: int | None,
    overlap: int | None,
    fit: Fit | None,
) -> None:
    from ganzoo.sampling.sizes import TILE
    from ganzoo.sampling.translated_files import find_fitting, translate_files

    def run(outputs: dict[Path, Path], folder: Path | None) -> TranslationReport:
        return translate_files(
            model,
            outputs,
            seed,
            tile=tile,
            overlap=overlap,
            fit=fit,
            folder=folder,
            progress=folder is not None,
        )

    report = convert(inputs, output, "translated", run)
    if report.fitted:
        fitting = find_fitting(model, fit)
        order = "" if fitting.width == fitting.height else " (height x width)"
        print_out(
            f"  {_FITTED[fitting.fit]}: {quantity(report.fitted, 'image')}, to "
            f"{fitting.height}x{fitting.width} pixels{order}, the only size that "
            f"{model.spec.name} reads"
        )
    if report.tiled and model.sizes:
        side = model.sizes.padded(tile or TILE)
        print_out(f"  in tiles of {side}x{side} pixels: {quantity(report.tiled, 'image')}")


def convert(
    inputs: tuple[Path, ...],
    output: Path | None,
    verb: str,
    run: Callable[[dict[Path, Path], Path | None], TranslationReport],
    endings: Collection[str] = (),
) -> TranslationReport:
    """Convert image files and folders of them, and print what was written.

    Args:
        inputs: image files, and folders of them.
        output: the value of -o; by default the verb, with ``.png`` for one file.
        verb: the participle of what the command does.
        run: converts the files of a plan, in a folder that may have some of them.
        endings: as for `plan_outputs`.
    """
    from PIL import Image

    from ganzoo.sampling.progress import format_rate
    from ganzoo.sampling.translated_files import plan_outputs

    one = len(inputs) == 1 and not inputs[0].is_dir()
    out = choose_output(output, f"{verb}.png") if one else output or Path(verb)
    outputs = plan_outputs(inputs, out, endings)
    one = list(outputs.values()) == [out]
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # the free memory limits them
    try:
        report = run(outputs, None if one else out)
    except KeyboardInterrupt:
        if not one:
            print_error(f"every image in {out} is complete. Repeat the command to continue.")
        raise
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    rate = "" if one else f", {format_rate(report.images_per_second)}"
    text = [f"{quantity(report.translated, 'image')} {verb}{rate}"] if report.translated else []
    text += [f"{quantity(report.existing, 'image')} already existed"] if report.existing else []
    text += [f"{quantity(report.unreadable, 'image')} cannot be read"] if report.unreadable else []
    print_out(f"{out}: {'; '.join(text)}")
    return report
