"""Compute directions in the latent space of a model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganzoo.cli.arguments import Text
from ganzoo.cli.outputs import MaybeOutput, check_companion, check_folder, choose_output
from ganzoo.errors import SampleError, quantity
from ganzoo.system.terminal import print_out

if TYPE_CHECKING:
    from ganzoo.sampling.directions import Directions
    from ganzoo.sampling.generator import Generator
    from ganzoo.spec import ImageSpec

ROWS, FEWEST_ROWS = 8, 2  # directions in the figure
STEPS, FEWER_STEPS = 5, 3  # images of a direction; the middle one is that of all directions
PIXELS = 17 * 512 * 512  # of the computed images: 8 directions of 3 images of 512x512
IMAGE_SIDE = 176  # largest side of an enlarged image, in pixels


def directions(
    name: Text,
    /,
    method: Literal["sefa", "ganspace", "classes"] = "sefa",
    layers: str = "",
    count: int | None = None,
    extractor: str = "",
    classes: Annotated[tuple[str, ...], tyro.conf.arg(name="class")] = (),
    draws: int | None = None,
    seed: int = 0,
    label: str | None = None,
    resize: bool = False,
    strength: float = 2.0,
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    output: MaybeOutput = None,
    figure: Path | None = None,
) -> None:
    """Compute directions in w, or z, and plot the first eight at five strengths.

    To move images along a direction: ganzoo sample NAME --sampler directed
    directions=directions.safetensors number=0 strength=2. The figure of a model of large images has
    fewer images: 8 directions at three strengths for 512x512 pixels, and 2 for 1024x1024.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        method: sefa factorises the weights that read w (torch runtime only) or z; ganspace takes
            the principal components of w, or of the features of the first layer; classes learns
            the directions to the classes of an extractor.
        layers: layers whose w moves: coarse, middle, fine, or numbers from 0 such as 0-3,5; by
            default all.
        count: number of directions of sefa and ganspace; by default 8, or the length of
            a shorter w or z.
        extractor: extractor with classes, such as lenet-mnist@1.
        classes: names of its classes; by default each that it sees often enough.
        draws: number of random latents; by default 10,000, or 2,000 images for classes.
        seed: seed of the latents, and of the image in the figure.
        label: class of the images, for models with classes; by default all alternate.
        resize: resize images that differ from the size of the extractor.
        strength: largest strength in the figure, in standard deviations of the model's latents.
        runtime: torch or onnx; by default torch if it is installed.
        device: cpu, cuda, cuda:1, or auto for cuda if there is a GPU.
        threads: threads of onnxruntime; by default one per core.
        output: safetensors file to write or replace; by default directions.safetensors, which
            replaces no file.
        figure: image file of the figure; by default beside the directions, with the extension .png.
    """
    from ganzoo import plots, zoo
    from ganzoo.sampling.generator import Generator
    from ganzoo.sampling.latent_files import check_extension

    output = check_extension(choose_output(output, "directions.safetensors"), "directions")
    if figure is None:
        figure = output.with_suffix(".png")
        check_companion(figure, output)
    check_folder(figure)
    plots.check_ending(figure, plots.FIGURES)
    if bool(extractor) != (method == "classes") or (classes and not extractor):
        raise SampleError(
            "--method classes needs --extractor NAME, and --extractor and --class need --method "
            "classes. For example: --method classes --extractor lenet-mnist@1 --class 3."
        )
    if method == "classes" and count is not None:
        raise SampleError("--count has no effect with --method classes. Use --class.")
    if resize and method != "classes":
        raise SampleError("--resize has no effect without --method classes. Omit it.")
    if not math.isfinite(strength):
        raise SampleError(f"the strength is {strength}; it must be finite, such as 2.")
    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Generator):
        raise SampleError(f"{name} translates images, so it has no latent space to move in.")
    options: dict[str, Any] = {"layers": layers, "seed": seed, "label": label}
    if draws is not None:
        options["draws"] = draws
    if method == "classes":
        from ganzoo.evaluation.class_directions import class_directions

        result = class_directions(
            model, extractor, classes, **options, resize=resize, progress=True
        )
    else:
        from ganzoo.sampling.direction_methods import compute_directions, default_count

        count = default_count(model.spec) if count is None else count
        result = compute_directions(model, method, **options, count=count)
    sheet = _draw(model, result, seed, label, strength)  # an error leaves no file
    result.save(output)
    plots.save_figure(sheet, figure)
    print_out(f"{output}: {quantity(len(result), 'direction')} in {result.space} by {method}")
    if method == "classes":
        print_out(f"  {', '.join(f'number {k}: {name}' for k, name in enumerate(result.names))}")
    rows, steps = figure_size(model.spec.data.image, len(result))
    print_out(f"{figure}: the first {rows}, each at {steps} strengths")


def figure_size(image: ImageSpec, directions: int) -> tuple[int, int]:
    """Return the number of directions in the figure, and of images of each.

    Args:
        image: size of an image.
        directions: number of directions in the file.
    """
    images, rows = PIXELS // (image.height * image.width), min(ROWS, directions)
    if rows * (STEPS - 1) < images:
        return rows, STEPS
    return max(min(rows, FEWEST_ROWS), min(rows, (images - 1) // (FEWER_STEPS - 1))), FEWER_STEPS


def _draw(
    model: Generator, result: Directions, seed: int, label: str | None, strength: float
) -> Any:
    """Draw an image moved along each of the first directions."""
    import numpy as np

    from ganzoo import plots
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.sampling.progress import Progress

    count, steps = figure_size(model.spec.data.image, len(result))
    start = result.start(model, model.codes(model.draw_seeds([seed], label)))
    strengths = [float(s) for s in np.linspace(-strength, strength, steps)]
    rows = {}
    with Progress(count * (steps - 1) + 1, 1, True) as progress:

        def render(number: int, s: float) -> Any:
            image = plots.shrink(model.render(result.move(start, number, s))).numpy()
            progress.update(1)
            return image

        middle = render(0, 0.0)
        for k, caption in enumerate(result.names[:count]):
            images = [render(k, s) if s else middle for s in strengths]
            rows[caption] = ImageBatch(np.concatenate(images))
    captions = [f"{s:+.3g}" if s else "0" for s in strengths]
    return plots.draw_rows(rows, columns=steps, captions=captions, image_side=IMAGE_SIDE)
