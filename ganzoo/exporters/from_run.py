"""Complete a training's bundle with all that running it anywhere takes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch

from ganzoo import bundle, cards
from ganzoo.bundle import Bundle, open_bundle, write_bundle
from ganzoo.bundle.files import sha256, write_file
from ganzoo.errors import BundleError, CardError, RunNotFoundError
from ganzoo.exporters import onnx_graph
from ganzoo.exporters.figures import draw_model, draw_training, keep_pictures
from ganzoo.exporters.precision import Precision, choose, pack, precision_of, round_weights
from ganzoo.exporters.proving import prove
from ganzoo.exporters.training_files import read_training
from ganzoo.registry import models as registered
from ganzoo.runtimes.torch import TorchModel, load_torch, rebuild
from ganzoo.sampling.generator import Generator
from ganzoo.spec import METRICS, ROUNDING, SEEDS, STORED_AS, ModelSpec


def export(
    run: str | Path,
    out: str | Path | None = None,
    *,
    precision: Precision | None = None,
    arguments: Mapping[str, Any] | None = None,
    pictures: bool = True,
) -> Path:
    """Write a run's averaged networks as safetensors, ONNX, config and card in one folder.

    The two runtimes are compared first, and the figures become part of the config; an export
    whose runtimes disagree is refused and nothing is written. The prose of the source's card is
    kept, or else of the same model's bundle that is replaced; a card without generated blocks stays
    as it is, of which is warned. Of a log of more than 500 lines every so many-th is kept.

    Args:
        run: a run's folder, or a bundle's.
        out: the folder to write; by default the bundle inside the run, in place.
        precision: how weights are stored: ``fp32``, ``fp16`` in half the size or ``int8`` in about
            a quarter; by default as they are, which a run's are in fp32. Both runtimes compute in
            float32, with the rounded weights; how far that moves an image becomes part of the
            config, and what moves it too far is refused.
        arguments: of the architecture, other than those it was trained with: such as decide what is
            made with the weights and leave the weights as they are.
        pictures: draw samples, ways between them, the plane of latents of two numbers and the
            course of the training; without, which is faster, those that the source has stay, if
            they still show what the model makes.

    Returns:
        The bundle's folder.

    Raises:
        RunNotFoundError: neither a run nor a bundle.
        ExportError: the network cannot be exported, or the runtimes disagree; a precision that
            harms it, or that its weights have lost; an argument builds a network of other weights
            or inputs.
        RecipeError: an argument that the architecture does not have, or of the wrong type.
        BundleError: the source is damaged, or `out` holds more than a bundle.
        MissingPluginError, BrokenPluginError: the architecture is not to be had.
        OutputError: the folder cannot be written.
    """
    source = _find(Path(run))
    path = Path(out) if out is not None else source.path
    if not bundle.replaceable(path):
        raise BundleError(
            f"{path} exists and holds more than a whole bundle, so it is not replaced. "
            "Choose another folder with -o."
        )
    models = _load(source, arguments or {})
    made = dict(source.spec.provenance)
    had, stored = precision_of(made), choose(precision, made)
    if arguments or stored != had:
        for key in (METRICS, SEEDS):
            made.pop(key, None)  # of other weights, or of what other arguments make
    if stored != had:
        made[ROUNDING] = {role: round_weights(m, role, stored) for role, m in models.items()}
        made[STORED_AS] = stored

    proven = {role: prove(model, role, stored) for role, model in models.items()}
    for role, (_, parity) in proven.items():
        made["parity" if role == "generator" else f"{role}_parity"] = parity
    spec = replace(models["generator"].spec, provenance=made)

    files = read_training(source.path)
    generator = models["generator"]
    files |= keep_pictures(source.path, generator, rebuilt=bool(arguments), rounded=stored != had)
    if pictures:
        files |= draw_training(source.path)
        files |= draw_model(generator) if isinstance(generator, Generator) else {}

    writers: dict[str, Callable[[Path], object]] = {
        name: functools.partial(_write, content) for name, content in files.items()
    }
    for role, model in models.items():
        writers[bundle.weights_name(role)] = functools.partial(_write_weights, model, spec)
        graph = proven[role].content
        writers[bundle.onnx_name(role)] = functools.partial(onnx_graph.write, graph, spec)
    # The last, since it states what all the others are.
    former = cards.read(source.path) or _card_before(path, spec.name)
    writers[bundle.CARD] = functools.partial(_write_card, spec, former)
    write_bundle(path, spec, writers)
    return path


def _load(source: Bundle, arguments: Mapping[str, Any]) -> dict[str, TorchModel]:
    """A bundle's networks by role, built with other arguments if there are any."""
    models = {role: load_torch(source, role) for role in source.spec.roles}
    if not arguments:
        return models
    return {role: rebuild(model, source, arguments, role) for role, model in models.items()}


def _find(path: Path) -> Bundle:
    inside = path / "bundle"
    try:
        return open_bundle(inside if inside.is_dir() else path)
    except FileNotFoundError as error:
        hint = (
            f" It is a run that has saved nothing yet: ganzoo train --resume {path}"
            if (path / "recipe.toml").is_file()
            else " `ganzoo train RECIPE` writes a run."
        )
        if str(path) in registered:
            hint = (
                f" It names a model of the zoo, which is a bundle already: `ganzoo export {path} "
                "--for triton` or `--for web`."
            )
        raise RunNotFoundError(f"{path} is neither a run nor a bundle.{hint}") from error


def _write_weights(model: TorchModel, spec: ModelSpec, path: Path) -> None:
    weights = pack(model, precision_of(spec.provenance))
    write_file(path, safetensors.torch.save(weights, {bundle.METADATA_KEY: spec.to_json()}))


def _write_card(spec: ModelSpec, former: str | None, path: Path) -> None:
    names = bundle.list_files(path.parent)
    digests = {name: sha256(path.parent / name) for name in names}
    context = cards.CardContext.at(spec, path.parent, digests)
    try:
        card = cards.compose(context, former)
    except CardError as error:
        if former is None:
            raise
        warnings.warn(f"the card stays as it was: {error}", stacklevel=2)
        card = former
    write_file(path, card)


def _card_before(path: Path, name: str) -> str | None:
    """The card of the bundle that is replaced, where it is the same model's."""
    if not (path / bundle.CONFIG).is_file():
        return None
    replaced = open_bundle(path)
    return cards.read(path) if replaced.spec.name == name else None


def _write(content: bytes, path: Path) -> None:
    write_file(path, content)
