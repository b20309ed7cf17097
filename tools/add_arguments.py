"""Record arguments in shipped bundles that components got after their training.

python tools/add_arguments.py plugins/*/*/pretrained/r3gan-* \
    --architecture 'resampling = "mean"' 'image_biases = true'

The arguments are TOML. They are added to config.json, to its copies in weights and graphs, and to
training/recipe.toml. All weights stay bit for bit, and so do arguments that exist already. Cards do
not change: run ship_model.py with --only-cards afterwards.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import safetensors.torch
import tomli_w
import tyro

from ganzoo.bundle import (
    METADATA_KEY,
    RECIPE,
    Bundle,
    amend_bundle,
    onnx_name,
    open_bundle,
    weights_name,
)
from ganzoo.spec import METRICS, SEEDS, ModelSpec


def add(table: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Add the entries that a table lacks."""
    for name, value in new.items():
        table.setdefault(name, value)


def amended(spec: ModelSpec, architecture: Mapping[str, Any], loss: Mapping[str, Any]) -> ModelSpec:
    """Return a config with the arguments added."""
    config = json.loads(spec.to_json())
    recipe = config["provenance"]["recipe"]
    for table, new in (
        (config["arguments"], architecture),
        (recipe["architecture"], architecture),
        (recipe["loss"], loss),
    ):
        add(table, new)
    return ModelSpec.from_json(json.dumps(config), where=spec.name)


def networks(bundle: Bundle, spec: ModelSpec) -> dict[str, bytes]:
    """Return weights and graphs with a new config and the old tensors."""
    # An export writes networks without metrics; only config.json has them.
    config = json.loads(spec.to_json())
    for key in (METRICS, SEEDS):
        config["provenance"].pop(key, None)
    metadata = {METADATA_KEY: ModelSpec.from_json(json.dumps(config), where=spec.name).to_json()}
    contents = {}
    for role in spec.roles:
        weights = safetensors.torch.load((bundle.path / weights_name(role)).read_bytes())
        contents[weights_name(role)] = safetensors.torch.save(weights, metadata)
        graph = onnx.load(bundle.path / onnx_name(role))
        onnx.helper.set_model_props(graph, metadata)
        contents[onnx_name(role)] = graph.SerializeToString()
    return contents


def recipe(path: Path, architecture: Mapping[str, Any], loss: Mapping[str, Any]) -> str:
    """Return a recipe with the arguments added."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    add(table["architecture"], architecture)
    add(table["loss"], loss)
    return tomli_w.dumps(table)


def main(
    bundles: tyro.conf.Positional[tuple[Path, ...]],
    architecture: tuple[str, ...] = (),
    loss: tuple[str, ...] = (),
) -> None:
    added = [tomllib.loads("\n".join(lines)) for lines in (architecture, loss)]
    for path in bundles:
        bundle = open_bundle(path)
        spec = amended(bundle.spec, *added)
        contents: dict[str, str | bytes] = {RECIPE: recipe(path / RECIPE, *added)}
        if spec.contract != bundle.spec.contract:
            contents |= networks(bundle, spec)
        amend_bundle(bundle, spec, contents)
        print(path)


if __name__ == "__main__":
    tyro.cli(main)
