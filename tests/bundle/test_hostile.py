"""Malicious bundles: each is refused in one line, before large allocations."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file

import ganzoo
from ganzoo.bundle import MAX_BYTES, MAX_CHECKSUMS, MAX_FILES, MAX_OPENING
from ganzoo.bundle.tensors import MAX_HEADER
from ganzoo.cli.info import info
from ganzoo.errors import BundleError, GanzooError, NotABundleError, SampleError
from ganzoo.runtimes.onnx_file import CHUNK, MAX_FIELDS, read_onnx
from ganzoo.spec import MAX_CONFIG, MAX_VALUES, ModelSpec
from helpers.bundles import change_config, rehash

# Loads bundles; answers with the errors and the increase of the peak memory.
LOADER = """
import json, resource, sys
from pathlib import Path
import ganzoo, ganzoo.runtimes.sessions
from ganzoo.errors import GanzooError

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))

ganzoo.runtimes.sessions.MAX_MEMORY = int(sys.argv[2])
for runtime in ("torch", "onnx"):  # imports all that is needed
    ganzoo.load(Path(sys.argv[1]), runtime=runtime).sample(1)
for line in sys.stdin:
    path, bound, runtimes = json.loads(line)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = status("VmHWM")
    resource.setrlimit(resource.RLIMIT_AS, (status("VmSize") + 4 * bound, -1))
    texts = []
    for runtime in runtimes:
        try:
            ganzoo.load(Path(path), runtime=runtime).sample(1)
        except GanzooError as error:
            texts.append(str(error))
    print(json.dumps([texts, status("VmHWM") - before]), flush=True)
"""
POOL = 2**27  # limit of onnxruntime's memory in that process, in bytes


@pytest.fixture(scope="module")
def loader(tiny_bundle):
    """A separate process, whose memory can be measured and limited."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOADER, str(tiny_bundle), str(POOL)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.stdin.close()
    process.wait(60)


def refusal(bundle, *runtimes, error=BundleError):
    """Return the one line of all runtimes that refuse a bundle."""
    texts = set()
    for runtime in runtimes or ("onnx", "torch"):
        with pytest.raises(error) as excinfo:
            ganzoo.load(bundle, runtime=runtime).sample(16)
        texts.add(str(excinfo.value))
    (text,) = texts
    assert text.isprintable(), "one line, and no escape sequences of a stranger's"
    assert len(text) < 2000
    return text


def refusal_within_bounds(loader, bundle, *runtimes):
    """Like `refusal`, in a process with limited memory."""
    sizes = [p.stat().st_size for p in bundle.iterdir() if p.suffix in (".onnx", ".safetensors")]
    bound = MAX_OPENING + 2 * max(sizes, default=0)
    loader.stdin.write(json.dumps([str(bundle), bound, runtimes]) + "\n")
    loader.stdin.flush()
    texts, rise = json.loads(loader.stdout.readline())
    assert len(texts) == len(runtimes)
    assert rise < bound
    return texts[0]


def write_weights(bundle, header, data=b"", length=None):
    """Write a safetensors file by hand, with the right checksum."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    (bundle / "model.safetensors").write_bytes(struct.pack("<Q", size) + text + data)
    rehash(bundle)


def change_weights(bundle, change):
    """Change the tensors and update the checksums."""
    tensors = load_file(bundle / "model.safetensors")
    change(tensors)
    metadata = {"ganzoo.config": (bundle / "config.json").read_text()}
    save_file(tensors, bundle / "model.safetensors", metadata)
    rehash(bundle)


def change_everywhere(bundle, change):
    """Change the config and its copies in weights and graph."""
    config = json.loads((bundle / "config.json").read_text())
    change(config)
    text = json.dumps(config)
    (bundle / "config.json").write_text(text)
    save_file(
        load_file(bundle / "model.safetensors"),
        bundle / "model.safetensors",
        {"ganzoo.config": text},
    )
    model = onnx.load(bundle / "model.onnx")
    helper.set_model_props(model, {"ganzoo.config": text})
    onnx.save(model, bundle / "model.onnx")
    rehash(bundle)


def write_graph(bundle, nodes, initializers=(), opsets=(("", 20),)):
    """Write an ONNX file that claims to map latents to images."""
    spec = ModelSpec.from_json((bundle / "config.json").read_bytes())
    z = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", spec.latent.dim])
    shape = ["batch", *spec.data.image.shape]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)
    graph = helper.make_graph(list(nodes), "g", [z], [images], list(initializers))
    imports = [helper.make_opsetid(*each) for each in opsets]
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    helper.set_model_props(model, {"ganzoo.config": (bundle / "config.json").read_text()})
    (bundle / "model.onnx").write_bytes(model.SerializeToString())
    rehash(bundle)


def change_onnx(bundle, change):
    model = onnx.load(bundle / "model.onnx")
    change(model)
    (bundle / "model.onnx").write_bytes(model.SerializeToString())
    rehash(bundle)


# The folder and its manifest.


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../bundle/config.json",
        "training/../config.json",
        "./config.json",
        "training//log.jsonl",
        "a\\b",
        "C:config.json",
        ".netrc",
        "-rf",
        "a b",
        "a\tb",
        "caf\u00e9.png",
        "a\u202egnp.exe",
        "a\x00b",
        "x" * 5000 + "\x1b[2J",
        "/".join("a" * 9),
    ],
)
def test_unknown_file_names_are_refused(bundle, name):
    with (bundle / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  {name}\n")
    assert "is not a valid file name in a bundle" in refusal(bundle)


def test_an_oversized_manifest_is_refused(bundle):
    with (bundle / "SHA256SUMS").open("a") as sums:
        sums.writelines(f"{'0' * 64}  {k}\n" for k in range(MAX_FILES))
    assert f"a bundle has at most {MAX_FILES:,}." in refusal(bundle)
    with (bundle / "SHA256SUMS").open("r+b") as sums:
        sums.truncate(MAX_CHECKSUMS + 1)
    assert f"the limit is {MAX_CHECKSUMS:,}." in refusal(bundle)


def test_special_files_are_not_opened(bundle, tmp_path):
    """Opening a pipe would block until it has a writer."""
    for name in ("samples.png", "model.onnx", "SHA256SUMS", "config.json"):
        content = (bundle / name).read_bytes()
        (bundle / name).unlink()
        os.mkfifo(bundle / name)
        is_config = name == "config.json"
        text = refusal(bundle, error=NotABundleError if is_config else BundleError)
        assert ("contains no config.json" if is_config else f"{name} is not a regular file") in text
        (bundle / name).unlink()
        (bundle / name).write_bytes(content)
    (bundle / "samples.png").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(bundle)  # a socket's name is short
        try:
            listening.bind("samples.png")
        finally:
            os.chdir(here)
        assert "samples.png is not a regular file" in refusal(bundle)


def test_links_outside_the_bundle_are_refused(bundle, tmp_path):
    (tmp_path / "secret").write_text("xyzzy:x:0:0")
    for name in ("samples.png", "config.json", "SHA256SUMS", "model.safetensors"):
        content = (bundle / name).read_bytes()
        (bundle / name).unlink()
        (bundle / name).symlink_to(tmp_path / "secret")
        text = refusal(bundle)
        assert f"{name} is a link that leads outside the bundle" in text
        assert "xyzzy" not in text
        (bundle / name).unlink()
        (bundle / name).write_bytes(content)
    (bundle / "samples.png").unlink()
    (bundle / "samples.png").symlink_to("samples.png")
    assert "samples.png is not a regular file" in refusal(bundle)
    (bundle / "samples.png").unlink()
    (bundle / "samples.png").symlink_to("/dev/zero")
    assert "leads outside the bundle" in refusal(bundle)
    (bundle / "training" / "log.jsonl").unlink()
    (bundle / "training" / "recipe.toml").unlink()
    (bundle / "training").rmdir()
    (bundle / "training").symlink_to(tmp_path)
    (bundle / "samples.png").unlink()
    (bundle / "samples.png").write_bytes(b"")
    assert "training/log.jsonl" in refusal(bundle)


def test_oversized_folders_are_refused(bundle):
    """Sparse files of terabytes, and many small files."""
    with (bundle / "samples.png").open("r+b") as file:
        file.truncate(MAX_BYTES)
    assert f"the limit of a bundle is {MAX_BYTES:,}" in refusal(bundle)
    with (bundle / "config.json").open("r+b") as file:
        file.truncate(10**9)
    assert f"1,000,000,000 bytes; the limit is {MAX_CONFIG:,}." in refusal(bundle)


def test_unlisted_files_are_ignored(bundle):
    deep = bundle / "notes"
    for _ in range(100):
        deep = deep / "deeper"
    deep.mkdir(parents=True)
    for k in range(2_000):
        (bundle / "notes" / str(k)).touch()
    os.mkfifo(bundle / "notes" / "pipe")
    (bundle / "notes" / "loop").symlink_to(bundle)
    assert ganzoo.load(bundle, runtime="onnx").sample(1)


@pytest.mark.parametrize("name", ["a" * 5000, "a\x00b", "/dev/null/x"])
def test_invalid_paths_are_refused(tmp_path, name):
    with pytest.raises(GanzooError):
        ganzoo.load(tmp_path / name)


# The config.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "recursion limit exceeded"),
        ('{"name":' * 100_000, "recursion limit exceeded"),
        ('{"format": 1' + "0" * 5000 + "}", "number out of range"),
        ('{"name": "' + "\x1b[31m" * 9 + '"}', "control character"),
        (" " * (MAX_CONFIG + 1), f"the limit is {MAX_CONFIG:,}."),
        ("[" + "1," * MAX_VALUES + "1,1]", f"more than {MAX_VALUES:,} values"),
        ('{"roles":[' + "1," * 200_000 + "1]}", "has 200,0"),
    ],
)
def test_an_oversized_config_is_refused(bundle, loader, text, message):
    (bundle / "config.json").write_text(text)
    rehash(bundle)
    assert message in refusal(bundle)
    assert message in refusal_within_bounds(loader, bundle, "torch", "onnx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["data"]["image"].update(height=10**400),
            "is too large to print; it must be between",
        ),
        (lambda c: c["data"]["image"].update(height=-(10**4000)), "is too large to print"),
        (lambda c: c["data"]["image"].update(height=4096, width=4096, channels=64), "1.07374e+09"),
        (lambda c: c["latent"].update(dim=float("inf")), "valid integer"),
        (lambda c: c["arguments"].update(width=float("nan")), "not finite"),
        (lambda c: c["arguments"].update(width=[{"x": float("-inf")}]), "not finite"),
        (lambda c: c.update(name="../../x"), "must be letters and digits, joined by"),
        (lambda c: c.update(name="x" * 10**6 + "/"), "must be letters and digits, joined by"),
        (lambda c: c["roles"].append("../../etc/passwd"), "must be letters and digits, joined by"),
        (
            lambda c: c.update(requires=["x'; touch /tmp/x #"]),
            "is not a distribution with versions",
        ),
        (lambda c: c.update(requires=["$(touch /tmp/x)"]), "is not a distribution with versions"),
        (
            lambda c: c.update(requires=["x @ https://evil/x.whl"]),
            "is not a distribution with versions",
        ),
        (
            lambda c: c.update(requires=["--index-url=https://evil"]),
            "is not a distribution with versions",
        ),
        (
            lambda c: c["data"].update(classes=1, labels=["\x1b[2J"]),
            "characters that are not printable",
        ),
        (lambda c: c.update({"\x1b[2J": 1}), "there is no field"),
        (lambda c: c.update({"y" * 10**6: 1}), "there is no field"),
    ],
)
def test_implausible_configs_are_refused(bundle, change, message):
    change_config(bundle, change)
    assert message in refusal(bundle)


@pytest.mark.parametrize(
    "arguments",
    [
        {"width": 50_000_000},
        {"width": 10**12},
        {"width": 10**30},
        {"latent_dim": 10**12},
        {"slope": "x" * 10**5},
        {"width": [[1] * 10**5]},
        {"colour": 1},
    ],
)
def test_arguments_for_huge_networks_are_refused(bundle, loader, arguments):
    change_everywhere(bundle, lambda config: config["arguments"].update(arguments))
    refusal(bundle, "torch")
    refusal_within_bounds(loader, bundle, "torch")


def test_millions_of_layers_are_refused(bundle, loader):
    """The limit holds for architectures that do not check their arguments."""

    def deep(data, *, latent_dim: int = 8, width: int = 4, depth: int = 1, **_):
        layers = [torch.nn.Linear(1, 1) for _ in range(depth)]
        return {"generator": torch.nn.Sequential(*layers)}

    def change(config):
        config.update(architecture="deep", requires=[])
        config["arguments"] = {"latent_dim": 8, "width": 4, "depth": 10**9}

    change_everywhere(bundle, change)
    ganzoo.architectures.register("deep")(deep)
    try:
        assert "more than 20,000 tensors of weights" in refusal(bundle, "torch")
    finally:
        ganzoo.architectures._here.pop("deep")
    # The counter is removed: later networks can have any size.
    assert len(torch.nn.ModuleList([torch.nn.Linear(1, 1) for _ in range(10_001)])) == 10_001


@pytest.mark.parametrize(
    "version", ["0.0.1'; touch x #", "\x1b[2J", "$(touch x)", "0.0.1\n", "9" * 10**5]
)
def test_only_valid_versions_appear_in_install_commands(bundle, version):
    def change(config):
        config["provenance"]["plugins"] = {"architecture": f"torch-ganzoo {version}"}

    change_everywhere(bundle, change)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ganzoo.load(bundle, runtime="torch").sample(1)


def test_control_characters_of_a_bundle_are_escaped(bundle, capsys):
    def change(config):
        config["provenance"] |= {
            "metrics": [{"x": 1}],
            "note": "\x1b[2J\u202e",
            "versions": {"a": "\b"},
        }
        config["data"] |= {"origin": "\x1b]0;x\x07", "license": "\r"}

    change_config(bundle, change)
    info(str(bundle))
    out = capsys.readouterr().out
    assert "not in the format of ganzoo" in out
    assert all(line.isprintable() for line in out.split("\n"))


# The weights.


def tensor(begin, end, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("header", "length", "message"),
    [
        (b"{}", 10**8, "is not a complete safetensors file"),
        (b"{}", 2**63, "is not a complete safetensors file"),
        (b"{}", 2**64 - 1, "is not a complete safetensors file"),
        (b"[" * 10_000, None, "is not a complete safetensors file"),
        ({"a": tensor(0, 4), "b": tensor(2, 6)}, None, "invalid offset"),
        ({"a": tensor(0, 4), "b": tensor(0, 4)}, None, "invalid offset"),
        ({"a": tensor(4, 0)}, None, "invalid offset"),
        ({"a": tensor(0, 2**62)}, None, "is not a complete safetensors file"),
        ({"a": tensor(4, 8)}, None, "is not a complete safetensors file"),
        ({"a": tensor(0, 400, (100,))}, None, "is not a complete safetensors file"),
        ({"a": tensor(0, 8, (2**62, 4))}, None, "is not a complete safetensors file"),
        ({"a": tensor(0, 8, (1,))}, None, "is not a complete safetensors file"),
        ({"a": tensor(-4, 4, (2,))}, None, "is not a complete safetensors file"),
        ({"a": tensor(0, 8, (2,), "F33")}, None, "is not a complete safetensors file"),
        ({"a": tensor(0, 8, (2,))}, None, "contains no ganzoo config"),
    ],
)
def test_a_wrong_header_is_refused(bundle, header, length, message):
    write_weights(bundle, header, b"\0" * 8, length)
    assert message.lower() in refusal(bundle, "torch").lower()


def test_a_header_of_100_megabytes_is_refused(bundle, loader):
    entry = b'"%07d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + b",".join(entry % k for k in range(1_500_000)) + b"}"
    assert 80_000_000 < len(header) < 100_000_000  # the limit of the library
    write_weights(bundle, header)
    text = refusal_within_bounds(loader, bundle, "torch")
    assert f"the limit is {MAX_HEADER:,}." in text


@pytest.mark.parametrize("dtype", [torch.float64, torch.int32, torch.float8_e4m3fn, torch.bool])
def test_weights_of_another_dtype_are_refused(bundle, dtype):
    def change(tensors):
        name = next(k for k in tensors if tensors[k].is_floating_point())
        tensors[name] = tensors[name].to(dtype)

    change_weights(bundle, change)
    assert "in the file and torch.float32 in the network" in refusal(bundle, "torch")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision_load(bundle, dtype):
    change_weights(
        bundle,
        lambda tensors: tensors.update(
            {k: v.to(dtype) for k, v in tensors.items() if v.is_floating_point()}
        ),
    )
    model = ganzoo.load(bundle, runtime="torch")
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_weights_are_refused(bundle, number):
    def change(tensors):
        name = next(k for k in tensors if tensors[k].is_floating_point())
        tensors[name].view(-1)[-1] = number

    change_weights(bundle, change)
    assert "contains NaN or infinity" in refusal(bundle, "torch")


# The ONNX file.

ONNX_TYPES = {torch.float32: 1, torch.float16: 10, torch.bfloat16: 16}


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ONNX_TYPES)
def test_an_onnx_with_non_finite_weights_is_refused(bundle, number, dtype):
    def change(model):
        weights = max(model.graph.initializer, key=lambda t: len(t.raw_data))
        values = torch.from_numpy(numpy_helper.to_array(weights).copy())
        values.view(-1)[-1] = number
        weights.raw_data = values.to(dtype).view(torch.uint8).numpy().tobytes()
        weights.data_type = ONNX_TYPES[dtype]

    change_onnx(bundle, change)
    assert "its weights contain NaN or infinity" in refusal(bundle, "onnx")


@pytest.mark.parametrize(
    ("kind", "field"),
    [(1, "float_data"), (11, "double_data"), (10, "int32_data"), (16, "int32_data")],
)
def test_onnx_weights_outside_raw_data_are_checked(bundle, kind, field):
    """A short bias can be stored outside raw data and be NaN; half precision as bits."""
    number = 0x7FFF if field == "int32_data" else np.nan
    weights = TensorProto(name="w", data_type=kind, dims=[1], **{field: [number]})
    write_graph(bundle, nodes_of("Add", "z", "w"), [weights])
    assert "raw data" in refusal(bundle, "onnx")


@pytest.mark.parametrize("kind", [1, 16])
def test_weights_are_checked_in_chunks(tmp_path, kind):
    """A finiteness mask takes one to three bytes per number."""
    size = {1: 4, 16: 2}[kind]
    content = bytearray(size * 16 * CHUNK)
    content[-size:] = b"\xff" * size  # NaN, the last one
    for raw, error in (bytes(len(content)), None), (bytes(content), "NaN or infinity"):
        peak, message = peak_of(tmp_path / "model.onnx", graph_of(tensor_of(kind, raw, size)))
        assert peak < 2**23
        assert (error in message) if error else message == ""


@pytest.mark.parametrize("number", [1, 2])
def test_oversized_metadata_is_refused(tmp_path, number):
    """Keys or values of metadata in the model, its graph or a tensor."""
    entry = message(number, bytes(25 * MAX_CONFIG))
    tensor, name = message(16, entry), {1: "key", 2: "value"}[number]
    for content, error in (
        (message(14, entry), f"it has a {name} of {25 * MAX_CONFIG:,} bytes"),
        (graph_of(message(16, entry)), "it has metadata outside the model's own"),
        (graph_of(message(5, tensor)), "it has metadata outside the model's own"),
    ):
        peak, error_text = peak_of(tmp_path / "model.onnx", content)
        assert peak < 2**23
        assert error in error_text


def test_repeated_large_configs_are_refused(tmp_path):
    entry = message(1, b"ganzoo.config") + message(2, bytes(MAX_CONFIG))
    peak, error_text = peak_of(tmp_path / "model.onnx", graph_of(b"") + 3 * message(14, entry))
    assert peak < 2**24
    assert "it has more than one config" in error_text


def message(number, content):
    """Return an encoded field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def graph_of(content):
    opset = message(8, varint(2 << 3) + varint(20))
    return opset + message(7, content)


def tensor_of(kind, raw, size):
    dims = varint(1 << 3) + varint(len(raw) // size)
    return message(5, dims + varint(2 << 3) + varint(kind) + message(9, raw))


def peak_of(file, content):
    """Return the memory that a check takes beside the file's bytes, and its error message."""
    file.write_bytes(content)
    size = len(content)
    del content
    message = ""
    tracemalloc.start()
    try:
        read_onnx(file)
    except BundleError as error:
        message = str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak - size, message


def nodes_of(op, *inputs, domain="", **attributes):
    return [helper.make_node(op, list(inputs), ["images"], domain=domain, **attributes)]


def test_custom_operators_are_refused(bundle):
    write_graph(bundle, nodes_of("Run", "z", domain="evil"), opsets=[("", 20), ("evil", 1)])
    assert "it has operators of the domains ['', 'evil']" in refusal(bundle, "onnx")
    write_graph(bundle, nodes_of("Run", "z", domain="evil"))
    assert "it has operators of the domain 'evil'" in refusal(bundle, "onnx")
    write_graph(bundle, nodes_of("Run", "z"))
    assert "the work of its operator 'Run' is not known" in refusal(bundle, "onnx")
    body = helper.make_graph([], "body", [], [])
    write_graph(bundle, nodes_of("Loop", "z", body=body))
    assert "it has a subgraph" in refusal(bundle, "onnx")

    def add_function(model):
        function = model.functions.add()
        function.name, function.domain = "f", "local"

    write_graph(bundle, nodes_of("Identity", "z"))
    change_onnx(bundle, add_function)
    assert "it has its own functions" in refusal(bundle, "onnx")
    write_graph(bundle, nodes_of("Identity", "z"))
    change_onnx(bundle, lambda model: model.training_info.add())
    assert "it has training information" in refusal(bundle, "onnx")


def test_an_onnx_with_two_configs_is_refused(bundle):
    def change(model):
        model.metadata_props.add(key="ganzoo.config", value="{}")

    change_onnx(bundle, change)
    assert "it has more than one config" in refusal(bundle, "onnx")


def test_tensors_larger_than_the_file_are_refused(bundle, loader):
    for raw, dims in ((b"\0" * 4, [10**12]), (None, [10**6, 10**6]), (b"", [2**62, 8])):
        weights = TensorProto(name="w", data_type=1, dims=dims)
        if raw is not None:
            weights.raw_data = raw
        write_graph(bundle, nodes_of("Add", "z", "w"), [weights])
        text = refusal_within_bounds(loader, bundle, "onnx")
        assert "a tensor of " in text
        assert "has" in text


def test_an_onnx_of_millions_of_nodes_is_refused(bundle, loader):
    """A message of two bytes in the file takes a hundred bytes in memory."""
    node = b"\x0a\x00"
    graph = node * 10_000_000
    content = b"\x3a" + varint(len(graph)) + graph
    (bundle / "model.onnx").write_bytes(content)
    rehash(bundle)
    text = refusal_within_bounds(loader, bundle, "onnx")
    assert f"it has more than {MAX_FIELDS:,} parts" in text


def varint(value):
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\xff" * 100,
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x3a\x05\x0a",
        b"\x0b\x0c",
        b"\x38\x01",
        b"onnx" * 1000,
    ],
)
def test_a_malformed_onnx_is_refused(bundle, content):
    (bundle / "model.onnx").write_bytes(content)
    rehash(bundle)
    assert "is not an ONNX file that ganzoo runs" in refusal(bundle, "onnx")


def test_every_prefix_of_an_onnx_is_refused_or_has_no_config(bundle, tmp_path):
    content = (bundle / "model.onnx").read_bytes()
    whole = read_onnx(bundle / "model.onnx").config
    assert json.loads(whole)["name"] == "tiny"
    for size in range(1, 4000, 7):
        (tmp_path / "part.onnx").write_bytes(content[:size])
        config = None
        with contextlib.suppress(BundleError):
            config = read_onnx(tmp_path / "part.onnx").config
        assert config in (None, whole)


def test_a_graph_that_exceeds_the_memory_is_an_error(bundle, loader):
    """A column times a row: few operations, a product of 400 megabytes."""
    column = numpy_helper.from_array(np.zeros((10_000, 1), np.float32), "column")
    row = numpy_helper.from_array(np.zeros((1, 10_000), np.float32), "row")
    largest = helper.make_node("ReduceMax", ["z"], ["largest"], keepdims=0)
    sums = helper.make_node("Add", ["row", "largest"], ["sums"])  # not a constant
    product = helper.make_node("MatMul", ["column", "sums"], ["product"])
    total = helper.make_node("ReduceMax", ["product"], ["total"], keepdims=0)
    scaled = helper.make_node("Add", ["z", "total"], ["scaled"])
    spec = ModelSpec.from_json((bundle / "config.json").read_bytes())
    size = spec.data.image.height * spec.data.image.width // 8
    many = helper.make_node("Concat", ["scaled"] * size, ["many"], axis=1)
    axes = numpy_helper.from_array(np.array([0, *spec.data.image.shape], np.int64), "axes")
    nodes = [largest, sums, product, total, scaled, many, *nodes_of("Reshape", "many", "axes")]
    write_graph(bundle, nodes, [column, row, axes])
    text = refusal_within_bounds(loader, bundle, "onnx")
    assert "onnxruntime cannot r" in text
    assert "Available memory of" in text, "by our bound, not for lack of memory"


def test_images_of_an_unexpected_shape_are_an_error(bundle):
    shape = numpy_helper.from_array(np.array([-1, 1, 2, 4], np.int64), "shape")
    write_graph(bundle, nodes_of("Reshape", "z", "shape"), [shape])
    text = refusal(bundle, "onnx")
    assert "does not match" in text or "cannot read" in text


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_non_finite_images_are_an_error(bundle, runtime):
    """Finite weights can still overflow."""
    if runtime == "torch":
        change_weights(
            bundle,
            lambda tensors: tensors.update(
                {k: v * 0 + 3e38 for k, v in tensors.items() if v.is_floating_point()}
            ),
        )
    else:
        spec = ModelSpec.from_json((bundle / "config.json").read_bytes())
        size = spec.data.image.height * spec.data.image.width // 8
        axes = numpy_helper.from_array(np.array([0, *spec.data.image.shape], np.int64), "axes")
        nodes = [
            helper.make_node("Sqrt", ["z"], ["roots"]),  # of negative numbers too
            helper.make_node("Concat", ["roots"] * size, ["many"], axis=1),
            *nodes_of("Reshape", "many", "axes"),
        ]
        write_graph(bundle, nodes, [axes])
    text = refusal(bundle, runtime, error=SampleError)
    assert "generates values that are not finite" in text


def test_onnxruntime_prints_nothing(bundle, capfd):
    """onnxruntime would warn about its fallback to the CPU."""
    integers = numpy_helper.from_array(np.ones(8, np.int64), "integers")
    write_graph(bundle, nodes_of("Add", "z", "integers"), [integers])
    assert "onnxruntime cannot read" in refusal(bundle, "onnx")
    assert capfd.readouterr() == ("", "")
