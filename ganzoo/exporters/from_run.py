"""Complete a training's bundle with all that running it anywhere takes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import safetensors.torch

from ganzoo import bundle
from ganzoo.bundle import Bundle, open_bundle, write_bundle
from ganzoo.errors import BundleError, RunNotFoundError
from ganzoo.exporters import onnx_graph
from ganzoo.exporters.card import write_card
from ganzoo.exporters.parity import check_parity
from ganzoo.files import write_file
from ganzoo.runtimes.onnx import OnnxGenerator
from ganzoo.runtimes.torch import TorchGenerator, load_torch
from ganzoo.spec import ModelSpec


def export(run: str | Path, out: str | Path | None = None) -> Path:
    """Write a run's averaged generator as safetensors, ONNX, config and card in one folder.

    The two runtimes are compared first, and the figures become part of the config; an export
    whose runtimes disagree is refused and nothing is written.

    Args:
        run: a run's folder, or a bundle's.
        out: the folder to write; by default the bundle inside the run, in place.

    Returns:
        The bundle's folder.

    Raises:
        RunNotFoundError: neither a run nor a bundle.
        ExportError: the network cannot be exported, or the runtimes disagree.
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
    generator = load_torch(source)
    graph = onnx_graph.trace(generator)
    with tempfile.TemporaryDirectory() as folder:
        trial = Bundle(Path(folder), source.spec)
        onnx_graph.write(graph, source.spec, trial.onnx)
        parity = check_parity(generator, OnnxGenerator(trial))
    spec = replace(source.spec, provenance=source.spec.provenance | {"parity": parity})
    training = {
        name: (source.path / name).read_bytes()
        for name in (bundle.RECIPE, bundle.LOG)
        if (source.path / name).is_file()
    }
    write_bundle(
        path,
        spec,
        {
            bundle.WEIGHTS: lambda p: _write_weights(generator, spec, p),
            bundle.ONNX: lambda p: onnx_graph.write(graph, spec, p),
            bundle.CARD: lambda p: write_card(spec, p),
            bundle.SAMPLES: generator.sample(64, seed=0).save,
            **{name: _copy(content) for name, content in training.items()},
        },
    )
    written = open_bundle(path)
    load_torch(written)
    OnnxGenerator(written)
    return path


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
        raise RunNotFoundError(f"{path} is neither a run nor a bundle.{hint}") from error


def _write_weights(generator: TorchGenerator, spec: ModelSpec, path: Path) -> None:
    weights = {k: v.cpu().contiguous() for k, v in generator.network.state_dict().items()}
    write_file(path, safetensors.torch.save(weights, {bundle.METADATA_KEY: spec.to_json()}))


def _copy(content: bytes) -> Callable[[Path], None]:
    return lambda path: write_file(path, content)
