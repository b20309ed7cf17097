"""A model repository of NVIDIA's Triton Inference Server.

Its layout and config.pbtxt, a protobuf message ModelConfig in text format:
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/model_configuration.html
"""

from __future__ import annotations

from pathlib import Path
from string import Template

from ganzoo.bundle import Bundle
from ganzoo.bundle.files import write_file
from ganzoo.errors import BundleError
from ganzoo.exporters.targets.target import TargetFiles
from ganzoo.runtimes.signature import signature

CONFIG = "config.pbtxt"
MAX_BATCH = 64  # images that one run of the network makes at most
MAX_DELAY = 1_000  # microseconds that a request waits for others to join its batch

_CONFIG = Template("""\
# Written by ganzoo for the model $model. Each version lies in a folder of its number.
name: "$name"
backend: "onnxruntime"
max_batch_size: $max_batch
version_policy { latest { num_versions: 1 } }
dynamic_batching { max_queue_delay_microseconds: $max_delay }
# On every GPU of the server, on its CPU where it has none.
instance_group [ { kind: KIND_AUTO, count: 1 } ]
$inputs
$outputs
""")


def triton(bundle: Bundle, out: Path) -> TargetFiles:
    """A model repository of NVIDIA's Triton Inference Server; see `write_triton`."""
    folders = write_triton(bundle, out)
    return TargetFiles(folders, f"tritonserver --model-repository {out.resolve()}")


def write_triton(bundle: Bundle, out: Path) -> list[Path]:
    """Write each of a bundle's networks as a model of a repository.

    The generator's name is the model's, another network's has its role after a hyphen. Where the
    repository holds the model already, this becomes its next version, unless it is the last one.
    It has been checked against the definition of ModelConfig, not in a server.

    Args:
        bundle: one with ONNX files.
        out: the repository, which may hold other models.

    Returns:
        The folders of the versions.

    Raises:
        BundleError: an ONNX file is absent; the repository's model has other inputs or outputs.
        OutputError: it cannot be written.
    """
    return [_write(bundle, role, out) for role in bundle.spec.roles]


def _write(bundle: Bundle, role: str, out: Path) -> Path:
    name = bundle.spec.name if role == "generator" else f"{bundle.spec.name}-{role}"
    network, folder = bundle.onnx_of(role), out / name
    if not network.is_file():
        raise BundleError(f"{bundle.path} holds no {network.name}: ganzoo export {bundle.path}")
    content, config = network.read_bytes(), _config(bundle, role, name)
    known = folder / CONFIG
    if known.is_file() and _contract(known.read_text(encoding="utf-8")) != _contract(config):
        raise BundleError(
            f"{folder} holds a model with other inputs or outputs, whose clients a new version "
            "would break. Write into another folder with -o."
        )
    numbers = [0, *(int(each.name) for each in folder.glob("[0-9]*") if each.name.isdecimal())]
    last = folder / str(max(numbers)) / "model.onnx"
    if last.is_file() and last.read_bytes() == content:
        return last.parent
    version = folder / str(max(numbers) + 1)
    write_file(version / "model.onnx", content)
    if not known.is_file():  # one that is there may have been tuned
        write_file(known, config)
    return version


def _config(bundle: Bundle, role: str, name: str) -> str:
    inputs, outputs = signature(bundle.spec, role)
    return _CONFIG.substitute(
        name=name,
        model=bundle.spec.name,
        max_batch=MAX_BATCH,
        max_delay=MAX_DELAY,
        inputs="\n".join(_tensor("input", each, shape) for each, shape in inputs.items()),
        outputs="\n".join(_tensor("output", each, shape) for each, shape in outputs.items()),
    )


def _tensor(kind: str, name: str, shape: list[int]) -> str:
    """Describe an input or output; its shape is without the batch, which Triton adds."""
    number = "TYPE_INT64" if name == "y" else "TYPE_FP32"
    # Triton knows no tensor of the batch alone: a client sends (n, 1), the network gets (n,).
    reshape = "" if shape else ", reshape { shape: [ ] }"
    dims = ", ".join(map(str, shape or [1]))
    return f'{kind} [ {{ name: "{name}", data_type: {number}, dims: [ {dims} ]{reshape} }} ]'


def _contract(config: str) -> list[str]:
    return [line for line in config.splitlines() if line.startswith(("input", "output"))]
