"""Rewrite bundles of an older format with the current names; the weights do not change.

python tools/migrate_bundles.py ganzoo/builtin/pretrained/*-* plugins/*/*/pretrained/*-*

Renames ``source`` to ``condition`` (inputs of the config and of the ONNX graph) and to ``origin``
(data), ``critic_steps`` to ``discriminator_steps`` (losses) and ``watched`` to ``metrics`` (log).
Metrics stay. Parity, checksums and cards are updated.
"""

import json
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import safetensors.torch
import tyro
from ship_model import publish

from ganzoo import cards
from ganzoo.bundle import (
    CONFIG,
    LOG,
    METADATA_KEY,
    RECIPE,
    Bundle,
    list_files,
    onnx_name,
    weights_name,
    write_bundle,
)
from ganzoo.bundle.files import write_file
from ganzoo.exporters.parity import check_parity
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.runtimes.torch import load_torch
from ganzoo.spec import METRICS, SEEDS, ModelSpec

INPUTS = {"source": "condition"}


def rename_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return a config with the current names."""
    config["inputs"] = [INPUTS.get(name, name) for name in config["inputs"]]
    for data in (config["data"], config["provenance"]["data"]):
        if "source" in data:
            data["origin"] = data.pop("source")
    loss = config["provenance"]["recipe"]["loss"]
    config["provenance"]["recipe"]["loss"] = {
        {"critic_steps": "discriminator_steps"}.get(name, name): value
        for name, value in loss.items()
    }
    return config


def rename_graph(graph: onnx.ModelProto, spec: ModelSpec) -> bytes:
    """Return a graph with the current input names and the current config in its metadata."""
    for value in graph.graph.input:
        value.name = INPUTS.get(value.name, value.name)
    for node in graph.graph.node:
        for k, name in enumerate(node.input):
            node.input[k] = INPUTS.get(name, name)
    onnx.helper.set_model_props(graph, {METADATA_KEY: spec.to_json()})
    content: bytes = graph.SerializeToString()
    return content


def migrate(path: Path) -> None:
    """Rewrite one bundle in place."""
    config = rename_config(json.loads((path / CONFIG).read_text()))
    spec = ModelSpec.from_json(json.dumps(config), where=str(path))
    graphs = {role: onnx.load(path / onnx_name(role)) for role in spec.roles}
    with tempfile.TemporaryDirectory() as scratch:
        trial = Bundle(Path(shutil.copytree(path, Path(scratch) / path.name)), spec)
        write_networks(trial, graphs)
        for role in spec.roles:
            key = "parity" if role == "generator" else f"{role}_parity"
            config["provenance"][key] = check_parity(
                load_torch(trial, role), load_onnx(trial, role), role
            )
        spec = ModelSpec.from_json(json.dumps(config), where=str(path))
        # An export writes networks without metrics; only config.json has them.
        for key in (METRICS, SEEDS):
            config["provenance"].pop(key, None)
        write_networks(replace(trial, spec=ModelSpec.from_json(json.dumps(config))), graphs)
        for name, old, new in (
            (LOG, r'"watched": ', '"metrics": '),
            (RECIPE, r"\bcritic_steps\b", "discriminator_steps"),
        ):
            text = (trial.path / name).read_text()
            write_file(trial.path / name, re.sub(old, new, text))
        contents = {
            name: (trial.path / name).read_bytes()
            for name in list_files(trial.path)
            if name != CONFIG
        }
    write_bundle(
        path,
        spec,
        {
            name: lambda file, content=content: write_file(file, content)
            for name, content in contents.items()
        },
    )
    cards.write(path)
    publish(path)


def write_networks(bundle: Bundle, graphs: dict[str, onnx.ModelProto]) -> None:
    """Write weights and graphs that hold the config of the bundle."""
    for role, graph in graphs.items():
        file = bundle.path / weights_name(role)
        weights = safetensors.torch.load(file.read_bytes())
        write_file(file, safetensors.torch.save(weights, {METADATA_KEY: bundle.spec.to_json()}))
        write_file(bundle.path / onnx_name(role), rename_graph(graph, bundle.spec))


def main(bundles: tyro.conf.Positional[tuple[Path, ...]]) -> None:
    for path in bundles:
        migrate(path)


if __name__ == "__main__":
    tyro.cli(main)
