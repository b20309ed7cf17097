"""Measure inference speed: cold start to the first image, and throughput of a loaded model.

python tools/bench_inference.py [NAME] [--runs 7] [--blocks 7] [--threads 2]
python tools/bench_inference.py [NAME] --options
python tools/bench_inference.py [NAME] --opening

A cold start is a new process that imports, loads and generates one image: ganzoo on onnxruntime,
ganzoo on torch, and a plain onnxruntime session on the same file. Throughput is the network's in
one process: eager torch, torch.compile and onnxruntime, for batches of 1, 16 and 64. All variants
alternate. The output is medians, and ratios to eager torch. --options compares session options of
onnxruntime instead: each variant changes one option of ganzoo's session. --opening measures what
checking a file costs, for the model and for a graph with 127 MiB of weights: the check of its
bytes, the bound of its work, and a session on these bytes instead of the file.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from ganzoo import zoo
from ganzoo.runtimes import onnx_file, onnx_work, sessions
from ganzoo.sampling import latents
from ganzoo.system.machine import describe_hardware

BATCHES = (1, 16, 64)
WITH_GANZOO = "import ganzoo; ganzoo.load({name!r}, runtime={runtime!r}).sample(1)"
BARE = """
import numpy, onnxruntime
session = onnxruntime.InferenceSession({file!r}, providers=["CPUExecutionProvider"])
session.run(None, {inputs})
"""


def inputs(spec, n):
    arrays = {"z": latents.normal(0, n, spec.latent.dim)}
    if "y" in spec.inputs:
        arrays["y"] = np.arange(n) % spec.data.classes
    return arrays


def rounds(functions, number):
    """Return the median seconds of each function by its name; the functions alternate."""
    seconds = {name: [] for name in functions}
    for _ in range(number):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def cold_starts(name, options):
    bundle = zoo.find(name)
    z = f'{{"z": numpy.zeros((1, {bundle.spec.latent.dim}), "float32")'
    y = ', "y": numpy.zeros(1, "int64")}' if "y" in bundle.spec.inputs else "}"
    programs = {
        "bare onnxruntime": BARE.format(file=str(bundle.onnx_of("generator")), inputs=z + y),
        "ganzoo, onnxruntime": WITH_GANZOO.format(name=name, runtime="onnx"),
        "ganzoo, torch": WITH_GANZOO.format(name=name, runtime="torch"),
    }
    environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}

    def start(program):
        return lambda: subprocess.run(
            [sys.executable, "-c", program], env=environment, check=True, capture_output=True
        )

    functions = {name: start(program) for name, program in programs.items()}
    rounds(functions, 1)  # warm-up: compiles, and fills the disk cache
    medians = rounds(functions, options.runs)
    print("cold start to the first image")
    for name, seconds in medians.items():
        print(f"  {name:<20} {seconds:6.3f} s  {medians['ganzoo, torch'] / seconds:5.2f}x")


def repeated(run, n):
    times = max(1, 64 // n)

    def several():
        for _ in range(times):
            run()

    return several, times


def throughput(name, options):
    eager = zoo.load(name, runtime="torch")
    compiled = torch.compile(zoo.load(name, runtime="torch"), dynamic=False)
    onnx = zoo.load(name, runtime="onnx", threads=options.threads)
    for n in BATCHES:
        arrays = inputs(eager.spec, n)
        tensors = [torch.from_numpy(array) for array in arrays.values()]

        def in_torch(network, tensors=tensors):
            with torch.inference_mode():
                return network(*tensors)

        runs = {
            "torch": lambda run=in_torch: run(eager),
            "torch.compile": lambda run=in_torch: run(compiled),
            "onnxruntime": lambda arrays=arrays: onnx.run(arrays),
        }
        functions = {}
        for kind, run in runs.items():
            run()
            functions[kind], times = repeated(run, n)
        medians = {k: seconds / times for k, seconds in rounds(functions, options.blocks).items()}
        print(f"batch {n}")
        for kind, seconds in medians.items():
            print(
                f"  {kind:<14} {seconds * 1e3:8.2f} ms  {n / seconds:8.0f} images/s  "
                f"{medians['torch'] / seconds:5.2f}x"
            )


def session_options(name, options):
    """Print the effect of each session option."""
    levels = onnxruntime.GraphOptimizationLevel
    file = zoo.find(name).onnx_of("generator")

    def default():
        return sessions.session_options(options.threads)

    def changed(change):
        variant = default()
        change(variant)
        return variant

    variants = {
        "ganzoo's options": default,
        "spinning": lambda: changed(
            lambda o: o.add_session_config_entry("session.intra_op.allow_spinning", "1")
        ),
        "basic optimisations": lambda: changed(
            lambda o: setattr(o, "graph_optimization_level", levels.ORT_ENABLE_BASIC)
        ),
        "no optimisations": lambda: changed(
            lambda o: setattr(o, "graph_optimization_level", levels.ORT_DISABLE_ALL)
        ),
        "one thread": lambda: changed(lambda o: setattr(o, "intra_op_num_threads", 1)),
        "no arena": lambda: changed(lambda o: setattr(o, "enable_cpu_mem_arena", False)),
        "no memory pattern": lambda: changed(lambda o: setattr(o, "enable_mem_pattern", False)),
    }

    sessions.limit_memory()  # as in every session of ganzoo

    def open_one(make):
        return onnxruntime.InferenceSession(str(file), make(), providers=[sessions.CPU])

    opening = rounds({k: lambda m=m: open_one(m) for k, m in variants.items()}, options.blocks)
    spec, runs = zoo.info(name), {}
    for n in BATCHES:
        functions = {}
        for kind, make in variants.items():
            session, arrays = open_one(make), inputs(spec, n)
            session.run(None, arrays)
            functions[kind], times = repeated(lambda s=session, a=arrays: s.run(None, a), n)
        runs[n] = {k: s / times for k, s in rounds(functions, options.blocks).items()}
    print(f"{'':<20} {'opens':>8}" + "".join(f"{f'batch {n}':>11}" for n in BATCHES) + "   (ms)")
    for kind, seconds in opening.items():
        row = "".join(f"{runs[n][kind] * 1e3:11.2f}" for n in BATCHES)
        print(f"{kind:<20} {seconds * 1e3:8.1f}{row}")


def opening(name, options):
    """Print the milliseconds of each step that opens a file, and the memory of the session."""
    bundle = zoo.find(name)
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.onnx"
        large.write_bytes(graph_of_megabytes(bundle.spec))
        for file in (bundle.onnx_of("generator"), large):
            graph = onnx_file.read_onnx(file)
            session = sessions.session_options(options.threads)
            steps = {
                "read the bytes": file.read_bytes,
                "read and check": lambda f=file: onnx_file.read_onnx(f),
                "bound the work": lambda g=graph, f=file: onnx_work.Work(
                    g, f, bundle.spec, "generator"
                ).check(1),
                "session on the file": lambda f=file, o=session: onnxruntime.InferenceSession(
                    str(f), o, providers=[sessions.CPU]
                ),
                "session on the bytes": lambda g=graph, f=file: sessions.open_session(
                    g.content, f, threads=options.threads
                ),
            }
            print(f"{file.name}, {file.stat().st_size / 2**20:.1f} MiB")
            for step, seconds in rounds(steps, options.blocks).items():
                print(f"  {step:<22} {seconds * 1e3:8.1f} ms")


def graph_of_megabytes(spec):
    """Return a graph of the model's inputs with two layers and 127 MiB of weights."""
    dim = spec.latent.dim
    width = 127 * 2**20 // 4 // (dim + 1)
    rng = np.random.default_rng(0)
    weights = [
        onnx.numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), key)
        for key, shape in (("w", (dim, width)), ("v", (width, 1)))
    ]
    z = onnx.helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["batch", dim])
    images = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["batch", 1])
    nodes = [
        onnx.helper.make_node("MatMul", ["z", "w"], ["h"]),
        onnx.helper.make_node("MatMul", ["h", "v"], ["images"]),
    ]
    graph = onnx.helper.make_graph(nodes, "g", [z], [images], weights)
    opset = onnx.helper.make_opsetid("", 20)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10)
    return model.SerializeToString()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", nargs="?", default="dcgan-mnist")
    parser.add_argument("--runs", type=int, default=7, help="cold starts per variant")
    parser.add_argument("--blocks", type=int, default=7, help="blocks per batch size")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--options", action="store_true")
    parser.add_argument("--opening", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    onnxruntime.set_default_logger_severity(3)  # it warns about changed options
    hardware, load = describe_hardware(torch.device("cpu")), os.getloadavg()[0]
    print(f"{options.name} on {hardware}, load {load:.1f} before")
    print(f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    if options.options:
        session_options(options.name, options)
        return
    if options.opening:
        opening(options.name, options)
        return
    cold_starts(options.name, options)
    throughput(options.name, options)


if __name__ == "__main__":
    main()
