"""Export a run, or a bundle, as a complete bundle: weights, ONNX, config, figures and card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganzoo import cards
from ganzoo.bundle import (
    CONFIG,
    Bundle,
    open_bundle,
    replaceable,
)
from ganzoo.bundle.folder import suggest_folder
from ganzoo.bundle.location import explain_download, open_folder
from ganzoo.errors import BundleError, NotABundleError, RunNotFoundError
from ganzoo.exporters.figures import draw_training, keep_figures
from ganzoo.exporters.precision import Precision, choose, precision_of, round_weights
from ganzoo.exporters.reference import REFERENCE
from ganzoo.exporters.training_files import read_training
from ganzoo.exporters.writing import write_export
from ganzoo.nn import sizes_of, torch_defaults
from ganzoo.registry import models as registered
from ganzoo.registry.names import suggest_hub_name
from ganzoo.runtimes.torch import TorchModel, load_torch, rebuild
from ganzoo.spec import IMPORTED, METRICS, ONNX, ROUNDING, SEEDS, STORED_AS


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
    config. If they differ too much, nothing is written; an imported model is then written without
    ONNX files, with a warning. The prose of the run's card is kept, or the
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
    provenance = dict(models["generator"].spec.provenance)
    old_precision, new_precision = precision_of(provenance), choose(precision, provenance)
    if arguments or new_precision != old_precision:
        for key in (METRICS, SEEDS):
            provenance.pop(key, None)  # measured with other weights or arguments
        if imported := bundle.spec.recorded(IMPORTED):
            imported.pop(REFERENCE, None)  # so was the difference from the original's images
            provenance[IMPORTED] = imported
    if new_precision != old_precision:
        provenance[ROUNDING] = {
            role: round_weights(models[role], role, new_precision) for role in bundle.spec.roles
        }
        provenance[STORED_AS] = new_precision

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
    spec = replace(generator.spec, provenance=provenance)
    # The card's prose comes from the run, or from the replaced bundle.
    former = cards.read(bundle.path) or _former_card(path, spec.name)
    write_export(path, spec, models, files, figures=figures, former_card=former)
    return path


def _load(bundle: Bundle, arguments: Mapping[str, Any]) -> dict[str, TorchModel]:
    """Return a bundle's networks by role, built with other arguments if there are any.

    The sizes in their configs are those of the network, which an older bundle does not state. A
    former export that failed is forgotten.
    """
    provenance = {key: value for key, value in bundle.spec.provenance.items() if key != ONNX}
    roles = (*bundle.spec.roles, *bundle.spec.training_roles)
    models = {role: load_torch(bundle, role) for role in roles}
    if arguments:
        models = {role: rebuild(m, bundle, arguments, role) for role, m in models.items()}
    for model in models.values():
        sizes = sizes_of(models["generator"].network)
        model.spec = replace(model.spec, sizes=sizes, provenance=provenance)
    return models


def _find(path: Path) -> Bundle:
    try:
        return open_folder(path)
    except NotABundleError as error:
        hint = f"{suggest_folder(path)} `ganzoo train RECIPE` writes a run."
        if not path.parent.is_dir() and (name := suggest_hub_name(str(path))):
            hint = f" {explain_download(name)}"
        if str(path) in registered:
            hint = (
                f" It is the name of a registered model, which is a bundle already. Write `ganzoo "
                f"export {path} --for triton` or `--for web`."
            )
        raise RunNotFoundError(f"{path} is neither a run nor a bundle.{hint}") from error


def _former_card(path: Path, name: str) -> str | None:
    """Return the card of the bundle to replace, if it holds a model of the same name."""
    if not (path / CONFIG).is_file():
        return None
    return cards.read(path) if open_bundle(path).spec.name == name else None
