"""What storing a model's weights in fewer bits saves, and what it costs.

python tools/bench_precision.py [NAME ...] [--samples 10000] [--regardless]

Each model is exported in every precision that is coarser than its own, and run by onnxruntime on
one thread: the size of model.onnx, milliseconds for a batch of 1 and of 64 (medians of blocks that
alternate), how far images move (root mean square, in levels of 255), and the Frechet distance of
the same latents' images to the data the model was trained on, by its own extractor. GANZOO_DATA
says where that lies. --regardless measures what `export` would refuse, too.

--activations also quantizes activations, as onnxruntime.quantization does from latents as examples:
what it would give, and why `export` does not.
"""

import argparse
import contextlib
import logging
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

import ganzoo
from ganzoo import zoo
from ganzoo.benchmark import evaluate
from ganzoo.bundle import open_bundle, write_bundle
from ganzoo.errors import ExportError
from ganzoo.exporters import precision
from ganzoo.machine import describe_hardware
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.sampling import latents

LEVELS = 127.5  # from [-1, 1] to levels of 255
BATCHES = (1, 64)
CALIBRATION = 512  # latents by which activations' ranges are found


def exported(source, folder, wanted, regardless):
    """A bundle in that precision, or why there is none."""
    limits = precision.TOLERANCES
    if regardless:
        precision.TOLERANCES = dict.fromkeys(limits, float("inf"))
    try:
        return ganzoo.export(source, folder / wanted, precision=wanted)
    except ExportError as error:
        return str(error)
    finally:
        precision.TOLERANCES = limits


def quantize_activations(source, folder):
    """The same bundle with an ONNX file whose activations are int8 where onnxruntime can."""
    from onnxruntime import quantization

    class Examples(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = iter([inputs(found.spec, CALIBRATION, seed=1)])

        def get_next(self):
            return next(self.left, None)

    found = open_bundle(source)
    network = zoo.load(source, runtime="torch")
    trace = ganzoo.exporters.onnx_graph.trace(network, "generator")
    plain, made = folder / "plain.onnx", folder / "quantized.onnx"
    ganzoo.exporters.onnx_graph.write(trace, found.spec, plain)
    logging.disable(logging.WARNING)
    quantization.quantize_static(plain, made, Examples(), per_channel=True)
    logging.disable(logging.NOTSET)
    model = onnx.load(made)
    for tensor in model.graph.initializer:  # the quantizer leaves fields that a bundle may not have
        array = onnx.numpy_helper.to_array(tensor)
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    onnx.helper.set_model_props(model, {"ganzoo.config": found.spec.to_json()})
    content = model.SerializeToString()
    weights = found.weights_of("generator").read_bytes()
    writers = {
        "model.onnx": lambda path: path.write_bytes(content),
        "model.safetensors": lambda path: path.write_bytes(weights),
    }
    return write_bundle(folder / "activations", found.spec, writers).path


def inputs(spec, n, seed=0):
    given = {"z": latents.normal(seed, n, spec.latent.dim)}
    if "y" in spec.inputs:
        given["y"] = np.arange(n) % spec.data.classes
    return given


def latencies(models, blocks):
    """Median milliseconds of each model and batch; blocks alternate."""
    times = {(name, n): [] for name in models for n in BATCHES}
    for _ in range(blocks):
        for (name, n), found in times.items():
            model, given = models[name], inputs(models[name].spec, n)
            model.run(given)
            repeats = 64 // n + 4
            start = time.perf_counter()
            for _ in range(repeats):
                model.run(given)
            found.append((time.perf_counter() - start) / repeats * 1e3)
    return {key: statistics.median(found) for key, found in times.items()}


def measure(name, options, folder):
    source = zoo.find(name).path
    own = precision.precision_of(zoo.info(name).provenance)
    coarser = precision.FINEST_FIRST[precision.FINEST_FIRST.index(own) + 1 :]
    folders = {own: Path(shutil.copytree(source, folder / own))}  # which keeps its figures
    for wanted in coarser:
        found = exported(source, folder, wanted, options.regardless)
        if isinstance(found, str):
            print(f"| {name} | {wanted} | refused: {found} |")
        else:
            folders[wanted] = found
    if options.activations:
        folders["int8, activations too"] = quantize_activations(folders[own], folder)
    models = {kind: load_onnx(open_bundle(path), threads=1) for kind, path in folders.items()}
    times = latencies(models, options.blocks)
    given = inputs(models[own].spec, 256)
    whole, distances = models[own].run(given), {}
    for kind, model in models.items():
        moved = np.sqrt(np.square(model.run(given) - whole).mean()) * LEVELS
        with contextlib.redirect_stdout(None):
            figures = evaluate(
                folders[kind],
                samples=options.samples,
                metrics=["frechet"],
                runtime="onnx",
                progress=False,
            ).metrics
        distances[kind] = next(v for k, v in figures.items() if k == "frechet_distance")
        change = distances[kind] / distances[own] - 1
        print(
            f"| {name} | {kind} | {(folders[kind] / 'model.onnx').stat().st_size:,} | "
            f"{times[kind, 1]:.2f} | {times[kind, 64]:.1f} | {moved:.2f} | "
            f"{distances[kind]:.4g} | {change:+.2%} |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=["dcgan-mnist", "gan-mnist"])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--regardless", action="store_true")
    parser.add_argument("--activations", action="store_true")
    options = parser.parse_args()
    processor = describe_hardware(torch.device("cpu")).partition(", ")[0]
    print(f"{processor}, onnxruntime {onnxruntime.__version__}, one thread\n")
    print("| model | weights | bytes | ms, 1 | ms, 64 | moved | Frechet distance | change |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.names:
        with tempfile.TemporaryDirectory() as folder:
            measure(name, options, Path(folder))


if __name__ == "__main__":
    main()
