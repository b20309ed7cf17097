"""Directions in latent space to the classes of an extractor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ganzoo.errors import MetricError, enumerate_names
from ganzoo.evaluation.extraction import describe_resizing, extract, make_extractor
from ganzoo.nn import Extractor
from ganzoo.sampling.classes import Label
from ganzoo.sampling.direction_methods import (
    choose_layers,
    describe,
    learn_normal,
    random_latents,
)
from ganzoo.sampling.directions import Directions
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.moments import Moments
from ganzoo.sampling.progress import Progress
from ganzoo.sampling.samplers import Codes, Draw
from ganzoo.sampling.sizes import images_at_once
from ganzoo.spec import find_class

DRAWS = 2_000  # images by default
FEWEST = 10  # images of a class, and of others, from which its direction is learned


def class_directions(
    model: Generator,
    extractor: str,
    classes: Sequence[str] = (),
    *,
    layers: str = "",
    draws: int = DRAWS,
    seed: int = 0,
    label: Label | None = None,
    resize: bool = False,
    progress: bool = False,
) -> Directions:
    """Learn the directions in w, or z, to the classes that an extractor sees in the images.

    Each is the normal of a logistic regression of the latents, see `learn_normal`.

    Args:
        model: the generator.
        extractor: name of an extractor with classes, such as ``lenet-mnist@1``.
        classes: names of its classes; by default all that it sees in 10 images or more.
        layers: layers whose w moves; by default all.
        draws: number of images.
        seed: seed of the images.
        label: class of the images, for a model with classes; by default all alternate.
        resize: resize images that differ from the size of the extractor.
        progress: show a progress line.

    Raises:
        MetricError: the extractor has no such class, does not read such images, or sees a class in
            fewer than 10 images, or in all but fewer than 10.
        SampleError, UnknownNameError, ...: an argument is not valid.
    """
    numbers = choose_layers(model, layers)
    network = make_extractor(extractor)
    describe_resizing(extractor, network, model.spec.data.image, resize)
    chosen = [_number(extractor, network, name) for name in classes]
    if not network.classes:
        raise MetricError(
            f"extractor {extractor!r} has no classes. Use one that has, such as lenet-mnist@1."
        )
    latents = np.concatenate(list(random_latents(model, draws, seed, label)))
    images = Draw.of(seed, draws, y=model.labels(draws, label=label))
    predicted = _classify(model, network, latents, images, progress)
    counts = np.bincount(predicted, minlength=len(network.classes))
    usable = (counts >= FEWEST) & (counts <= draws - FEWEST)
    chosen = chosen or [int(k) for k in np.flatnonzero(usable)]
    for k in chosen or [int(counts.argmax())]:
        if not usable[k]:
            raise MetricError(
                f"{extractor!r} classifies {counts[k]:,} of {draws:,} images as "
                f"{network.classes[k]!r}. A direction needs {FEWEST} images of the class and "
                f"{FEWEST} others. Use more draws, or another class."
            )
    normals = np.stack([learn_normal(latents, predicted == k) for k in chosen])
    names = [f"class {network.classes[k]}" for k in chosen]
    return describe(model, normals, Moments.of([latents]), "classes", seed, numbers, names)


def _number(name: str, extractor: Extractor, label: str) -> int:
    number = find_class(label, extractor.classes)
    if number is None:
        raise MetricError(
            f"extractor {name!r} has no class {label!r}. "
            + (
                f"Its classes: {enumerate_names(extractor.classes)}."
                if extractor.classes
                else "It has no classes. Use one that has, such as lenet-mnist@1."
            )
        )
    return number


def _classify(
    model: Generator,
    extractor: Extractor,
    latents: NDArray[np.float32],
    draw: Draw,
    progress: bool,
) -> NDArray[np.int64]:
    """Return the class of the image of each latent, (n,)."""
    at_once, parts = images_at_once(model.spec), []
    with Progress(len(latents), 1, progress) as bar:
        for k in range(0, len(latents), at_once):
            part = latents[k : k + at_once]
            y = None if draw.y is None else draw.y[k : k + at_once]
            codes = Codes(styles=model.to_styles(part)) if model.spec.styles else Codes(part, y)
            pixels = model.render(codes).numpy().transpose(0, 3, 1, 2).copy()
            logits = extract(extractor, torch.from_numpy(pixels)).logits
            assert logits is not None  # it has classes
            parts.append(logits.argmax(axis=1))
            bar.update(len(part))
    return np.concatenate(parts)
