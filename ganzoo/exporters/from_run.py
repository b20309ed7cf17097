"""Export a run, or a bundle, as a complete bundle: weights, ONNX, config, figures and card."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch

from ganzoo import cards
from ganzoo.bundle import (
    CARD,
    CONFIG,
    METADATA_KEY,
    Bundle,
    list_files,
    onnx_name,
    open_bundle,
    replaceable,
    weights_name,
    write_bundle,
)
from ganzoo.bundle.files import sha256, write_file
from ganzoo.bundle.location import explain_download, open_folder
from ganzoo.errors import BundleError, CardError, NotABundleError, RunNotFoundError
from ganzoo.exporters import onnx_graph
from ganzoo.exporters.figures import draw_model, draw_training, keep_figures
from ganzoo.exporters.onnx_export import prove
from ganzoo.exporters.precision import Precision, choose, pack, precision_of, round_weights
from ganzoo.exporters.training_files import read_training
from ganzoo.nn import torch_defaults
from ganzoo.registry import models as registered
from ganzoo.registry.names import suggest_hub_name
from ganzoo.runtimes.torch import TorchModel, load_torch, rebuild
from ganzoo.sampling.generator import Generator
from ganzoo.spec import METRICS, ROUNDING, SEEDS, STORED_AS, ModelSpec


@torch_defaults()
def export(
    run: str | Path,
    out: str | Path | None = None,
    *,
    precision: Precision | None = None,
    arguments: Mapping[str, Any] | None = None,
    figures: bool = True,
) -> Path:
    """Export a run's averaged networks as safetensors, ONNX, config and card in one folder.

    The outputs of torch and onnxruntime are compared first, and the differences are stored in the
    config. If they differ too much, nothing is written. The prose of the run's card is kept, or the
    prose of the replaced bundle of the same model. A card without generated blocks is left
    unchanged, with a warning. Logs longer than 500 lines are thinned evenly to 500.

    Args:
        run: the folder of a run or of a bundle.
        out: the folder to write; by default the bundle inside the run, in place.
        precision: how weights are stored: ``fp32``, ``fp16`` in half the size or ``int8`` in about
            a quarter; by default as in the run, ``fp32``, or as in the bundle. Both runtimes
            compute in float32 with the rounded weights. The config stores how far rounding moves
            an output; too large a difference is an error.
        arguments: arguments of the architecture that differ from the training's. They must not
            change the weights' shapes.
        figures: draw samples, interpolations, the plane of two-dimensional latents and training
            curves. Without, the export is faster and keeps the figures that are still valid.

    Returns:
        The bundle's folder.

    Raises:
        RunNotFoundError: the folder holds neither a run nor a bundle.
        ExportError: the network cannot be exported, the runtimes disagree, the precision changes
            the outputs too much or is finer than the stored weights, or an argument changes the
            network's weights or inputs.
        RecipeError: an argument is unknown to the architecture or has the wrong type.
        BundleError: the bundle is damaged, or `out` holds more than a bundle.
        MissingPluginError: the plugin that provides the architecture is not installed.
        BrokenPluginError: the plugin that provides the architecture cannot be loaded.
        OutputError: the folder cannot be written.
    """
    bundle = _find(Path(run))
    path = Path(out) if out is not None else bundle.path
    if not replaceable(path):
        raise BundleError(
            f"{path} exists and holds more than a complete bundle, so it is not replaced. "
            "Choose another folder with -o."
        )
    models = _load(bundle, arguments or {})
    provenance = dict(bundle.spec.provenance)
    old_precision, new_precision = precision_of(provenance), choose(precision, provenance)
    if arguments or new_precision != old_precision:
        for key in (METRICS, SEEDS):
            provenance.pop(key, None)  # measured with other weights or arguments
    if new_precision != old_precision:
        provenance[ROUNDING] = {
            role: round_weights(model, role, new_precision) for role, model in models.items()
        }
        provenance[STORED_AS] = new_precision

    graphs = {role: prove(model, role, new_precision) for role, model in models.items()}
    for role, (_, parity) in graphs.items():
        provenance["parity" if role == "generator" else f"{role}_parity"] = parity
    spec = replace(models["generator"].spec, provenance=provenance)

    files = read_training(bundle)
    generator = models["generator"]
    files |= keep_figures(
        bundle,
        generator,
        has_new_arguments=bool(arguments),
        has_new_precision=new_precision != old_precision,
    )
    if figures:
        files |= draw_training(bundle)
        files |= draw_model(generator) if isinstance(generator, Generator) else {}

    writers: dict[str, Callable[[Path], object]] = {
        name: functools.partial(_write, content) for name, content in files.items()
    }
    for role, model in models.items():
        writers[weights_name(role)] = functools.partial(_write_weights, model, spec)
        graph = graphs[role].content
        writers[onnx_name(role)] = functools.partial(onnx_graph.write, graph, spec)
    # The card is the last file, because it describes all the others.
    former = cards.read(bundle.path) or _former_card(path, spec.name)
    writers[CARD] = functools.partial(_write_card, spec, former)
    write_bundle(path, spec, writers)
    return path


def _load(bundle: Bundle, arguments: Mapping[str, Any]) -> dict[str, TorchModel]:
    """Return a bundle's networks by role, built with other arguments if there are any."""
    models = {role: load_torch(bundle, role) for role in bundle.spec.roles}
    if not arguments:
        return models
    return {role: rebuild(model, bundle, arguments, role) for role, model in models.items()}


def _find(path: Path) -> Bundle:
    try:
        return open_folder(path)
    except NotABundleError as error:
        hint = " `ganzoo train RECIPE` writes a run."
        if not path.exists() and (name := suggest_hub_name(str(path))):
            hint = f" {explain_download(name)}"
        if str(path) in registered:
            hint = (
                f" It is the name of a registered model, which is a bundle already. Write `ganzoo "
                f"export {path} --for triton` or `--for web`."
            )
        raise RunNotFoundError(f"{path} is neither a run nor a bundle.{hint}") from error


def _write_weights(model: TorchModel, spec: ModelSpec, path: Path) -> None:
    weights = pack(model, precision_of(spec.provenance))
    write_file(path, safetensors.torch.save(weights, {METADATA_KEY: spec.to_json()}))


def _write_card(spec: ModelSpec, former: str | None, path: Path) -> None:
    names = list_files(path.parent)
    digests = {name: sha256(path.parent / name) for name in names}
    context = cards.CardContext.at(spec, path.parent, digests)
    try:
        card = cards.compose(context, former)
    except CardError as error:
        if former is None:
            raise
        warnings.warn(f"the card is left unchanged: {error}", stacklevel=2)
        card = former
    write_file(path, card)


def _former_card(path: Path, name: str) -> str | None:
    """Return the card of the bundle to replace, if it holds a model of the same name."""
    if not (path / CONFIG).is_file():
        return None
    return cards.read(path) if open_bundle(path).spec.name == name else None


def _write(content: bytes, path: Path) -> None:
    write_file(path, content)
