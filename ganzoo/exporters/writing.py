"""Write the complete bundle of a model: weights, ONNX, config, figures and card."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch

from ganzoo import cards
from ganzoo.bundle import CARD, METADATA_KEY, list_files, onnx_name, weights_name, write_bundle
from ganzoo.bundle.files import sha256, write_file
from ganzoo.errors import CardError, ExportError
from ganzoo.exporters import onnx_graph
from ganzoo.exporters.figures import draw_model
from ganzoo.exporters.memory import measure_memory
from ganzoo.exporters.onnx_export import OnnxExport, prove
from ganzoo.exporters.parity import check_deterministic
from ganzoo.exporters.precision import Precision, pack, precision_of
from ganzoo.exporters.reach import measure_reach
from ganzoo.runtimes.torch import TorchModel
from ganzoo.sampling.generator import Generator
from ganzoo.spec import IMPORTED, MAX_REASON, ONNX, ModelSpec, is_parity
from ganzoo.spec.parsing import shorten


def write_export(
    path: Path,
    spec: ModelSpec,
    models: Mapping[str, TorchModel],
    files: Mapping[str, bytes],
    *,
    figures: bool = True,
    former_card: str | None = None,
) -> ModelSpec:
    """Write a model's bundle, after a comparison of the outputs of torch and onnxruntime.

    Args:
        path: the bundle's folder, which is replaced.
        spec: the config; the comparison is added to its provenance, and its sizes are measured.
        models: the networks by role, with weights rounded to the precision in the provenance.
        files: contents of further files, by name.
        figures: draw figures of the model.
        former_card: the card whose prose is kept.

    Returns:
        The config with the comparison.

    Raises:
        ExportError: a network cannot be exported, or the runtimes disagree, and the model was not
            imported. Nothing is written.
        OutputError: the folder cannot be written.
    """
    precision = precision_of(spec.provenance)
    graphs, provenance = _export(spec, models, precision)
    spec = replace(spec, provenance=provenance)
    generator = models["generator"]
    if (condition := spec.data.condition) and spec.sizes:
        memory = graphs["generator"].memory if graphs else measure_memory(generator)
        memory = -(-memory // (condition.height * condition.width))
        sizes = replace(spec.sizes, reach=measure_reach(generator), memory=memory)
        spec = replace(spec, sizes=sizes)
    if figures and isinstance(generator, Generator):
        files = {**files, **draw_model(generator)}

    writers: dict[str, Callable[[Path], object]] = {
        name: functools.partial(_write, content) for name, content in files.items()
    }
    for role, graph in graphs.items():
        writers[onnx_name(role)] = functools.partial(onnx_graph.write, graph.content, spec)
    for role, model in models.items():
        stored = precision if role in spec.roles else "fp32"
        writers[weights_name(role)] = functools.partial(_write_weights, model, spec, stored)
    # The card is the last file, because it describes all the others.
    writers[CARD] = functools.partial(_write_card, spec, former_card)
    write_bundle(path, spec, writers)
    return spec


def _export(
    spec: ModelSpec, models: Mapping[str, TorchModel], precision: Precision
) -> tuple[dict[str, OnnxExport], dict[str, Any]]:
    """Return the exports by role, and the provenance with the comparison.

    If the export of an imported model fails, there are none, and the provenance has the reason:
    torch alone runs the model.

    Raises:
        ExportError: as for `write_export`.
    """
    try:
        exports = {role: prove(models[role], role, precision) for role in spec.roles}
    except ExportError as error:
        if IMPORTED not in spec.provenance:
            raise
        for role in spec.roles:
            check_deterministic(models[role], role)
        reason = shorten(error.reason, MAX_REASON).rstrip(".")
        warnings.warn(
            f"{spec.name!r} gets no ONNX file and runs on torch alone: {reason}.",
            stacklevel=4,
        )
        others = {key: value for key, value in spec.provenance.items() if not is_parity(key)}
        return {}, others | {ONNX: reason}
    return exports, spec.provenance | {
        "parity" if role == "generator" else f"{role}_parity": export.parity
        for role, export in exports.items()
    }


def _write(content: bytes, path: Path) -> None:
    write_file(path, content)


def _write_weights(model: TorchModel, spec: ModelSpec, precision: Precision, path: Path) -> None:
    weights = pack(model, precision)
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
