"""Initial weights of a training: those of a trained model, as far as they fit."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ganzoo.bundle.files import write_file
from ganzoo.bundle.summary import read_recipe
from ganzoo.errors import MALFORMED, CheckpointError, GanzooError, RecipeError
from ganzoo.games import Loss
from ganzoo.nn.matching import match_tensors
from ganzoo.registry import architectures, recipes
from ganzoo.registry.signatures import as_option
from ganzoo.runtimes.build import find_architecture
from ganzoo.spec import Component, DataSpec, ModelSpec, Recipe
from ganzoo.spec.json_text import read_json
from ganzoo.spec.parsing import STRICT, check_integer, explain, parse
from ganzoo.training.build import complete
from ganzoo.training.fitting_arguments import (
    SMALL_SHARE,
    Fit,
    fits,
    plain,
    suggest_arguments,
    suggest_images,
)
from ganzoo.training.trained_model import TrainedModel

FILE = "initial.json"  # in the folder of a run
SHOWN = 10  # tensors that a summary lists
ID = 12  # characters of an identifier that a summary shows
_POWER_ITERATIONS = 15  # as torch does for a new layer with spectral normalisation


@dataclass(frozen=True)
class InitialWeights:
    """Which weights of a trained model a training started from.

    Attributes:
        model: the model's name.
        weights_id: its `ganzoo.ModelSpec.weights_id`.
        address: name by which others find the model; empty for a folder.
        averaged: whether the trained networks start from averaged weights, those of a bundle.
        images: the model's images, such as ``28x28x1``.
        licenses: the model's licences, see `ganzoo.ModelSpec.licenses`.
        counts: by role, tensors that were taken and all tensors, then the same of parameters: four
            numbers.
        arguments: options of the architecture with which more parameters would fit; empty if none
            are better.
        share: share of the parameters that would fit with these options.
        new: by role, the reason why a tensor is new, by its name; empty for a role that the model
            does not have, whose tensors are all new.
        unused: by role, names of the model's tensors that were not taken.

    Raises:
        ValueError: there are not four counts for a role, or one is out of range.
    """

    __pydantic_config__ = STRICT

    model: str
    weights_id: str
    address: str
    averaged: bool
    images: str
    licenses: list[dict[str, str]]
    counts: dict[str, list[int]]
    arguments: list[str] = field(default_factory=list)
    share: float = 0.0
    new: dict[str, dict[str, str]] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for role, counts in self.counts.items():
            if len(counts) != 4:
                raise ValueError(f"the role {role!r} has {len(counts)} counts; it must have four")
            for part, whole in (counts[:2], counts[2:]):
                check_integer(f"the count of the role {role!r}", part, 0, whole)

    def provenance(self) -> dict[str, Any]:
        """Return what a model's provenance records: all but the names of tensors."""
        record = dataclasses.asdict(self)
        return {name: record[name] for name in record if name not in ("new", "unused")}

    def write(self, run: Path) -> None:
        """Write the file of a run.

        Raises:
            OutputError: the file cannot be written.
        """
        write_file(run / FILE, json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, run: Path) -> InitialWeights | None:
        """Return the initial weights of a run; None if it started from random ones.

        Raises:
            CheckpointError: the file is damaged.
        """
        from pydantic import ValidationError

        file = run / FILE
        if not file.exists():
            return None
        try:
            content = file.read_bytes()
            read_json(content)  # refuses repeated keys
            initial: InitialWeights = parse(cls, content)
        except (OSError, *MALFORMED) as error:
            reason = explain(error, cls) if isinstance(error, ValidationError) else f"{error}."
            raise CheckpointError(
                f"cannot read {file}, which says what the run started from: {reason} Restore it."
            ) from error
        return initial

    def describe(self) -> Iterator[str]:
        """Yield lines that summarise what was taken, what is new and what was not used."""
        kind = "averaged weights" if self.averaged else "the last checkpoint"
        yield f"initial     {self.model} ({self.weights_id[:ID]}, {kind}), images of {self.images}"
        for role, (tensors, all_tensors, numbers, all_numbers) in self.counts.items():
            if role not in self.new or self.new[role]:
                yield (
                    f"            {role}: {tensors} of {all_tensors} tensors, {numbers:,} of "
                    f"{all_numbers:,} parameters ({numbers / max(all_numbers, 1):.1%})"
                )
            else:
                yield f"            {role}: new, the model has none"
        new = [f"{r} {name}: {why}" for r, names in self.new.items() for name, why in names.items()]
        unused = [f"{role} {name}" for role, names in self.unused.items() for name in names]
        yield from _list("new", new)
        yield from _list("not used", unused)
        if self.arguments:
            options = " ".join(self.arguments)
            yield f"arguments   with {options}, {self.share:.1%} of the parameters fit"
        elif new:
            yield "arguments   no others let more parameters fit these images"


def _list(title: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines[:SHOWN]):
        yield f"{'' if number else title:<11} {line}"
    if len(lines) > SHOWN:
        yield f"            and {len(lines) - SHOWN} more, which {FILE} of the run lists"


def take_weights(
    model: TrainedModel, recipe: Recipe, nets: Mapping[str, nn.Module], loss: Loss, data: DataSpec
) -> tuple[InitialWeights, dict[str, dict[str, Tensor]]]:
    """Copy those weights of a trained model into networks that fit.

    Args:
        model: the trained model.
        recipe: the recipe of the networks, with all arguments.
        nets: networks by role, before spectral normalisation by the recipe.
        loss: the recipe's loss.
        data: the training's data.

    Returns:
        What was taken; and by role, the averages of what was taken, if they are other weights.

    Warns:
        UserWarning: less than a tenth of the generator's parameters fit.

    Raises:
        RecipeError: the model has another architecture, or nothing fits.
        BundleError, CheckpointError, ...: the model cannot be loaded.
    """
    spec = model.bundle.spec
    _check_architecture(model, recipe, loss, data)
    networks = model.load()
    suggestion = suggest_arguments(spec, networks.trained, recipe, loss, data)
    counts: dict[str, list[int]] = {}
    new: dict[str, dict[str, str]] = {}
    unused: dict[str, list[str]] = {}
    averages: dict[str, dict[str, Tensor]] = {}
    has_kernels = False  # a bias or a scale alone, such as the bias of a logit, is no start
    for role, net in nets.items():
        source = networks.trained.get(role)
        if source is None:
            counts[role] = [0, len(net.state_dict()), 0, sum(w.numel() for w in net.parameters())]
            new[role] = {}
            continue
        before, after = source.state_dict(), net.state_dict()
        matches = match_tensors(source, net)
        pairs = {name: path for name, path in matches.items() if fits(before[path], after[name])}
        copy_tensors(net, {name: before[path] for name, path in pairs.items()})
        if any(name.endswith("._u") for name in after.keys() - pairs.keys()):
            _estimate_norms(net)
        sizes = {name: weight.numel() for name, weight in net.named_parameters()}
        has_kernels |= any(after[name].dim() > 1 and sizes.get(name, 0) > 1 for name in pairs)
        numbers = [sum(sizes.get(name, 0) for name in names) for names in (pairs, after)]
        counts[role] = [len(pairs), len(after), *numbers]
        if len(pairs) < len(after):
            new[role] = {
                name: f"{_size(tensor)}, {_explain(before.get(matches.get(name, '')))}"
                for name, tensor in after.items()
                if name not in pairs
            }
        used = set(pairs.values())
        # Estimates of spectral norms are no weights: those of the new networks are computed again.
        rest = [name for name in before if name not in used and not name.endswith(("._u", "._v"))]
        if rest:
            unused[role] = rest
        if role in networks.averages:
            average = networks.averages[role].state_dict()
            averages[role] = {name: average[path] for name, path in pairs.items()}
    for role in networks.trained.keys() - nets.keys():
        unused[role] = list(networks.trained[role].state_dict())
    if not has_kernels:
        raise RecipeError(_explain_nothing(spec, networks.trained, suggestion, recipe, loss, data))
    *_, fitting, parameters = counts["generator"]
    if fitting < SMALL_SHARE * parameters:
        warnings.warn(
            f"only {fitting / parameters:.1%} of the generator's parameters come from "
            f"{spec.name!r}, so this is nearly a training from scratch. {_advise(suggestion)}",
            stacklevel=2,
        )
    initial = InitialWeights(
        model=spec.name,
        weights_id=spec.weights_id,
        address=model.address,
        averaged=model.checkpoint is None,
        images=str(spec.data.image),
        licenses=[dict(licence) for licence in spec.licenses],
        counts=counts,
        arguments=suggestion.options,
        share=suggestion.share,
        new=new,
        unused=unused,
    )
    return initial, averages


def copy_tensors(net: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into a network by their names."""
    state = net.state_dict()
    with torch.no_grad():
        for name, tensor in tensors.items():
            state[name].copy_(tensor)


def plain_name(name: str) -> str:
    """Return the name of a weight without the spectral normalisation of the recipe."""
    return name.replace("parametrizations.weight.original", "weight")


def _explain(counterpart: Tensor | None) -> str:
    return "not in the model" if counterpart is None else f"in the model {_size(counterpart)}"


def _estimate_norms(net: nn.Module) -> None:
    """Estimate the largest singular values of weights that were loaded without estimates."""
    with torch.no_grad():
        for module in net.train().modules():
            if parametrize.is_parametrized(module, "weight"):
                for _ in range(_POWER_ITERATIONS):
                    _ = module.weight


def _check_architecture(model: TrainedModel, recipe: Recipe, loss: Loss, data: DataSpec) -> None:
    """Raise an error that names recipes of the model's architecture if it is another."""
    spec = model.bundle.spec
    entry = architectures.entry(recipe.architecture.name)
    name = spec.architecture
    if name == entry.name:
        theirs = find_architecture(model.bundle, "generator")
        if theirs == entry:
            return
        name = theirs.address
    remedies = []
    if own := find_recipes(spec.architecture):
        names = ", ".join(f"{each} (dataset {dataset})" for each, dataset in own.items())
        remedies.append(f"Recipes of {spec.architecture}: {names}.")
    with contextlib.suppress(GanzooError):  # the architecture may not be installed
        fit = _suggest_architecture(name, model, recipe, loss, data)
        if fit.share >= SMALL_SHARE:
            options = " ".join(fit.options)
            remedies.append(f"With this recipe, {fit.share:.1%} of the parameters fit: {options}")
    raise RecipeError(
        f"cannot start from {spec.name!r}: its architecture is {name!r}, and this recipe's is "
        f"{recipe.architecture.name!r}. {' '.join(remedies) or 'Start from another model.'}"
    )


def _suggest_architecture(
    name: str, model: TrainedModel, recipe: Recipe, loss: Loss, data: DataSpec
) -> Fit:
    """Return the options of another architecture with which most weights of a model fit.

    If the loss cannot train its default networks, an argument of the recipe is tried, such as that
    of the discriminator.
    """
    spec, networks = model.bundle.spec, model.load().trained
    defaults = complete(replace(recipe, architecture=Component(name))).architecture.arguments
    ours = recipe.architecture.arguments
    shared = [{k: v} for k, v in ours.items() if k in defaults and plain(v) != plain(defaults[k])]
    for change in ({}, *shared):
        other = replace(recipe, architecture=Component(name, defaults | change))
        fit = suggest_arguments(spec, networks, other, loss, data)
        if fit.share >= SMALL_SHARE:
            break
    own = [as_option(f"architecture.{key}", value) for key, value in change.items()]
    return replace(fit, options=[f"--architecture {name}", *own, *fit.options])


def find_recipes(architecture: str) -> dict[str, str]:
    """Return the datasets of the registered recipes of an architecture by the recipe's name.

    Plugins are not imported.
    """
    names = {}
    for entry in recipes.entries():
        table = read_recipe(entry)
        if _name_of(table.get("architecture")) == architecture:
            names[entry.name] = _name_of(table.get("dataset"))
    return names


def _name_of(component: Any) -> str:
    """Return the name of a component in a recipe's TOML, which is its name or a table."""
    return str(component.get("name", "") if isinstance(component, dict) else component)


def _explain_nothing(
    spec: ModelSpec,
    networks: Mapping[str, nn.Module],
    fit: Fit,
    recipe: Recipe,
    loss: Loss,
    data: DataSpec,
) -> str:
    text = f"cannot start from {spec.name!r}: no matrix and no kernel of it fits."
    own, images = str(spec.data.image), str(data.image)
    if own != images:
        text += f" It makes images of {own}, and these are {images}."
    if not fit.options:
        fit = suggest_images(spec, networks, recipe, loss, data)
    return f"{text} {_advise(fit)}"


def _advise(fit: Fit) -> str:
    if not fit.options:
        return "No other options let more parameters fit: start from another model."
    return f"With these options, {fit.share:.1%} of the parameters fit: {' '.join(fit.options)}"


def _size(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
