"""Measure size, speed and quality of models whose weights are stored in fewer bits.

python tools/bench_precision.py [NAME ...] [--samples 10000] [--regardless]

Each model is exported in every precision below its own, and runs on onnxruntime with one thread.
The output per precision: size of model.onnx, milliseconds for a batch of 1 and of 64 (medians of
alternating blocks), root mean square change of the images (in levels of 255), and the Fréchet
distance to the training data with the extractor of that data. Set GANZOO_DATA to the folder of the
data. --regardless also measures precisions that `export` rejects.

--activations also quantizes activations with onnxruntime.quantization, calibrated on latents, to
compare with what `export` offers.
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
from ganzoo.bundle import open_bundle, write_bundle
from ganzoo.comparison.models import evaluate
from ganzoo.errors import ExportError
from ganzoo.exporters import precision
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.sampling import latents
from ganzoo.system.machine import describe_hardware

LEVELS = 127.5  # from [-1, 1] to levels of 255
BATCHES = (1, 64)
CALIBRATION = 512  # latents for the ranges of activations


def exported(bundle, folder, kind, regardless):
    """Return a bundle in a precision, or the reason of `export` to reject it."""
    limits = precision.TOLERANCES
    if regardless:
        precision.TOLERANCES = dict.fromkeys(limits, float("inf"))
    try:
        return ganzoo.export(bundle, folder / kind, precision=kind)
    except ExportError as error:
        return str(error)
    finally:
        precision.TOLERANCES = limits


def quantize_activations(path, folder):
    """Return a copy of a bundle whose ONNX file has int8 activations if onnxruntime allows it."""
    from onnxruntime import quantization

    class Examples(quantization.CalibrationDataReader):
        def __init__(self):
            self.batches = iter([inputs(bundle.spec, CALIBRATION, seed=1)])

        def get_next(self):
            return next(self.batches, None)

    bundle = open_bundle(path)
    network = zoo.load(path, runtime="torch")
    trace = ganzoo.exporters.onnx_graph.trace(network, "generator")
    plain, quantized = folder / "plain.onnx", folder / "quantized.onnx"
    ganzoo.exporters.onnx_graph.write(trace, bundle.spec, plain)
    logging.disable(logging.WARNING)
    quantization.quantize_static(plain, quantized, Examples(), per_channel=True)
    logging.disable(logging.NOTSET)
    model = onnx.load(quantized)
    for tensor in model.graph.initializer:  # the quantizer adds fields that bundles forbid
        array = onnx.numpy_helper.to_array(tensor)
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    onnx.helper.set_model_props(model, {"ganzoo.config": bundle.spec.to_json()})
    content = model.SerializeToString()
    weights = bundle.weights_of("generator").read_bytes()
    writers = {
        "model.onnx": lambda path: path.write_bytes(content),
        "model.safetensors": lambda path: path.write_bytes(weights),
    }
    return write_bundle(folder / "activations", bundle.spec, writers).path


def inputs(spec, n, seed=0):
    arrays = {"z": latents.normal(seed, n, spec.latent.dim)}
    if "y" in spec.inputs:
        arrays["y"] = np.arange(n) % spec.data.classes
    return arrays


def latencies(models, blocks):
    """Return the median milliseconds of each model and batch size; blocks alternate."""
    times = {(name, n): [] for name in models for n in BATCHES}
    for _ in range(blocks):
        for (name, n), values in times.items():
            model, arrays = models[name], inputs(models[name].spec, n)
            model.run(arrays)
            repeats = 64 // n + 4
            start = time.perf_counter()
            for _ in range(repeats):
                model.run(arrays)
            values.append((time.perf_counter() - start) / repeats * 1e3)
    return {key: statistics.median(values) for key, values in times.items()}


def measure(name, options, folder):
    path = zoo.find(name).path
    own = precision.precision_of(zoo.info(name).provenance)
    coarser = precision.FINEST_FIRST[precision.FINEST_FIRST.index(own) + 1 :]
    folders = {
        own: Path(shutil.copytree(path, folder / own))
    }  # evaluate writes metrics to the copy
    for kind in coarser:
        result = exported(path, folder, kind, options.regardless)
        if isinstance(result, str):
            print(f"| {name} | {kind} | rejected: {result} |")
        else:
            folders[kind] = result
    if options.activations:
        folders["int8, activations too"] = quantize_activations(folders[own], folder)
    models = {kind: load_onnx(open_bundle(path), threads=1) for kind, path in folders.items()}
    times = latencies(models, options.blocks)
    arrays = inputs(models[own].spec, 256)
    reference, distances = models[own].run(arrays), {}
    for kind, model in models.items():
        rms = np.sqrt(np.square(model.run(arrays) - reference).mean()) * LEVELS
        with contextlib.redirect_stdout(None):
            metrics = evaluate(
                folders[kind],
                samples=options.samples,
                metrics=["frechet"],
                runtime="onnx",
                progress=False,
            ).metrics
        distances[kind] = metrics["frechet_distance"]
        change = distances[kind] / distances[own] - 1
        print(
            f"| {name} | {kind} | {(folders[kind] / 'model.onnx').stat().st_size:,} | "
            f"{times[kind, 1]:.2f} | {times[kind, 64]:.1f} | {rms:.2f} | "
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
    print("| model | weights | bytes | ms, 1 | ms, 64 | RMS change | Fréchet distance | change |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.names:
        with tempfile.TemporaryDirectory() as folder:
            measure(name, options, Path(folder))


if __name__ == "__main__":
    main()
