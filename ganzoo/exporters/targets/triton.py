"""Export a bundle as a model repository of NVIDIA's Triton Inference Server.

The repository's layout and config.pbtxt, a ModelConfig message in protobuf's text format:
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/model_configuration.html
"""

from __future__ import annotations

import shlex
from pathlib import Path
from string import Template

from ganzoo.bundle import Bundle
from ganzoo.bundle.files import write_file
from ganzoo.errors import BundleError
from ganzoo.exporters.targets.target import TargetFiles
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.runtimes.signature import declared_signature

CONFIG = "config.pbtxt"
MAX_BATCH = 64  # images in one batch
_CLASS = "# y "  # begin of a comment that names a class
MAX_DELAY = 1_000  # microseconds that a request waits for other requests of its batch

_CONFIG = Template("""\
# Written by ganzoo for the model $model. Each version is in a folder named by its number.
name: "$name"
backend: "onnxruntime"
max_batch_size: $max_batch
version_policy { latest { num_versions: 1 } }
dynamic_batching { max_queue_delay_microseconds: $max_delay }
# Runs on every GPU of the server, or on the CPU without a GPU.
instance_group [ { kind: KIND_AUTO, count: 1 } ]
$classes$inputs
$outputs
""")


def triton(bundle: Bundle, out: Path) -> TargetFiles:
    """Write a model repository for NVIDIA's Triton Inference Server; see `write_triton`."""
    folders = write_triton(bundle, out)
    return TargetFiles(
        folders, f"tritonserver --model-repository {shlex.quote(str(out.resolve()))}"
    )


def write_triton(bundle: Bundle, out: Path) -> list[Path]:
    """Write each of a bundle's networks as a model of a Triton repository.

    The generator has the model's name; another network has its role after a hyphen. If the
    repository already holds the model, a changed network becomes the next version. Tests check the
    config against the definition of ModelConfig, not in a server.

    Args:
        bundle: a bundle with ONNX files.
        out: the repository, which may hold other models.

    Returns:
        The folders of the versions.

    Raises:
        BundleError: an ONNX file is missing or fails the checks of `ganzoo.load`, or the
            repository's model has other inputs, outputs or classes.
        OutputError: the repository cannot be written.
    """
    return [_write(bundle, role, out) for role in bundle.spec.roles]


def _write(bundle: Bundle, role: str, out: Path) -> Path:
    name = bundle.spec.name if role == "generator" else f"{bundle.spec.name}-{role}"
    network, folder = bundle.require_onnx(role), out / name
    load_onnx(bundle, role)  # checks the graph, which the server runs without a check
    content, config = network.read_bytes(), _config(bundle, role, name)
    config_file = folder / CONFIG
    if config_file.is_file() and (
        _interface(before := config_file.read_text(encoding="utf-8"), before)
        != _interface(config, before)
    ):
        raise BundleError(
            f"{folder} holds a model with other inputs, outputs or classes, so a new version would "
            "break its clients. Choose another folder with -o."
        )
    numbers = [0, *(int(path.name) for path in folder.glob("[0-9]*") if path.name.isdecimal())]
    last = folder / str(max(numbers)) / "model.onnx"
    if last.is_file() and last.read_bytes() == content:
        return last.parent
    version = folder / str(max(numbers) + 1)
    write_file(version / "model.onnx", content)
    if not config_file.is_file():  # the user may have tuned an existing one
        write_file(config_file, config)
    return version


def _config(bundle: Bundle, role: str, name: str) -> str:
    inputs, outputs = declared_signature(bundle.spec, role)  # -1 is any size in Triton, too
    return _CONFIG.substitute(
        name=name,
        model=bundle.spec.name,
        max_batch=MAX_BATCH,
        max_delay=MAX_DELAY,
        classes=_classes(bundle) if "y" in inputs else "",
        inputs="\n".join(_tensor("input", key, shape) for key, shape in inputs.items()),
        outputs="\n".join(_tensor("output", key, shape) for key, shape in outputs.items()),
    )


def _classes(bundle: Bundle) -> str:
    """Return a comment that names the classes, which clients send as their indices."""
    names = enumerate(bundle.spec.data.class_names)
    return "".join(f"{_CLASS}{index} is the class {name!r}\n" for index, name in names)


def _tensor(kind: str, name: str, shape: list[int]) -> str:
    """Return the line for an input or output; Triton adds the batch dimension to its shape."""
    dtype = "TYPE_INT64" if name == "y" else "TYPE_FP32"
    # Triton has no tensor with only a batch dimension: clients send (n, 1), the network gets (n,).
    reshape = "" if shape else ", reshape { shape: [ ] }"
    dims = ", ".join(map(str, shape or [1]))
    return f'{kind} [ {{ name: "{name}", data_type: {dtype}, dims: [ {dims} ]{reshape} }} ]'


def _interface(config: str, before: str) -> list[str]:
    """Return the lines on inputs and outputs, and on the classes if the former config has some."""
    kinds = ("input", "output", *([_CLASS] if f"\n{_CLASS}" in before else []))
    return [line for line in config.splitlines() if line.startswith(kinds)]
