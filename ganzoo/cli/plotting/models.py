"""Draw what models make, of latents and of images."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganzoo.cli.arguments import Output, Text
from ganzoo.cli.plotting.datasets import ModelDataset, load_autoencoder, load_generator
from ganzoo.errors import PlotError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ganzoo.sampling.generator import PathKind
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.spec import ModelSpec

Texts = tyro.conf.Positional[tuple[str, ...]]
Count = Annotated[int, tyro.conf.arg(name="n", aliases=["-n"])]

ROW_STEPS = 10
ANIMATION_STEPS = 30


def comparison(
    names: Texts, /, n: Count = 10, seed: int = 0, output: Output = Path("comparison.png")
) -> None:
    """Draw the same seed of several models, a row a model.

    Args:
        names: models' names, ./folders or hf://org/repo.
        n: images of each.
        seed: image k of a seed is always the same one.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    _check_named(names)
    rows = {name: load_generator(name).sample(n, seed) for name in names}
    print(f"{plots.save_figure(plots.draw_comparison(rows), output)}: {n} images of seed {seed}")


def interpolation(
    name: Text,
    /,
    seeds: tuple[int, int] = (0, 1),
    between: tuple[str, str] | None = None,
    index: tuple[int, int] | None = None,
    steps: int | None = None,
    path: Literal["both", "spherical", "linear"] = "both",
    label: str | None = None,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    output: Output = Path("interpolation.png"),
) -> None:
    """Draw the way between two seeds, or with an encoder between two real images.

    Args:
        name: a model's name, ./folder or hf://org/repo.
        seeds: where it begins and ends.
        between: two classes' names or numbers: it goes between the first real image of each.
        index: numbers of two real images in the dataset, to go between these.
        steps: images on the way; by default 10, of an animation 30.
        path: on the arc between the latents, on the straight line, or both.
        label: the class to make, for models with classes; by default 0.
        dataset: whose images; by default what the model was trained on.
        split: which part of it, such as test, where it has parts.
        data: where it lies; by default GANZOO_DATA.
        output: .png or .svg for rows, .gif or .webp for an animation there and back.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES + plots.ANIMATIONS)
    animated = output.suffix.lower() in plots.ANIMATIONS
    if between is not None and index is not None:
        raise PlotError("--between names two classes, --index two images: type one of them.")
    if between is not None or index is not None:
        model, encoder = load_autoencoder(name)
        opened = ModelDataset(model.spec, dataset, split, data)
        found = opened.of_classes(*between) if between else opened.numbered(*(index or ()))
        real = found.images
        first, last = (f"real {end}" for end in between or index or ())
        a, b = encoder.encode(real)
        walk = partial(model.interpolate_latents, a, b)
    else:
        model, real = load_generator(name), None
        first, last = (f"seed {seed}" for seed in seeds)
        walk = partial(model.interpolate, seeds[0], seeds[1])
    steps = steps if steps is not None else ANIMATION_STEPS if animated else ROW_STEPS
    paths: tuple[PathKind, ...] = ("spherical", "linear") if path == "both" else (path,)
    walks: dict[str, ImageBatch] = {kind: walk(steps, label=label, path=kind) for kind in paths}
    if animated:
        plots.save_animation(
            plots.animate_interpolation(walks),
            output,
            frame_ms=plots.WALK_MS,
            last_frame_ms=plots.WALK_MS,
        )
    else:
        plots.save_figure(plots.draw_interpolation(walks, (first, last), real), output)
    print(f"{output}: {steps} steps from {first} to {last}")


def reconstructions(
    names: Texts,
    /,
    n: Count = 10,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    output: Output = Path("reconstructions.png"),
) -> None:
    """Draw a dataset's first images above what autoencoders make of them.

    Args:
        names: models' names, ./folders or hf://org/repo.
        n: number of images.
        dataset: whose images; by default what the first model was trained on.
        split: which part of it, such as test, where it has parts.
        data: where it lies; by default GANZOO_DATA.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    _check_named(names)
    models = {name: load_autoencoder(name) for name in names}
    opened = ModelDataset(models[names[0]][0].spec, dataset, split, data)
    real = opened.first(n)
    rebuilt = {
        name: generator.decode(
            encoder.encode(real.images), real.labels if "y" in generator.spec.inputs else None
        )
        for name, (generator, encoder) in models.items()
    }
    figure = plots.draw_reconstructions(real.images, rebuilt)
    print(f"{plots.save_figure(figure, output)}: the first {n} images of {opened.spec.origin}")


def latent_map(
    names: Texts,
    /,
    n: Count = 5_000,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    output: Output = Path("latent-map.png"),
) -> None:
    """Draw where encoders put the classes in planes of latents, and what the planes decode to.

    Args:
        names: models' names, ./folders or hf://org/repo, with latents of length 2.
        n: number of real images.
        dataset: whose images; by default what the first model was trained on.
        split: which part of it, such as test, where it has parts.
        data: where it lies; by default GANZOO_DATA.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    _check_named(names)
    models = {name: load_autoencoder(name) for name in names}
    for generator, _ in models.values():
        plots.check_plane(generator)
    opened = ModelDataset(models[names[0]][0].spec, dataset, split, data)
    real = opened.first(n)
    maps = {
        name: plots.map_latents(generator, encoder.encode(real.images), real.labels)
        for name, (generator, encoder) in models.items()
    }
    classes = opened.spec.labels or tuple(map(str, range(opened.spec.classes)))
    print(f"{plots.save_figure(plots.draw_latent_maps(maps, classes), output)}: {n:,} images")


def umap(
    name: Text,
    /,
    n: Count = 2_000,
    seed: int = 0,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    extractor: str = "",
    output: Output = Path("umap.png"),
) -> None:
    """Draw real and generated images in one plane, and those at the border of the real ones.

    Args:
        name: a model's name, ./folder or hf://org/repo.
        n: number of real images that the plane is fitted on, of as many others to compare with, and
            of generated ones.
        seed: of the samples and of the plane.
        dataset: whose images; by default what the model was trained on.
        split: which part of it, such as test, where it has parts.
        data: where it lies; by default GANZOO_DATA.
        extractor: by whose features a second plane is drawn; by default the dataset's own, and no
            second plane where it has none.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    model = load_generator(name)
    opened = ModelDataset(model.spec, dataset, split, data)
    spaces = {"pixels": _flat} | _features(extractor or opened.spec.extractor, model.spec)
    real, held_out = opened.first(n).images, opened.first(n, start=n).images
    generated = model.sample(n, seed)
    planes = {
        space: plots.fit_plane(real, held_out, generated, features=features, seed=seed)
        for space, features in spaces.items()
    }
    plots.save_figure(plots.draw_planes(planes, generated), output)
    print(f"{output}: {n:,} generated images; on or outside the border of the real ones lie")
    for space, plane in planes.items():
        for where, placed in ((f"plane of {space}", plane.in_plane), (space, plane.in_space)):
            real_share = f"(real ones held out {placed.held_out_share:.1%})"
            print(f"  in the {where:<24} {placed.share:6.1%}   {real_share}")


def neighbours(
    name: Text,
    /,
    n: Count = 10,
    seed: int = 0,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    extractor: str = "",
    output: Output = Path("neighbours.png"),
) -> None:
    """Draw samples above the training images that are nearest to them: are they copies?

    Args:
        name: a model's name, ./folder or hf://org/repo.
        n: number of samples.
        seed: of the samples.
        dataset: whose images; by default what the model was trained on.
        split: which part of it, such as test, where it has parts.
        data: where it lies; by default GANZOO_DATA.
        extractor: by whose features a second neighbour is looked for; by default the dataset's own.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import plots
    from ganzoo.evaluation import nearest_training
    from ganzoo.sampling.images import ImageBatch

    plots.check_ending(output, plots.FIGURES)
    model = load_generator(name)
    opened = ModelDataset(model.spec, dataset, split, data)
    spaces = {"pixels": _flat} | _features(extractor or opened.spec.extractor, model.spec)
    training = opened.first(len(opened)).images
    samples = model.sample(n, seed)
    rows = {"sample": samples}
    for space, features in spaces.items():
        found = nearest_training(features(samples), features(training))
        rows[f"nearest by {space}"] = ImageBatch(training.numpy()[found.indices])
    written = plots.save_figure(plots.draw_rows(rows), output)
    print(f"{written}: {n} samples above the nearest of {len(training):,} images")


def translation(
    name: Text,
    /,
    n: Count = 8,
    start: int = 0,
    seed: int = 0,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    output: Output = Path("translation.png"),
) -> None:
    """Draw a dataset's conditions, what a translator makes of them, and the truth.

    Args:
        name: a model's name, ./folder or hf://org/repo.
        n: number of images.
        start: number of the first one.
        seed: of the latents, where the model reads any.
        dataset: whose images; by default what the model was trained on.
        split: which part of it, such as test, where it has parts.
        data: where it lies; by default GANZOO_DATA.
        output: the picture to write, .png or .svg.
    """
    from ganzoo import plots, zoo
    from ganzoo.sampling.generator import Translator

    plots.check_ending(output, plots.FIGURES)
    model = zoo.load(name)
    if not isinstance(model, Translator):
        raise PlotError(f"{name} makes images out of nothing: ganzoo plot comparison {name}")
    opened = ModelDataset(model.spec, dataset, split, data)
    found = opened.first(n, start)
    assert found.conditions is not None  # the opened has conditions of the model's size
    figure = plots.draw_translations(
        found.conditions,
        model.translate(found.conditions, seed),
        found.images if opened.spec.paired else None,
    )
    print(f"{plots.save_figure(figure, output)}: {n} images of {opened.spec.origin}")


def _check_named(names: tuple[str, ...]) -> None:
    if not names:
        raise PlotError("no model is named: ganzoo list --kind models shows which there are.")


def _features(name: str, model: ModelSpec) -> dict[str, Callable[[ImageBatch], NDArray[Any]]]:
    """An extractor by its name, as a function of images; none where no name is given.

    Raises:
        MetricError: it does not read such images.
    """
    if name in ("", "pixels"):
        return {}
    from ganzoo.evaluation.extraction import describe_resizing, extract, make_extractor

    made = make_extractor(name)
    describe_resizing(name, made, model.data.image, allowed=False)

    def features(images: ImageBatch) -> NDArray[Any]:
        import torch

        pixels = torch.from_numpy(images.numpy().transpose(0, 3, 1, 2).copy())
        return extract(made, pixels).features

    return {name: features}


def _flat(images: ImageBatch) -> NDArray[Any]:
    return images.numpy().reshape(len(images), -1) / 255
