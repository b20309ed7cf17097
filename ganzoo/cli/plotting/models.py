"""Plot the images, latents and features of models."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganzoo.cli.arguments import Output, Text
from ganzoo.cli.plotting.datasets import ModelDataset, load_autoencoder, load_generator
from ganzoo.errors import PlotError
from ganzoo.terminal import print_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ganzoo.sampling.generator import PathKind
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.spec import ModelSpec

Texts = tyro.conf.Positional[tuple[str, ...]]
Count = Annotated[int, tyro.conf.arg(name="n", aliases=["-n"])]
MaybeCount = Annotated[int | None, tyro.conf.arg(name="n", aliases=["-n"])]

ROW_STEPS = 10
ANIMATION_STEPS = 30


def comparison(
    names: Texts, /, n: Count = 10, seed: int = 0, output: Output = Path("comparison.png")
) -> None:
    """Plot samples of several models with the same seed, one row per model.

    Args:
        names: names of models, ./folders or hf://org/repo.
        n: images per model.
        seed: seed of the latents; image k of a seed is always the same.
        output: image file to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    _check_named(names)
    rows = {name: load_generator(name).sample(n, seed) for name in names}
    print_out(
        f"{plots.save_figure(plots.draw_comparison(rows), output)}: {n} images of seed {seed}"
    )


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
    """Plot an interpolation between two seeds, or with an encoder between two real images.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        seeds: first and last seed.
        between: names or numbers of two classes: interpolate between a real image of each.
        index: numbers of two real images in the dataset to interpolate between.
        steps: number of images; by default 10, or 30 for an animation.
        path: interpolation of the latents: on an arc, on a straight line, or both.
        label: class of the images, for models with classes; by default the first one.
        dataset: dataset of the real images; by default the training dataset of the model.
        split: part of the dataset, such as test, if it has parts.
        data: folder of the dataset; by default that of the model's run, or without a run the
            environment variable GANZOO_DATA.
        output: .png or .svg for rows, .gif or .webp for an animation forwards and backwards.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES + plots.ANIMATIONS)
    animated = output.suffix.lower() in plots.ANIMATIONS
    if between is not None and index is not None:
        raise PlotError("--between and --index exclude each other. Pass only one of them.")
    if between is not None or index is not None:
        model, encoder = load_autoencoder(name)
        opened = ModelDataset(model.spec, dataset, split, data, name)
        ends = opened.of_classes(*between) if between else opened.numbered(*(index or ()))
        real = ends.images
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
    print_out(f"{output}: {steps} steps from {first} to {last}")


def reconstructions(
    names: Texts,
    /,
    n: MaybeCount = None,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    output: Output = Path("reconstructions.png"),
) -> None:
    """Plot random images of a dataset above their reconstructions by autoencoders.

    Args:
        names: names of models, ./folders or hf://org/repo.
        n: number of images; by default 10, or all if there are fewer.
        dataset: dataset of the real images; by default the training dataset of the first model.
        split: part of the dataset, such as test, if it has parts.
        data: folder of the dataset; by default that of the model's run, or without a run the
            environment variable GANZOO_DATA.
        output: image file to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    _check_named(names)
    models = {name: load_autoencoder(name) for name in names}
    opened = ModelDataset(models[names[0]][0].spec, dataset, split, data, names[0])
    real = opened.draw(n, 10)
    reconstructed = {
        name: generator.decode(
            encoder.encode(real.images), real.labels if "y" in generator.spec.inputs else None
        )
        for name, (generator, encoder) in models.items()
    }
    figure = plots.draw_reconstructions(real.images, reconstructed)
    count = len(real.images)
    print_out(f"{plots.save_figure(figure, output)}: {count} random images of {opened.description}")


def latent_map(
    names: Texts,
    /,
    n: MaybeCount = None,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    output: Output = Path("latent-map.png"),
) -> None:
    """Plot the classes in the latent planes of encoders, and the images decoded from the planes.

    Args:
        names: names of models, ./folders or hf://org/repo, with latents of length 2.
        n: number of random real images; by default 5,000, or all if there are fewer.
        dataset: dataset of the real images; by default the training dataset of the first model.
        split: part of the dataset, such as test, if it has parts.
        data: folder of the dataset; by default that of the model's run, or without a run the
            environment variable GANZOO_DATA.
        output: image file to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    _check_named(names)
    models = {name: load_autoencoder(name) for name in names}
    for generator, _ in models.values():
        plots.check_plane(generator)
    opened = ModelDataset(models[names[0]][0].spec, dataset, split, data, names[0])
    real = opened.draw(n, 5_000)
    maps = {
        name: plots.map_latents(generator, encoder.encode(real.images), real.labels)
        for name, (generator, encoder) in models.items()
    }
    figure = plots.draw_latent_maps(maps, opened.spec.class_names)
    written = plots.save_figure(figure, output)
    print_out(f"{written}: {len(real.images):,} random images of {opened.description}")


def umap(
    name: Text,
    /,
    n: MaybeCount = None,
    seed: int = 0,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    extractor: str = "",
    output: Output = Path("umap.png"),
) -> None:
    """Plot real and generated images in a UMAP plane, with samples at the border of the real ones.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        n: number of random real images to fit the plane on, of held-out real images, and of
            generated images; by default 2,000, or half of the dataset if it is smaller.
        seed: seed of the samples and of the plane.
        dataset: dataset of the real images; by default the training dataset of the model.
        split: part of the dataset, such as test, if it has parts.
        data: folder of the dataset; by default that of the model's run, or without a run the
            environment variable GANZOO_DATA.
        extractor: extractor of the features for a second plane; by default the dataset's. Without
            one there is no second plane.
        output: image file to write, .png or .svg.
    """
    from ganzoo import plots

    plots.check_ending(output, plots.FIGURES)
    model = load_generator(name)
    opened = ModelDataset(model.spec, dataset, split, data, name)
    spaces = {"pixels": _flat} | _features(extractor or opened.spec.extractor, model.spec)
    real, held_out = (images.images for images in opened.draw_sets(n, 2_000, 2))
    n = len(real)
    generated = model.sample(n, seed)
    planes = {
        space: plots.fit_plane(real, held_out, generated, features=features, seed=seed)
        for space, features in spaces.items()
    }
    plots.save_figure(plots.draw_planes(planes, generated), output)
    print_out(f"{output}: {n:,} generated images; real images: {n:,} of {opened.description}")
    print_out("share on or outside the border of the real images:")
    for space, plane in planes.items():
        for label, border in ((f"plane of {space}", plane.in_plane), (space, plane.in_space)):
            reference = f"(held-out real images {border.held_out_share:.1%})"
            print_out(f"  {label:<24} {border.share:6.1%}   {reference}")


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
    """Plot samples above their nearest training images, to detect copies.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        n: number of samples.
        seed: seed of the samples.
        dataset: dataset of the real images; by default the training dataset of the model.
        split: part of the dataset, such as test, if it has parts.
        data: folder of the dataset; by default that of the model's run, or without a run the
            environment variable GANZOO_DATA.
        extractor: extractor of the features for a second neighbour; by default the dataset's.
        output: image file to write, .png or .svg.
    """
    from ganzoo import plots
    from ganzoo.evaluation import nearest_training
    from ganzoo.sampling.images import ImageBatch

    plots.check_ending(output, plots.FIGURES)
    model = load_generator(name)
    opened = ModelDataset(model.spec, dataset, split, data, name)
    spaces = {"pixels": _flat} | _features(extractor or opened.spec.extractor, model.spec)
    training = opened.all().images
    samples = model.sample(n, seed)
    rows = {"sample": samples}
    for space, features in spaces.items():
        nearest = nearest_training(features(samples), features(training))
        rows[f"nearest by {space}"] = ImageBatch(training.numpy()[nearest.indices])
    written = plots.save_figure(plots.draw_rows(rows), output)
    kind = "training images" if opened.is_training_data else f"images of {opened.description}"
    print_out(f"{written}: {n} samples and their nearest of {len(training):,} {kind}")


def translation(
    name: Text,
    /,
    n: MaybeCount = None,
    start: int | None = None,
    seed: int = 0,
    dataset: str | None = None,
    split: str | None = None,
    data: Path | None = None,
    output: Output = Path("translation.png"),
) -> None:
    """Plot input images of a dataset, their translations, and the targets.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        n: number of images; by default 8, or all if there are fewer.
        start: number of the first image, for consecutive images; by default random images.
        seed: seed of the latents, for models with latents.
        dataset: dataset of the real images; by default the training dataset of the model.
        split: part of the dataset, such as test, if it has parts.
        data: folder of the dataset; by default that of the model's run, or without a run the
            environment variable GANZOO_DATA.
        output: image file to write, .png or .svg.
    """
    from ganzoo import plots, zoo
    from ganzoo.sampling.generator import Translator

    plots.check_ending(output, plots.FIGURES)
    model = zoo.load(name)
    if not isinstance(model, Translator):
        raise PlotError(f"{name} does not translate images. Use: ganzoo plot comparison {name}")
    opened = ModelDataset(model.spec, dataset, split, data, name)
    real = opened.draw(n, 8) if start is None else opened.consecutive(n or 8, start)
    assert real.conditions is not None  # ModelDataset checks that there are conditions
    figure = plots.draw_translations(
        real.conditions,
        model.translate(real.conditions, seed),
        real.images if opened.spec.paired else None,
    )
    count = len(real.images)
    print_out(f"{plots.save_figure(figure, output)}: {count} images of {opened.description}")


def _check_named(names: tuple[str, ...]) -> None:
    if not names:
        raise PlotError("no model is named. Pass one or more names ('ganzoo list --kind models').")


def _features(name: str, model: ModelSpec) -> dict[str, Callable[[ImageBatch], NDArray[Any]]]:
    """Return the feature function of an extractor by its name; empty if the name is empty.

    Raises:
        MetricError: the extractor does not read such images.
    """
    if name in ("", "pixels"):
        return {}
    from ganzoo.evaluation.extraction import describe_resizing, extract, make_extractor

    extractor = make_extractor(name)
    describe_resizing(name, extractor, model.data.image, allowed=False)

    def features(images: ImageBatch) -> NDArray[Any]:
        import torch

        pixels = torch.from_numpy(images.numpy().transpose(0, 3, 1, 2).copy())
        return extract(extractor, pixels).features

    return {name: features}


def _flat(images: ImageBatch) -> NDArray[Any]:
    return images.numpy().reshape(len(images), -1) / 255
