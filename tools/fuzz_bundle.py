"""Fuzz the loading of bundles: python tools/fuzz_bundle.py [--cases N] [--seed S]

A case mutates one file of a small bundle, by bytes or by structure, and mostly updates the
checksums. It loads the bundle on the runtimes that read the file, and samples an image. The case
passes if this works or raises a GanzooError of one line. Anything else is a finding: another
exception, a crash, more memory than `ganzoo.bundle.MAX_OPENING`, or more than 30 seconds. A finding
is stored in a folder with its files and a description. A case depends only on the seed and its
number: repeat one with --first K --cases 1.
"""

import contextlib
import hashlib
import json
import math
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import onnx
import torch
import tyro

import ganzoo
from ganzoo.bundle import MAX_OPENING, format_checksums, open_bundle
from ganzoo.errors import GanzooError
from ganzoo.runtimes import onnx as onnx_runtime
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.runtimes.torch import load_torch

FILES = ("config.json", "model.safetensors", "model.onnx", "SHA256SUMS")
TIMEOUT = 30  # seconds of processor time per case
LONGEST = 4_000  # characters of an error message
POOL = 2**27  # bytes of onnxruntime's memory
ADDRESSES = 4 * MAX_OPENING  # bytes of additional virtual memory

Files = dict[str, bytes]
Random = random.Random

NUMBERS = [
    *(0, 1, -1, 2, 3, 7, 8, 16, 255, 256, 1000, 4096, 4097, 65536, 65537, 10**6, 10**9),
    *(2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, 10**400, -(2**63)),
    *(0.5, -0.0, 1e-320, 1e308, math.inf, -math.inf, math.nan),
]
TEXTS = [
    *("", " ", "z", "y", "condition", "mlp", "dcgan", "resnet", "none", "concat", "projection"),
    *("../x", "/etc/passwd", "a/b", "a\\b", "\0", "\x1b[2J", "\u202e", "\n", "é", "x" * 5000),
    *("torch-ganzoo>=0.1", "x @ https://x", "$(x)", "%s%n", "{0}", "nan", "1e999", "None"),
]


# Mutations of bytes.


def mutate_bytes(r: Random, data: bytes) -> bytes:
    """Flip, insert, delete or copy some bytes."""
    changed = bytearray(data)
    for _ in range(r.choice([1, 1, 1, 2, 4, 16])):
        n = len(changed)
        at = r.randrange(n + 1)
        size = min(n - at, r.choice([1, 2, 4, 8, 64, 1024]))
        match r.randrange(8):
            case 0 if n:
                changed[at % n] ^= 1 << r.randrange(8)
            case 1 if n:
                changed[at % n] = r.choice([0, 1, 0x7F, 0x80, 0xFF, r.randrange(256)])
            case 2:
                changed[at:at] = r.randbytes(r.choice([1, 4, 64]))
            case 3:
                del changed[at : at + size]
            case 4:
                changed[at:at] = changed[at : at + size] * r.choice([1, 2, 50])
            case 5:
                number = r.choice([0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1])
                changed[at : at + 8] = struct.pack("<Q", number)
            case 6:
                other = r.randrange(n + 1)
                changed[at : at + size] = changed[other : other + size]
            case 7 if r.random() < 0.2:
                del changed[at:]
    return bytes(changed)


# Mutations of JSON.


def mutate_value(r: Random, value: object) -> object:
    """Return another value, similar or different."""
    if isinstance(value, bool) or value is None or r.random() < 0.3:
        nested: object = r.choice([None, True, [], {}])
        for _ in range(r.choice([1, 3, 150])):
            nested = [nested] if r.random() < 0.5 else {"a": nested}
        pool = [None, True, False, [], {}, nested, r.choice(NUMBERS), r.choice(TEXTS)]
        return r.choice(pool)
    if isinstance(value, int | float):
        return r.choice([value + 1, value - 1, value * 2, -value, str(value), r.choice(NUMBERS)])
    if isinstance(value, str):
        at = r.randrange(len(value) + 1)
        return r.choice([value[:at], value + r.choice(TEXTS), value.upper(), r.choice(TEXTS)])
    if isinstance(value, list):
        return r.choice([value * 2, value[:-1], [*value, r.choice(NUMBERS)], r.choice(TEXTS)])
    return r.choice([{}, [value], r.choice(NUMBERS)])


def mutate_json(r: Random, value: object) -> object:
    """Change a few places of a document, at any depth."""
    value = json.loads(json.dumps(value))
    for _ in range(r.choice([1, 1, 1, 2, 5])):
        places: list[tuple[dict[str, object] | list[object], str | int]] = []

        def collect(inside: object, places: list = places) -> None:
            if isinstance(inside, dict | list):
                keys = list(inside) if isinstance(inside, dict) else range(len(inside))
                for key in keys:
                    places.append((inside, key))
                    collect(inside[key])  # type: ignore[index]

        collect(value)
        if not places:
            return value
        holder, key = r.choice(places)
        match r.randrange(6):
            case 0:
                del holder[key]  # type: ignore[arg-type]
            case 1 if isinstance(holder, dict):
                holder[r.choice([*TEXTS, str(key) + "s"])] = holder.pop(str(key))
            case 2:
                other, there = r.choice(places)
                with contextlib.suppress(LookupError):
                    holder[key] = json.loads(json.dumps(other[there]))  # type: ignore[index]
            case _:
                holder[key] = mutate_value(r, holder[key])  # type: ignore[index]
    return value


def dump(value: object) -> bytes:
    """JSON as it need not be: a lone surrogate, NaN."""
    return json.dumps(value).encode()


# Mutations of each file.


def split(data: bytes) -> tuple[dict[str, dict[str, object]], bytes]:
    """Return the header and the data of a safetensors file."""
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def join(header: object, data: bytes) -> bytes:
    text = dump(header)
    return struct.pack("<Q", len(text)) + text + data


ARCHITECTURES = ["mlp", "dcgan", "resnet", "mlp-autoencoder", "conv-autoencoder"]
ARGUMENTS = ["width", "depth", "latent_dim", "slope", "conditioning", "blocks", "categorical_code"]


def mutate_config(r: Random, files: Files) -> None:
    """Change the config, mostly in all three files that hold it, since a difference is an error."""
    config = json.loads(files["config.json"])
    match r.randrange(10):
        case 0 | 1:
            text = mutate_bytes(r, files["config.json"])
        case 2 | 3:
            text = dump(mutate_json(r, config))
        case 4 | 5 | 6:
            provenance = config.pop("provenance")  # free-form, and the largest part
            changed = mutate_json(r, config)
            text = dump(changed | {"provenance": provenance})  # type: ignore[operator]
        case _:
            name = r.choice(list(config["arguments"]))
            config["architecture"] = r.choice([config["architecture"], *ARCHITECTURES])
            config["arguments"][name] = mutate_value(r, config["arguments"][name])
            config["arguments"][r.choice(ARGUMENTS)] = mutate_value(r, r.choice([1, 1.0, "", []]))
            text = dump(config)
    files["config.json"] = text
    if r.random() < 0.7:
        repeated = text.decode(errors="replace")
        header, data = split(files["model.safetensors"])
        header["__metadata__"]["ganzoo.config"] = repeated
        files["model.safetensors"] = join(header, data)
        model = onnx.ModelProto.FromString(files["model.onnx"])
        model.metadata_props[0].value = repeated
        files["model.onnx"] = model.SerializeToString()


def mutate_weights(r: Random, files: Files) -> None:
    header, data = split(files["model.safetensors"])
    match r.randrange(6):
        case 0:
            files["model.safetensors"] = mutate_bytes(r, files["model.safetensors"])
        case 1:
            size = r.choice([*range(9), len(data), 10**8, 2**32, 2**63, 2**64 - 1])
            files["model.safetensors"] = struct.pack("<Q", size) + files["model.safetensors"][8:]
        case 2:
            files["model.safetensors"] = join(header, mutate_bytes(r, data))
        case 3:
            text = mutate_bytes(r, dump(header))
            files["model.safetensors"] = struct.pack("<Q", len(text)) + text + data
        case 4:
            files["model.safetensors"] = join(mutate_json(r, header), data)
        case _:
            names = [name for name in header if name != "__metadata__"]
            tensor = header[r.choice(names)]
            field = r.choice(["dtype", "shape", "data_offsets"])
            dtypes = ["F64", "F16", "BF16", "F8_E4M3", "I64", "U8", "BOOL", "C64", "F4", "x"]
            other = r.choice(dtypes) if field == "dtype" else mutate_json(r, tensor[field])
            tensor[field] = header[r.choice(names)][field] if r.random() < 0.2 else other
            files["model.safetensors"] = join(header, data)


_OPERATORS = """
Abs Add ArgMax AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv
ConvTranspose CumSum DepthToSpace Div Einsum Exp Expand EyeLike Flatten Gather Gemm GlobalMaxPool If
Identity InstanceNormalization LSTM Log Loop MatMul MaxPool Mod Mul NonZero OneHot Pad Pow
RandomNormal RandomNormalLike Range Reciprocal ReduceSum Relu Reshape Resize RNN Scan ScatterND
SequenceEmpty Shape Size Slice Softmax SpaceToDepth Split Sqrt Squeeze StringNormalizer Sum Tanh
TfIdfVectorizer Tile TopK Transpose Unique Unsqueeze Upsample Where Nonsense
"""
OPERATORS = _OPERATORS.split()


def mutate_onnx(r: Random, files: Files) -> None:
    if r.random() < 0.3:
        files["model.onnx"] = mutate_bytes(r, files["model.onnx"])
        return
    model = onnx.ModelProto.FromString(files["model.onnx"])
    graph = model.graph
    whole = [n for n in NUMBERS if isinstance(n, int) and -(2**63) <= n < 2**63]
    for _ in range(r.choice([1, 1, 2, 4])):
        node = r.choice(graph.node) if graph.node else graph.node.add()
        tensor = r.choice(graph.initializer) if graph.initializer else graph.initializer.add()
        constants = [a.t for n in graph.node for a in n.attribute if a.HasField("t")]
        if constants and r.random() < 0.4:
            tensor = r.choice(constants)
        match r.randrange(14):
            case 0:
                node.op_type = r.choice(OPERATORS)
            case 1:
                node.domain = r.choice(["", "ai.onnx", "com.microsoft", "ai.onnx.ml", "evil"])
            case 2 if node.input:
                names = [t.name for t in graph.initializer]
                names += [name for n in graph.node for name in n.output]
                node.input[r.randrange(len(node.input))] = r.choice([*names, "z", "", "x"])
            case 3:
                graph.node.remove(node)
            case 4:
                graph.node.add().CopyFrom(node)
            case 5 if node.attribute:
                attribute = r.choice(node.attribute)
                attribute.i = r.choice(whole)
                attribute.ints[:] = [r.choice(whole) for _ in attribute.ints]
                attribute.f = float(r.choice([0, 1, -1, math.nan, math.inf]))
            case 6:
                attribute = node.attribute.add()
                attribute.name = r.choice(["axis", "shape", "to", "perm", "pads", "body", "value"])
                attribute.type = r.randrange(1, 15)
                attribute.i = r.choice(whole)
            case 7 if tensor.dims:
                tensor.dims[r.randrange(len(tensor.dims))] = r.choice(whole)
            case 8:
                tensor.data_type = r.randrange(27)
            case 9:
                tensor.raw_data = mutate_bytes(r, tensor.raw_data)
            case 10:
                # The size stays the same, so that only numbers change, such as a shape.
                size = len(tensor.raw_data) // 8
                numbers = [r.choice(whole) for _ in range(size)]
                tensor.raw_data = struct.pack(f"<{size}q", *numbers) + tensor.raw_data[size * 8 :]
            case 11:
                tensor.data_location = 1
                tensor.external_data.add(key="location", value=r.choice([*FILES, *TEXTS[:9]]))
            case 12:
                value = r.choice([*graph.input, *graph.output])
                value.name = r.choice([value.name, "z", "images", "\x80".join("ab")])
                dims = value.type.tensor_type.shape.dim
                value.type.tensor_type.elem_type = r.choice([1, 1, 7, 8, 10])
                if dims and r.random() < 0.5:
                    dims[r.randrange(len(dims))].dim_value = r.choice(whole)
            case 13:
                model.opset_import[0].version = r.choice([0, 1, 7, 9, 13, 19, 21, 25, 1000])
                model.ir_version = r.choice([0, 3, 7, 10, 12, 99])
    files["model.onnx"] = model.SerializeToString()


def mutate_checksums(r: Random, files: Files) -> None:
    text = files["SHA256SUMS"].decode()
    names = [*TEXTS, "CONFIG.JSON", "model.onnx/x", ".", "..", "SHA256SUMS", "absent"]
    line = f"{'0' * 64}  {r.choice(names)}\n"
    lines = text.splitlines(keepends=True)
    changed = [
        mutate_bytes(r, files["SHA256SUMS"]),
        (text + line).encode(errors="surrogatepass"),
        "".join(
            r.sample(lines := text.splitlines(keepends=True), r.randrange(len(lines)))
        ).encode(),
        text.replace("model.onnx", r.choice(names)).encode(errors="surrogatepass"),
        text.replace("\n", r.choice(["\r\n", "\0", "\x0b", "\n\n", ""])).encode(),
        text.upper().encode(),
    ]
    files["SHA256SUMS"] = r.choice(changed)


def update_checksums(files: Files) -> None:
    """Write the correct checksums."""
    sums = {name: hashlib.sha256(files[name]).hexdigest() for name in FILES[:-1]}
    files["SHA256SUMS"] = format_checksums(sums).encode()


def mutate(original: Files, seed: int, case: int) -> Files:
    """Return the files of a case."""
    r = random.Random(f"{seed} {case}")
    files = dict(original)
    kinds = (mutate_config, mutate_weights, mutate_onnx, mutate_checksums)
    kind = r.choices(kinds, (35, 25, 35, 5))[0]
    with contextlib.suppress(RecursionError):  # from the mutations of JSON
        kind(r, files)
    if kind is not mutate_checksums and r.random() < 0.98:
        update_checksums(files)
    return files


# The result of a case.


def check(original: Files, files: Files, folder: Path) -> str:
    """Load a case on the runtimes that read the mutated file; return a finding or nothing."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    changed = {name for name in files if files[name] != original[name]}
    steps: list[Callable[[], object]] = []
    if changed - {"SHA256SUMS"} != {"model.onnx"}:
        steps.append(lambda: load_torch(open_bundle(folder)).sample(1))
    if changed - {"SHA256SUMS"} != {"model.safetensors"}:
        steps.append(lambda: load_onnx(open_bundle(folder)).sample(1))
    for step in steps:
        try:
            step()
        except GanzooError as error:
            text = str(error)
            if "\n" in text or not 1 <= len(text) <= LONGEST:
                return f"the error message is not one line: {text}"
            if "bad_alloc" in text or "bad allocation" in text:
                return f"used more than {ADDRESSES:,} bytes of addresses: {text}"
        except Exception:  # noqa: BLE001 - any other exception is a finding
            return traceback.format_exc()
    return ""


Check = Callable[[Files, Files, Path], str]


def keep(out: Path, case: int, files: Files, finding: str) -> None:
    """Store a finding and its files in a folder."""
    folder = out / str(case)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "what.txt").write_text(finding, errors="replace")
    print(f"case {case}: {finding.strip().splitlines()[-1][:200]}", flush=True)


def work(original: Files, cases: range, seed: int, out: Path, now: mmap.mmap, test: Check) -> None:
    """Run cases in this process; stop after the first that uses too much memory."""
    warnings.simplefilter("ignore")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # hides the output of onnxruntime
    with tempfile.TemporaryDirectory(dir=_memory()) as scratch:
        test(original, dict(original), Path(scratch))  # warm-up, before the memory is limited
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        most = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + MAX_OPENING
        for case in cases:
            now[:8] = struct.pack("<q", case)
            signal.setitimer(signal.ITIMER_PROF, TIMEOUT)  # processor time, not that of others
            files = mutate(original, seed, case)
            finding = test(original, files, Path(scratch))
            signal.setitimer(signal.ITIMER_PROF, 0)
            large = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > most
            if finding := finding or ("used more memory than MAX_OPENING" if large else ""):
                keep(out, case, files, finding)
                now[8:16] = struct.pack("<q", 1 + struct.unpack("<q", now[8:16])[0])
            if large:
                break
            if case % 1000 == 999:
                print(f"{case + 1} cases", flush=True)


def hunt(bundle: Path, cases: range, seed: int, out: Path, test: Check = check) -> int:
    """Run cases in child processes, a new one after each crash; return the number of findings."""
    original = {name: (bundle / name).read_bytes() for name in FILES}
    update_checksums(original)
    now = mmap.mmap(-1, 16)  # number of the current case, number of findings
    crashes = 0
    while cases:
        now[:8] = struct.pack("<q", cases[0])
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work(original, cases, seed, out, now, test)
                status = 0
            except BaseException:  # noqa: BLE001 - the child process exits
                traceback.print_exc(file=sys.stdout)
            finally:
                sys.stdout.flush()
                os._exit(status)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        case = struct.unpack("<q", now[:8])[0]
        if code:
            crashes += 1
            reason = f"ended by {signal.Signals(-code).name}" if code < 0 else "the process failed"
            keep(out, case, mutate(original, seed, case), reason)
        cases = range(case + 1, cases.stop)
    return crashes + struct.unpack("<q", now[8:16])[0]


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def make_bundle(folder: Path) -> Path:
    """Train and export a tiny model."""
    from ganzoo.spec import Component, Recipe

    recipe = Recipe(
        name="fuzzed",
        architecture=Component("mlp", {"latent_dim": 4, "width": 4}),
        loss=Component("nonsaturating"),
        dataset=Component("digits"),
        images=64,
    )
    return ganzoo.export(ganzoo.train(recipe, out=folder / "run", progress=False).path)


def main(
    cases: int = 100_000,
    seed: int = 0,
    first: int = 0,
    out: Path = Path("findings"),
    bundle: Path | None = None,
) -> None:
    """Run cases, and exit with status 1 if there are findings.

    Args:
        cases: number of cases.
        seed: seed of all cases.
        first: number of the first case.
        out: folder for the findings, one sub-folder each.
        bundle: folder of the bundle to mutate; by default a tiny one, trained in a few seconds.
    """
    torch.set_num_threads(1)  # a forked process keeps only one thread
    os.environ["OMP_NUM_THREADS"] = "1"
    onnx_runtime.MAX_MEMORY = POOL
    with tempfile.TemporaryDirectory() as scratch:
        path = bundle or make_bundle(Path(scratch))
        if bundle is None:
            path = Path(shutil.copytree(path, Path(scratch) / "bundle"))
        begin = time.perf_counter()
        findings = hunt(path, range(first, first + cases), seed, out)
    seconds = time.perf_counter() - begin
    print(
        f"{cases:,} cases of seed {seed} in {seconds:.0f} s, {cases / seconds:.0f} per second: "
        f"{findings or 'no'} finding{'s' * (findings != 1)}{f', stored in {out}' * bool(findings)}"
    )
    sys.exit(bool(findings))


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
