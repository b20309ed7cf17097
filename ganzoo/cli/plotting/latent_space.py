"""Plot images of chosen latents: mixed styles, truncation, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ganzoo.cli.arguments import Text
from ganzoo.cli.outputs import choose_output
from ganzoo.cli.plotting.arguments import FigureFile
from ganzoo.cli.plotting.datasets import load_generator
from ganzoo.errors import PlotError, quantity
from ganzoo.spec.seeds import parse_seeds
from ganzoo.system.terminal import print_out

if TYPE_CHECKING:
    from ganzoo.sampling.generator import Generator
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.sampling.samplers import Codes

MAX_IMAGES = 400  # images of a figure
PSI = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)
THRESHOLDS = (10.0, 2.0, 1.5, 1.0, 0.5)  # for models without w
IMAGE_SIDE = 176  # largest side of an enlarged image, in pixels


def style_mixing(
    name: Text,
    /,
    rows: str = "1,2,3",
    columns: str = "4,5,6",
    layers: str = "coarse",
    truncation: float | None = None,
    label: str | None = None,
    runtime: Literal["torch", "onnx"] | None = None,
    output: FigureFile = None,
) -> None:
    """Plot a table of mixed styles: images of the rows with some layers of the columns.

    Args:
        name: name of a model with a mapping network, ./folder or hf://org/repo.
        rows: seeds of the rows, such as 0-4 or 3,9,12; or a file of codes, such as one of ganzoo
            invert.
        columns: seeds of the columns, or a file of codes.
        layers: layers that read the w of the column: coarse, middle, fine, or numbers from 0 such
            as 0-3,5.
        truncation: factor of the distance of w from its average, such as 0.7; by default the
            generator's own.
        label: class of all images, for models with classes; by default the first.
        runtime: torch or onnx; by default torch if it is installed.
    """
    import numpy as np

    from ganzoo import plots
    from ganzoo.sampling.samplers import Codes
    from ganzoo.sampling.styles import mix

    output = choose_output(output, "style-mixing.png")
    plots.check_ending(output, plots.FIGURES)
    model = load_generator(name, runtime)
    first, names = _read_codes(model, rows, "--rows", label)
    second, others = _read_codes(model, columns, "--columns", label)
    count = len(names) * len(others)
    _check_count(count)
    own, other = (model.styles_of(codes, truncation) for codes in (first, second))
    mixed = mix(own.repeat(len(other), axis=0), np.concatenate([other] * len(own)), layers)
    images = [plots.shrink(model.render(Codes(styles=each))) for each in (own, other, mixed)]
    figure = plots.draw_style_mixing(images[0], images[1], images[2], (names, others))
    written = plots.save_figure(figure, output)
    print_out(f"{written}: {quantity(count, 'image')} of {rows}, with layers {layers} of {columns}")


def truncation(
    name: Text,
    /,
    seeds: str = "0-4",
    truncation: tuple[float, ...] = (),
    label: str | None = None,
    runtime: Literal["torch", "onnx"] | None = None,
    output: FigureFile = None,
) -> None:
    """Plot images of some seeds at several truncations, one row per seed.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        seeds: seeds of the images, such as 0-4 or 3,9,12.
        truncation: factors of the distance of w from its average, by default 1 0.7 0.5 0 -0.5 -1.
            For models without w: largest magnitudes of a value of z, by default 10 2 1.5 1 0.5.
        label: class of all images, for models with classes; by default the first.
        runtime: torch or onnx; by default torch if it is installed.
    """
    from ganzoo import plots

    output = choose_output(output, "truncation.png")
    plots.check_ending(output, plots.FIGURES)
    chosen = parse_seeds(seeds)
    model = load_generator(name, runtime)
    option, sampler = (
        ("psi", "truncated") if model.spec.styles else ("threshold", "truncated-normal")
    )
    values = truncation or (PSI if model.spec.styles else THRESHOLDS)
    _check_count(len(chosen) * len(values))
    draw = model.draw_seeds(chosen, label)
    codes = [model.codes(draw, sampler, **{option: value}) for value in values]
    batches = [plots.shrink(model.render(each)) for each in codes]
    figure = plots.draw_rows(
        {f"seed {seed}": _pick(batches, row) for row, seed in enumerate(chosen)},
        columns=len(values),
        captions=[f"{option} {value:g}" for value in values],
        image_side=IMAGE_SIDE,
    )
    written = plots.save_figure(figure, output)
    print_out(f"{written}: seeds {seeds} at {option} {', '.join(f'{value:g}' for value in values)}")


def noise(
    name: Text,
    /,
    seeds: str = "0-3",
    label: str | None = None,
    output: FigureFile = None,
) -> None:
    """Plot images with the noise of their layers, without it, and the difference.

    Args:
        name: name of a model whose layers add noise, such as a StyleGAN2 (torch runtime only),
            ./folder or hf://org/repo.
        seeds: seeds of the images, such as 0-3 or 3,9,12.
        label: class of all images, for models with classes; by default the first.
    """
    import numpy as np

    from ganzoo import plots
    from ganzoo.sampling.images import ImageBatch

    output = choose_output(output, "noise.png")
    plots.check_ending(output, plots.FIGURES)
    chosen = parse_seeds(seeds)
    _check_count(3 * len(chosen))
    model = load_generator(name, "torch")
    silent = model.without_noise()
    codes = model.codes(model.draw_seeds(chosen, label))
    whole = [one.render(codes) for one in (model, silent)]
    mean = float(np.abs(np.subtract(*(batch.numpy().astype(np.int16) for batch in whole))).mean())
    images = [plots.shrink(batch) for batch in whole]
    levels = [batch.numpy().astype(np.int16) for batch in images]
    difference = np.abs(levels[0] - levels[1])
    factor = 255 // max(1, int(difference.max()))
    rows = {
        "with noise": images[0],
        "without noise": images[1],
        f"difference x {factor}": ImageBatch((factor * difference).astype(np.uint8)),
    }
    captions = [f"seed {seed}" for seed in chosen]
    written = plots.save_figure(
        plots.draw_rows(rows, captions=captions, image_side=IMAGE_SIDE), output
    )
    print_out(f"{written}: noise changes a pixel by {mean:.2f} of 255 levels on average")


def _read_codes(
    model: Generator, text: str, option: str, label: str | None
) -> tuple[Codes, list[str]]:
    """Return the codes of seeds, or of a file, and their names."""
    from ganzoo.sampling.code_files import count_codes, read_codes
    from ganzoo.sampling.latent_files import SUFFIX

    if text.endswith(SUFFIX):
        codes = read_codes(text, model.spec)
        return codes, [f"code {k}" for k in range(count_codes(codes))]
    seeds = parse_seeds(text, option)
    _check_count(len(seeds))
    return model.codes(model.draw_seeds(seeds, label)), [f"seed {seed}" for seed in seeds]


def _pick(batches: list[ImageBatch], row: int) -> ImageBatch:
    """Return one image of each batch."""
    import numpy as np

    from ganzoo.sampling.images import ImageBatch

    return ImageBatch(np.stack([batch.numpy()[row] for batch in batches]))


def _check_count(count: int) -> None:
    if count > MAX_IMAGES:
        raise PlotError(
            f"a figure of {count:,} images is too large: the limit is {MAX_IMAGES:,}. Use fewer "
            "seeds."
        )
