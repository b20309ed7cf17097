"""A bundle that enlarges images, with a network of one convolution."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from ganzoo.bundle import METADATA_KEY, write_bundle
from ganzoo.spec import SizesSpec
from helpers.translators import spec_of

SIDE = 8


def write_upscaler(folder: Path, channels: int = 3, **sizes) -> Path:
    """Write a bundle without weights for torch, whose output depends on pixels up to 2 away.

    Args:
        folder: the new folder; its name is the model's.
        channels: of both images.
        sizes: of the config; by default the scale is 2.
    """
    sizes = SizesSpec(**{"scale": 2, "reach": 2} | sizes)
    spec = replace(spec_of(sizes, SIDE, channels), name=folder.name)
    outputs = channels * sizes.scale**2
    kernel = np.random.default_rng(0).normal(size=(outputs, channels, 5, 5)).astype(np.float32)
    kernel *= 6 / np.abs(kernel).sum((1, 2, 3), keepdims=True)
    nodes = [
        helper.make_node("Conv", ["condition", "kernel"], ["sums"], pads=[2, 2, 2, 2]),
        helper.make_node("DepthToSpace", ["sums"], ["enlarged"], blocksize=sizes.scale),
        helper.make_node("Tanh", ["enlarged"], ["images"]),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, tall, wide])
        for name, tall, wide in [("condition", "h", "w"), ("images", "H", "W")]
    ]
    weights = [numpy_helper.from_array(kernel, "kernel")]
    graph = helper.make_graph(nodes, "upscaler", values[:1], values[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    writers = {
        "model.onnx": lambda path: onnx.save(model, path),
        "model.safetensors": lambda path: save_file({}, path),
        "README.md": lambda path: path.write_text(f"# {folder.name}\n"),
    }
    return write_bundle(folder, spec, writers).path
