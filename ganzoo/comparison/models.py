"""Evaluation and comparison of models on a dataset."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ganzoo import exporters, zoo
from ganzoo.bundle.location import locate_bundle
from ganzoo.bundle.summary import read_summary
from ganzoo.data import Items, decode, show_file_counts
from ganzoo.data.fingerprints import fingerprint_items
from ganzoo.data.model_data import ModelData, is_trained_on, open_model_data
from ganzoo.errors import (
    BrokenPluginError,
    BundleError,
    ImageFileError,
    MetricError,
    MissingExtraError,
    MissingPluginError,
    OutputError,
    shell_word,
)
from ganzoo.evaluation.choice import choose_pair_metrics
from ganzoo.evaluation.evaluator import Evaluation, Evaluator
from ganzoo.evaluation.extraction import fit, name_extractor
from ganzoo.evaluation.pairs import measure_pairs, measure_whole_pairs
from ganzoo.evaluation.plan import check_numbers, plan_evaluation
from ganzoo.nn import torch_defaults
from ganzoo.registry import datasets
from ganzoo.registry.names import parse_model_name
from ganzoo.registry.signatures import bind
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.sizes import compute_batch
from ganzoo.sampling.translation import Translator
from ganzoo.spec import WHOLE, Component, DataSpec, ImageSpec, ModelSpec

RUNTIMES: tuple[Literal["torch", "onnx"], ...] = ("torch", "onnx")
PREVIEWED = 10  # images of each model in the figure of a comparison
TIMED = 512  # images that measure a runtime's speed


@dataclass(frozen=True)
class EvaluationOptions:
    """The options of an evaluation, see `evaluate`.

    Attributes:
        data, samples, metrics, extractor, seed, runtime, resize, progress, whole: arguments of
            `evaluate`.
        defaults: see `compare`.
    """

    data: str | Path | None = None
    samples: int = 10_000
    metrics: Sequence[str] = ()
    extractor: str = ""
    seed: int = 0
    runtime: Literal["torch", "onnx"] | None = None
    resize: bool = False
    progress: bool = True
    whole: bool = False
    defaults: Sequence[str] = ()


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
    whole: bool = False,
) -> Evaluation:
    """Measure how well a model's samples match the images of a dataset.

    Image-to-image models are measured pair by pair, by metrics that need ``pairs``. They take no
    `extractor` or `resize`.

    Without `data`, the dataset of the training must hold the images of the training. With `data`,
    other images are accepted, and the protocol and the card say that they are others.

    If `name` is a folder, the results are also saved in the bundle's config and card. They replace
    the results of the same protocol. Features of real images are cached in the folder GANZOO_CACHE,
    by default the user's cache folder.

    Args:
        name: a registered name, the folder of a bundle or run, or ``hf://org/repo``.
        dataset: a registered dataset, with or without arguments. The default is the dataset that
            the model was trained on. A dataset without arguments uses those of the training.
        split: a part of the dataset, such as ``test``, if the dataset has parts.
        data: folder that contains the dataset. The default is the folder that the model's run was
            trained on; without a run, the environment variable GANZOO_DATA.
        samples: number of generated images; for image-to-image models at most the number of pairs.
        metrics: registered names. The default is all of ganzoo's own that fit the model, and those
            of plugins that are registered with ``by_default=True``.
        extractor: registered name of the feature extractor. The default is that of the evaluations
            in the training (`evaluate_with`) if the dataset is that of the training, else the
            dataset's own, and ``colour-64@1`` for colour images whose dataset names none.
        seed: seed of the samples and of random metrics, 0 to 2**64 - 1.
        runtime: as for `load`.
        resize: resize images whose size differs from the model's or the extractor's.
        progress: show a progress bar on a terminal, and what files of the dataset are in use.
        whole: measure a model that reads images of any size on all whole images, each at its own
            size, cropped to a multiple of the scale, and return the mean of the images. The dataset
            has a method ``whole_pairs``, as that of ``degraded`` of the plugin ganzoo-restore. It
            ignores `samples` and `seed`.

    Returns:
        The results and the protocol that produced them.

    Raises:
        MetricError: a metric is unknown or does not fit, the image sizes differ, or there are too
            few samples.
        ExtractorError: the extractor's weights are missing or damaged.
        DataNotFoundError, DataError: the dataset is missing or cannot be used, or `data` is None
            and the images are not those of the training.
        RunNotFoundError: the run has not saved a model yet.
        UnknownNameError, BundleError, ...: as for `load`.

    Example:
        >>> import ganzoo
        >>> evaluation = ganzoo.evaluate("dcgan-mnist", split="test", metrics=["frechet"])
        >>> evaluation.metrics["frechet_distance"]
    """
    options = EvaluationOptions(
        data, samples, metrics, extractor, seed, runtime, resize, progress, whole
    )
    return _evaluate(name, dataset, split, options)


def _evaluate(
    name: str | Path,
    dataset: str | Component | None,
    split: str | None,
    options: EvaluationOptions,
) -> Evaluation:
    path = _bundle_of(name)
    bundle = zoo.find(path)
    model = zoo.load(path, runtime=options.runtime)
    component = _choose(model.spec, dataset, split)
    opened = _open(model.spec, path, component, options.data)
    entry = {"name": component.name, **component.arguments}
    if options.whole:
        evaluation = _measure_whole(model, opened, entry, options)
    elif isinstance(model, Translator):
        evaluation = _measure_pairs(model, opened, entry, options)
    else:
        evaluation = _measure_sets(model, opened, entry, options)
    evaluation.protocol["runtime"] = options.runtime or (
        "torch" if hasattr(model, "network") else "onnx"
    )
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
def compare(
    names: Sequence[str | Path],
    *,
    dataset: str | Component | None = None,
    split: str | None = None,
    data: str | Path | None = None,
    seed: int = 0,
    defaults: Sequence[str] = (),
    **options: Any,
) -> list[Row]:
    """Measure several models under one protocol: the same seed, samples, data and extractor.

    Args:
        names: two or more models, as for `evaluate`.
        dataset: as for `evaluate`. The default is the first model's.
        split: as for `evaluate`.
        data: as for `evaluate`. The default is the folder of the first model's dataset.
        seed: seed of the samples.
        defaults: names of metrics that are computed if `metrics` is empty and they can be; by
            default all default metrics.
        options: other arguments of `evaluate`.

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
                f"models that generate from latents. Measure it alone: ganzoo evaluate "
                f"{shell_word(name)}"
            )
    first = names[0]
    check_numbers(options.get("samples", 1), seed, "samples")
    component = _choose(specs[first], dataset, split)
    opened = _open(specs[first], _bundle_of(first), component, data)
    chosen = EvaluationOptions(data, seed=seed, defaults=tuple(defaults), **options)
    for spec in specs.values():  # before any model is measured
        _check_size(spec.data.image, opened.spec, component.name, chosen.resize)
    # The other models are compared on the first one's images, whatever they were trained on.
    others = chosen if opened.root is None else replace(chosen, data=opened.root)
    return [_row(name, component, chosen if name == first else others) for name in names]


def _row(name: str | Path, dataset: Component, options: EvaluationOptions) -> Row:
    path = _bundle_of(name)
    evaluation = _evaluate(name, dataset, None, options)
    rates: dict[str, float] = {}
    model = zoo.load(path, runtime=options.runtime)
    for runtime in RUNTIMES:
        with contextlib.suppress(
            BrokenPluginError, BundleError, MissingExtraError, MissingPluginError
        ):
            rates[runtime] = _rate(zoo.load(path, runtime=runtime))
    summary = read_summary(zoo.find(path))
    return Row(
        str(name),
        summary.parameters,
        summary.bytes,
        rates,
        evaluation,
        model.sample(PREVIEWED, options.seed),
    )


def _rate(model: Generator) -> float:
    """Return images per second, measured after a warm-up."""
    model.sample(compute_batch(model.spec))
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
            chosen = Component(dataset, arguments if is_trained_on(own, dataset) else {})
        elif own is None:
            raise MetricError(
                f"no dataset was named, and the config of {spec.name!r} does not record the one "
                "that it was trained on. Name one with --dataset."
            )
        else:
            provider = spec.provider_of("dataset")
            chosen = Component(datasets.prefer(own, provider[0] if provider else None), arguments)
    arguments = chosen.arguments if split is None else {**chosen.arguments, "split": split}
    factory = datasets.get(chosen.name)
    return Component(chosen.name, bind("dataset", chosen.name, factory, arguments))


def _open(
    spec: ModelSpec, path: str | Path, dataset: Component, data: str | Path | None
) -> ModelData:
    folder = path if isinstance(path, Path) else None
    return open_model_data(spec, dataset, data=data, path=folder)


def _measure_pairs(
    model: Translator, opened: ModelData, entry: dict[str, Any], options: EvaluationOptions
) -> Evaluation:
    """Measure an image-to-image model."""
    name, spec = model.spec.name, opened.spec
    if options.extractor or options.resize:
        raise MetricError(
            f"{name} is an image-to-image model, which is measured pair by pair. Leave out "
            "--extractor and --resize."
        )
    # Refuses before anything is computed.
    check_numbers(options.samples, options.seed, "pairs")
    choose_pair_metrics(options.metrics, model.spec.data)
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
    items, protocol = _read(opened, entry, options.progress)
    if protocol["training_images"]:
        _warn_of_training_pairs(name)
    assert items.conditions is not None  # the spec has a condition
    conditions, images = (
        tensor.numpy().transpose(0, 2, 3, 1) for tensor in (items.conditions, items.images)
    )
    model.accelerate()
    return measure_pairs(
        model,
        conditions,
        images,
        protocol,
        samples=options.samples,
        metrics=options.metrics,
        seed=options.seed,
        shown=options.progress,
    )


def _measure_whole(
    model: Generator | Translator,
    opened: ModelData,
    entry: dict[str, Any],
    options: EvaluationOptions,
) -> Evaluation:
    """Measure an image-to-image model on whole images, each at its own size."""
    if not isinstance(model, Translator) or model.sizes is None or options.extractor:
        raise MetricError(
            f"cannot measure {model.spec.name!r} on whole images: it needs a model that reads "
            "images of any size, and no extractor. Leave out --whole or --extractor."
        )
    if not hasattr(opened.dataset, "whole_pairs"):
        raise MetricError(
            f"dataset {entry['name']!r} has no whole images. Use --dataset degraded, or leave out "
            "--whole."
        )
    if options.progress:
        show_file_counts(opened.dataset)
    try:
        training_images = opened.is_training_data()
    except ImageFileError:  # the training would have refused the image, too
        training_images = False
    if training_images:
        _warn_of_training_pairs(model.spec.name)
    model.accelerate()
    return measure_whole_pairs(
        model,
        opened.dataset.whole_pairs(model.sizes.scale),
        {
            "dataset": entry,
            "origin": opened.spec.origin,
            "training_images": training_images,
            WHOLE: "cropped to multiples of the scale",
        },
        metrics=options.metrics,
        shown=options.progress,
    )


def _warn_of_training_pairs(name: str) -> None:
    warnings.warn(
        f"{name!r} was trained on these pairs, so its results are too good. Measure it on other "
        "pairs with --split or --data.",
        stacklevel=5,
    )


def _extractor_of(spec: ModelSpec, dataset: str) -> str:
    """Return the extractor of the evaluations in a model's training; empty for other data."""
    recipe = spec.recorded("recipe")
    own = recipe.get("dataset")
    if not (isinstance(own, dict) and is_trained_on(own.get("name"), dataset)):
        return ""
    return str(recipe.get("evaluate_with") or "")


def _measure_sets(
    model: Generator, opened: ModelData, entry: dict[str, Any], options: EvaluationOptions
) -> Evaluation:
    """Measure a model that generates images from latents."""
    image, real = model.spec.data.image, opened.spec.image
    _check_size(image, opened.spec, entry["name"], options.resize)
    spec = replace(opened.spec, image=image)
    plan = plan_evaluation(
        name_extractor(options.extractor or _extractor_of(model.spec, entry["name"]), spec),
        spec,
        len(opened),
        samples=options.samples,
        seed=options.seed,
        metrics=options.metrics,
        defaults=options.defaults,
        resize=options.resize,
    )
    items, protocol = _read(opened, entry, options.progress)
    if real != image:
        protocol["data_resized"] = f"from {real} to {image}, bilinear with antialiasing"
    evaluator = Evaluator(
        fit(items.images, image.channels, (image.height, image.width)),
        items.labels if spec.classes else None,
        plan,
        protocol,
        shown=options.progress,
    )
    model.accelerate()
    return evaluator(model)


def _check_size(image: ImageSpec, data: DataSpec, dataset: str, resize: bool) -> None:
    if data.image != image and not resize:
        raise MetricError(
            f"the model generates images of {image}, but dataset {dataset!r} has images of "
            f"{data.image}. Resize them (bilinear with antialiasing) with --resize, or choose "
            "another --dataset."
        )


def _read(opened: ModelData, entry: dict[str, Any], shown: bool) -> tuple[Items, dict[str, Any]]:
    """Return all items of a dataset, and the fields of the protocol that identify them."""
    if shown:
        show_file_counts(opened.dataset)
    items = decode(opened.dataset, opened.spec, shown=shown)
    sha256 = fingerprint_items(items)
    return items, {
        "dataset": entry,
        "origin": opened.spec.origin,
        "sha256": sha256,
        "training_images": opened.is_training_data(sha256),
    }
