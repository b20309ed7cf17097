"""Evaluation and comparison of models on a dataset."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor
from torch.utils.data import Dataset

from ganzoo import exporters, zoo
from ganzoo.bundle.location import locate_bundle
from ganzoo.bundle.summary import read_summary
from ganzoo.data import decode, find_dataset, find_root, show_file_counts
from ganzoo.data.fingerprints import fingerprint_items
from ganzoo.errors import (
    BundleError,
    MetricError,
    MissingExtraError,
    MissingPluginError,
    OutputError,
)
from ganzoo.evaluation.choice import choose_pair_metrics
from ganzoo.evaluation.evaluator import Evaluation, Evaluator
from ganzoo.evaluation.extraction import fit, name_extractor
from ganzoo.evaluation.pairs import measure_pairs
from ganzoo.nn import torch_defaults
from ganzoo.registry import datasets
from ganzoo.registry.names import parse_model_name
from ganzoo.registry.signatures import bind
from ganzoo.sampling.generator import COMPUTE_BATCH, Generator, Translator
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import Component, DataSpec, ImageSpec, ModelSpec

RUNTIMES: tuple[Literal["torch", "onnx"], ...] = ("torch", "onnx")
PREVIEWED = 10  # images of each model in the figure of a comparison
TIMED = 512  # images that measure a runtime's speed


@torch_defaults()
def evaluate(
    name: str | Path,
    *,
    dataset: str | Component | None = None,
    split: str | None = None,
    data: str | Path | None = None,
    samples: int = 10_000,
    metrics: Sequence[str] = (),
    extractor: str = "",
    seed: int = 0,
    runtime: Literal["torch", "onnx"] | None = None,
    resize: bool = False,
    progress: bool = True,
) -> Evaluation:
    """Measure how well a model's samples match the images of a dataset.

    Image-to-image models are measured pair by pair, by metrics that need ``pairs``. They take no
    `extractor` or `resize`.

    If `name` is a folder, the results are also saved in the bundle's config and card. They replace
    the results of the same protocol. Features of real images are cached in the folder GANZOO_CACHE,
    by default the user's cache folder.

    Args:
        name: a registered name, the folder of a bundle or run, or ``hf://org/repo``.
        dataset: a registered dataset, with or without arguments. The default is the dataset that
            the model was trained on. A dataset without arguments uses those of the training.
        split: a part of the dataset, such as ``test``, if the dataset has parts.
        data: folder that contains the dataset. The default is the environment variable GANZOO_DATA.
        samples: number of generated images; for image-to-image models at most the number of pairs.
        metrics: registered names. The default is all of ganzoo's own that fit the model, and those
            of plugins that are registered with ``by_default=True``.
        extractor: registered name of the feature extractor. The default is the dataset's own.
        seed: seed of the samples and of random metrics, 0 to 2**64 - 1.
        runtime: as for `load`.
        resize: resize images whose size differs from the model's or the extractor's.
        progress: show a progress bar on a terminal, and what files of the dataset are in use.

    Returns:
        The results and the protocol that produced them.

    Raises:
        MetricError: a metric is unknown or does not fit, the image sizes differ, or there are too
            few samples.
        ExtractorError: the extractor's weights are missing or damaged.
        DataNotFoundError, DataError: the dataset is missing or cannot be used.
        RunNotFoundError: the run has not saved a model yet.
        UnknownNameError, BundleError, ...: as for `load`.

    Example:
        >>> import ganzoo
        >>> evaluation = ganzoo.evaluate("dcgan-mnist", split="test", metrics=["frechet"])
        >>> evaluation.metrics["frechet_distance"]
    """
    path = _bundle_of(name)
    bundle = zoo.find(path)
    model = zoo.load(path, runtime=runtime)
    component, root = _choose(model.spec, dataset, split), find_root(data)
    if isinstance(model, Translator):
        if extractor or resize:
            raise MetricError(
                f"{name} is an image-to-image model, which is measured pair by pair. Leave out "
                "--extractor and --resize."
            )
        choose_pair_metrics(metrics)  # refuses before anything is computed
        model.accelerate()
        evaluation = _measure_pairs(model, component, root, samples, metrics, seed, progress)
    else:
        evaluator = _evaluator(
            component,
            root,
            model.spec.data.image,
            samples=samples,
            metrics=metrics,
            extractor=extractor,
            seed=seed,
            resize=resize,
            shown=progress,
        )
        model.accelerate()
        evaluation = evaluator(model)
    evaluation.protocol["runtime"] = runtime or ("torch" if hasattr(model, "network") else "onnx")
    if isinstance(path, Path):
        try:
            exporters.record(bundle, evaluation.to_dict())
        except (BundleError, OutputError) as error:
            warnings.warn(f"the results are not saved in {path}: {error}", stacklevel=3)
    return evaluation


@dataclass(frozen=True)
class Row:
    """One model of a comparison.

    Attributes:
        name: the name that was passed to `compare`.
        parameters: number of parameters of the generator.
        bytes: size of the bundle's folder.
        images_per_second: speed by the name of the runtime, for the runtimes that can run it.
        evaluation: its results.
        preview: the first 10 images of the seed.
    """

    name: str
    parameters: int
    bytes: int
    images_per_second: dict[str, float]
    evaluation: Evaluation
    preview: ImageBatch


@torch_defaults()
def compare(names: Sequence[str | Path], *, seed: int = 0, **options: Any) -> list[Row]:
    """Measure several models under one protocol: the same seed, samples, data and extractor.

    Args:
        names: two or more models, as for `evaluate`.
        seed: seed of the samples.
        options: other arguments of `evaluate`. The default dataset is the first model's.

    Returns:
        One row for each model, in the order of `names`.

    Raises:
        MetricError: there are fewer than two models, or one of them is an image-to-image model.
        GanzooError: as for `evaluate`.
    """
    if len(names) < 2:
        raise MetricError(f"cannot compare {len(names)} model(s). Name two or more.")
    specs = {name: zoo.info(_bundle_of(name)) for name in names}
    for name, spec in specs.items():
        if "condition" in spec.inputs:
            raise MetricError(
                f"cannot compare {name}: it is an image-to-image model, and a comparison needs "
                f"models that generate from latents. Measure it alone: ganzoo evaluate {name}"
            )
    options["dataset"] = _choose(
        specs[names[0]], options.get("dataset"), options.pop("split", None)
    )
    return [_row(name, seed, options) for name in names]


def _row(name: str | Path, seed: int, options: dict[str, Any]) -> Row:
    path = _bundle_of(name)
    bundle = zoo.find(path)
    rates: dict[str, float] = {}
    model = zoo.load(path, runtime=options.get("runtime"))
    for runtime in RUNTIMES:
        with contextlib.suppress(BundleError, MissingExtraError, MissingPluginError):
            rates[runtime] = _rate(zoo.load(path, runtime=runtime))
    preview = model.sample(PREVIEWED, seed)
    summary = read_summary(bundle)
    return Row(
        str(name),
        summary.parameters,
        summary.bytes,
        rates,
        evaluate(name, seed=seed, **options),
        preview,
    )


def _rate(model: Generator) -> float:
    """Return images per second, measured after a warm-up."""
    model.sample(COMPUTE_BATCH)
    start = time.perf_counter()
    model.sample(TIMED)
    return TIMED / (time.perf_counter() - start)


def _bundle_of(name: str | Path) -> str | Path:
    """Return the bundle's folder if `name` is the folder of a bundle or run, else `name`."""
    parsed = parse_model_name(name)
    if not isinstance(parsed, Path):
        return name
    return locate_bundle(parsed)


def _choose(spec: ModelSpec, dataset: str | Component | None, split: str | None) -> Component:
    """Return the dataset to measure on; the arguments of training apply to the same dataset.

    Raises:
        MetricError: no dataset is named, and the model's config records none.
    """
    if isinstance(dataset, Component):
        chosen = dataset
    else:
        arguments = spec.recorded("recipe", "dataset")
        own = arguments.pop("name", None)
        if dataset not in (None, own):
            chosen = Component(dataset)
        elif own is None:
            raise MetricError(
                f"no dataset was named, and the config of {spec.name!r} does not record the one "
                "that it was trained on. Name one with --dataset."
            )
        else:
            provider = spec.provider_of("dataset")
            chosen = Component(datasets.prefer(own, provider[0] if provider else None), arguments)
    return (
        chosen if split is None else replace(chosen, arguments={**chosen.arguments, "split": split})
    )


def _measure_pairs(
    model: Translator,
    dataset: Component,
    root: Path | None,
    samples: int,
    metrics: Sequence[str],
    seed: int,
    shown: bool,
) -> Evaluation:
    torch_dataset, spec, entry = _find(dataset, root, shown)
    if spec.condition is None or not spec.paired:
        raise MetricError(
            f"cannot measure an image-to-image model on dataset {entry['name']!r}: it has no "
            "pairs. Name a dataset of pairs, for example --dataset paired."
        )
    if (spec.condition, spec.image) != (model.condition, model.spec.data.image):
        raise MetricError(
            f"the model translates {model.condition} to {model.spec.data.image}, but dataset "
            f"{entry['name']!r} has pairs of {spec.condition} and {spec.image}. Choose another "
            "--dataset."
        )
    items = decode(torch_dataset, spec, shown=shown)
    assert items.conditions is not None  # the spec has a condition
    conditions, images = (
        tensor.numpy().transpose(0, 2, 3, 1) for tensor in (items.conditions, items.images)
    )
    data = {"dataset": entry, "sha256": fingerprint_items(items)}
    if data["sha256"] == model.spec.recorded("data").get("sha256"):
        warnings.warn(
            f"{model.spec.name!r} was trained on these pairs, so its results are too good. "
            "Measure it on other pairs with --split or --data.",
            stacklevel=4,
        )
    return measure_pairs(
        model,
        conditions,
        images,
        data,
        samples=samples,
        metrics=metrics,
        seed=seed,
        shown=shown,
    )


def _evaluator(
    dataset: Component, root: Path | None, image: ImageSpec, resize: bool, **options: Any
) -> Evaluator:
    torch_dataset, spec, data = _find(dataset, root, options["shown"])
    if spec.image != image and not resize:
        raise MetricError(
            f"the model generates images of {image}, but dataset {data['name']!r} has images of "
            f"{spec.image}. Resize them (bilinear with antialiasing) with --resize, or choose "
            "another --dataset."
        )
    items = decode(torch_dataset, spec, shown=options["shown"])
    protocol = {"dataset": data, "sha256": fingerprint_items(items)}
    if spec.image != image:
        protocol["data_resized"] = f"from {spec.image} to {image}, bilinear with antialiasing"
    return Evaluator(
        fit(items.images, image.channels, (image.height, image.width)),
        items.labels if spec.classes else None,
        replace(spec, image=image),
        protocol,
        name_extractor(options.pop("extractor"), replace(spec, image=image)),
        resize=resize,
        **options,
    )


def _find(
    dataset: Component, root: Path | None, shown: bool
) -> tuple[Dataset[tuple[Tensor, ...]], DataSpec, dict[str, Any]]:
    """Return a dataset, its spec, and its entry in the protocol: its name and arguments."""
    arguments = bind("dataset", dataset.name, datasets.get(dataset.name), dataset.arguments)
    torch_dataset, spec = find_dataset(dataset.name, arguments, root)
    if shown:
        show_file_counts(torch_dataset)
    return torch_dataset, spec, {"name": dataset.name, **arguments}
