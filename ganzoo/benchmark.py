"""Models by name, measured on a dataset by name, and set side by side."""

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
from ganzoo.bundle.summary import read_summary
from ganzoo.data import decode, find_dataset, find_root
from ganzoo.data.fingerprints import fingerprint_items
from ganzoo.errors import (
    BundleError,
    MetricError,
    MissingExtraError,
    MissingPluginError,
    OutputError,
    RunNotFoundError,
)
from ganzoo.evaluation.choice import choose_pair_metrics
from ganzoo.evaluation.evaluator import Evaluation, Evaluator
from ganzoo.evaluation.extraction import fit, name_extractor
from ganzoo.evaluation.pairs import measure_pairs
from ganzoo.registry import datasets
from ganzoo.registry.names import parse_model_name
from ganzoo.registry.signatures import bind
from ganzoo.sampling.generator import COMPUTE_BATCH, Generator, Translator
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import Component, DataSpec, ImageSpec, ModelSpec

RUNTIMES: tuple[Literal["torch", "onnx"], ...] = ("torch", "onnx")
PREVIEWED = 10  # images of each model in the picture of a comparison
TIMED = 512  # images by which a runtime's speed is measured


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
    """Measure a model's samples against a dataset.

    A model that translates images is measured pair by pair, by metrics that need ``pairs``; an
    extractor and resizing are not for it.

    A bundle or run that was named by its folder keeps the figures: in its config and, where it has
    one, its card, in place of those of the same protocol. Real images' features are computed once
    and kept in the folder that GANZOO_CACHE names, by default the user's cache.

    Args:
        name: a model's registered name, a bundle's or a run's folder, or ``hf://org/repo``.
        dataset: a registered dataset and its arguments; by default what the model was trained on,
            whose arguments hold too where it is named without any.
        split: which part of it, such as test, where it has parts.
        data: where it lies; by default the environment variable GANZOO_DATA.
        samples: how many images are made; of pairs, no more than there are.
        metrics: registered names; by default all of ganzoo's own that fit, and those of plugins
            that ask for it.
        extractor: registered name of the features' extractor; by default the dataset's own.
        seed: of the samples, 0 to 2**64 - 1, and of whatever a metric draws.
        runtime: as for `load`.
        resize: whether images of another size than the model's or the extractor's are resized.
        progress: whether to show progress on a terminal.

    Raises:
        MetricError: a metric that does not fit, images of another size, too few samples.
        ExtractorError: the extractor's weights cannot be had.
        DataNotFoundError, DataError: the dataset is not there or cannot be used.
        RunNotFoundError: a run that has saved nothing yet.
        UnknownNameError, BundleError, ...: as `load`.
    """
    path = _bundle_of(name)
    before = zoo.find(path)
    model = zoo.load(path, runtime=runtime)
    on, root = _choose(model.spec, dataset, split), find_root(data)
    if isinstance(model, Translator):
        if extractor or resize:
            raise MetricError(
                f"{name} makes images out of images, which are compared pair by pair: leave out "
                "--extractor and --resize."
            )
        choose_pair_metrics(metrics)  # refuses before anything is computed
        model.accelerate()
        found = _measure_pairs(model, on, root, samples, metrics, seed, progress)
    else:
        evaluator = _evaluator(
            on,
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
        found = evaluator(model)
    found.protocol["runtime"] = runtime or ("torch" if hasattr(model, "network") else "onnx")
    if isinstance(path, Path):
        try:
            exporters.record(before, found.to_dict())
        except (BundleError, OutputError) as error:
            warnings.warn(f"{path} does not keep these figures: {error}", stacklevel=2)
    return found


@dataclass(frozen=True)
class Row:
    """One model of a comparison.

    Attributes:
        name: as it was named.
        parameters: learned numbers in the generator.
        bytes: of the bundle's folder.
        images_per_second: of each runtime, by its name; only those that can run it.
        evaluation: its figures.
        preview: images 0 to 9 of the seed.
    """

    name: str
    parameters: int
    bytes: int
    images_per_second: dict[str, float]
    evaluation: Evaluation
    preview: ImageBatch


def compare(names: Sequence[str | Path], *, seed: int = 0, **how: Any) -> list[Row]:
    """Measure models under one protocol: the same seed, samples, data and extractor.

    Args:
        names: of two models or more, as for `evaluate`.
        seed: of the samples.
        how: `evaluate`'s other arguments; the dataset is by default the first model's.

    Raises:
        MetricError: fewer than two models, one that makes images out of images, or as for
            `evaluate`.
    """
    if len(names) < 2:
        raise MetricError("a comparison takes two models or more.")
    specs = {name: zoo.info(_bundle_of(name)) for name in names}
    for name, spec in specs.items():
        if "condition" in spec.inputs:
            raise MetricError(
                f"{name} makes images out of images; only models that make them of latents are "
                f"set side by side. Alone it can be measured: ganzoo evaluate {name}"
            )
    how["dataset"] = _choose(specs[names[0]], how.get("dataset"), how.pop("split", None))
    return [_row(name, seed, how) for name in names]


def _row(name: str | Path, seed: int, how: dict[str, Any]) -> Row:
    path = _bundle_of(name)
    bundle = zoo.find(path)
    rates: dict[str, float] = {}
    model = zoo.load(path, runtime=how.get("runtime"))
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
        evaluate(name, seed=seed, **how),
        preview,
    )


def _rate(model: Generator) -> float:
    """Images a second, after some that are not counted."""
    model.sample(COMPUTE_BATCH)
    start = time.perf_counter()
    model.sample(TIMED)
    return TIMED / (time.perf_counter() - start)


def _bundle_of(name: str | Path) -> str | Path:
    """A model's name, or the bundle's folder where a run or a bundle was named."""
    parsed = parse_model_name(name)
    if not isinstance(parsed, Path):
        return name
    if (parsed / "bundle").is_dir():
        return parsed / "bundle"
    if (parsed / "recipe.toml").is_file():
        raise RunNotFoundError(
            f"{parsed} is a run that has saved nothing yet: ganzoo train --resume {parsed}"
        )
    return parsed


def _choose(spec: ModelSpec, dataset: str | Component | None, split: str | None) -> Component:
    """The dataset that was asked for, with the arguments of training where it was that.

    Raises:
        MetricError: none was asked for, and the model's config does not say one.
    """
    if isinstance(dataset, Component):
        chosen = dataset
    else:
        stated = dict(spec.provenance.get("recipe", {}).get("dataset", {}))
        own = stated.pop("name", None)
        if dataset not in (None, own):
            chosen = Component(dataset)
        elif own is None:
            raise MetricError(
                f"{spec.name!r} does not say what it was trained on: name a --dataset."
            )
        else:
            maker = spec.made_by("dataset")
            chosen = Component(datasets.prefer(own, maker[0] if maker else None), stated)
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
    torch_dataset, spec, said = _find(dataset, root)
    if spec.condition is None or not spec.paired:
        raise MetricError(
            f"dataset {said['name']!r} has no pairs, and a model that makes images out of images "
            "is measured against what they should become. Name one that has: --dataset paired"
        )
    if (spec.condition, spec.image) != (model.condition, model.spec.data.image):
        raise MetricError(
            f"the model makes images of {model.spec.data.image} out of {model.condition}, dataset "
            f"{said['name']!r} has {spec.image} out of {spec.condition}: choose another --dataset."
        )
    items = decode(torch_dataset, spec, shown=shown)
    assert items.conditions is not None  # the spec says so
    conditions, images = (
        each.numpy().transpose(0, 2, 3, 1) for each in (items.conditions, items.images)
    )
    data = {"dataset": said, "sha256": fingerprint_items(items)}
    if data["sha256"] == model.spec.provenance.get("data", {}).get("sha256"):
        warnings.warn(
            f"{model.spec.name!r} was trained on these very pairs, so its figures say little: "
            "measure it on others, by --split or --data.",
            stacklevel=3,
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
    dataset: Component, root: Path | None, image: ImageSpec, resize: bool, **how: Any
) -> Evaluator:
    torch_dataset, spec, data = _find(dataset, root)
    if spec.image != image and not resize:
        raise MetricError(
            f"the model makes images of {image}, dataset {data['name']!r} has {spec.image}: its "
            "images would be resized to the model's, bilinear with antialiasing. --resize to do "
            "so, or choose another --dataset."
        )
    items = decode(torch_dataset, spec, shown=how["shown"])
    said = {"dataset": data, "sha256": fingerprint_items(items)}
    if spec.image != image:
        said["data_resized"] = f"from {spec.image} to {image}, bilinear with antialiasing"
    return Evaluator(
        fit(items.images, image.channels, (image.height, image.width)),
        items.labels if spec.classes else None,
        replace(spec, image=image),
        said,
        name_extractor(how.pop("extractor"), replace(spec, image=image)),
        resize=resize,
        **how,
    )


def _find(
    asked: Component, root: Path | None
) -> tuple[Dataset[tuple[Tensor, ...]], DataSpec, dict[str, Any]]:
    """A dataset, what it holds, and what the protocol says of it: its name and arguments."""
    arguments = bind("dataset", asked.name, datasets.get(asked.name), asked.arguments)
    return *find_dataset(asked.name, arguments, root), {"name": asked.name, **arguments}
