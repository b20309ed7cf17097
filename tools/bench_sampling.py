"""Measure what sampling costs beside a bare call of the network: time and memory of one image.

python tools/bench_sampling.py [NAME ...] [--config-f 256 1024] [--repeats 30] [--threads 1]

NAME is a model; by default dcgan-mnist and a DCGAN for 64 pixels with random weights. --config-f
adds StyleGAN2 in configuration F with random weights, imported by ganzoo. The bare call is
`InferenceSession.run` with the options of ganzoo, or the network of torch; both get the same
latents. Both calls alternate in one process, and the times are medians. The memory is the peak of
processes that load the model and compute one image. --series N adds the peak of N images that
`ganzoo sample --separate` writes.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import ganzoo
from ganzoo import zoo
from ganzoo.runtimes.sessions import session_options
from ganzoo.system.machine import describe_hardware


def bare_call(name: str, runtime: str, threads: int):
    """Return a function that runs the network once, without ganzoo."""
    if runtime == "torch":
        model = ganzoo.load(name, runtime="torch")
        z = torch.from_numpy(ganzoo.latents.normal(0, 1, model.latent_dim))

        def run() -> None:
            with torch.inference_mode():
                model.network(z)

        return run
    import onnxruntime as ort

    content = zoo.find(name).onnx_of("generator").read_bytes()
    session = ort.InferenceSession(
        content, session_options(threads), providers=["CPUExecutionProvider"]
    )
    z = ganzoo.latents.normal(0, 1, ganzoo.info(name).latent.dim)
    return lambda: session.run(None, {"z": z})


def sampling(name: str, runtime: str, threads: int):
    """Return a function that samples one image with ganzoo."""
    model = ganzoo.load(name, runtime=runtime, threads=threads if runtime == "onnx" else None)
    return lambda: model.sample(1, seed=0)


def ratio(name: str, runtime: str, threads: int, repeats: int) -> tuple[float, float, float]:
    """Return median milliseconds of both calls, and the median of the ratios."""
    calls = bare_call(name, runtime, threads), sampling(name, runtime, threads)
    times: list[tuple[float, float]] = []
    for _ in range(repeats + 2):
        pair = []
        for call in calls:
            start = time.perf_counter()
            call()
            pair.append(1000 * (time.perf_counter() - start))
        times.append((pair[0], pair[1]))
    bare, own = zip(*times[2:], strict=True)
    ratios = [b / a for a, b in times[2:]]
    return statistics.median(bare), statistics.median(own), statistics.median(ratios)


def memory(code: str) -> float:
    """Return the peak memory of a process in MiB, counted from the start of its program."""
    code += "; print(open('/proc/self/status').read(), file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}"], check=True, capture_output=True, text=True
    )
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def memory_of(name: str, runtime: str, threads: int, kind: str) -> float:
    """Return the peak memory of a process that makes one image."""
    here = str(Path(__file__).parent)
    return memory(
        f"sys.path.insert(0, {here!r}); import bench_sampling; "
        f"bench_sampling.{kind}({name!r}, {runtime!r}, {threads})()"
    )


def memory_of_series(name: str, n: int, folder: Path) -> float:
    """Return the peak memory of `ganzoo sample --separate`."""
    args = ["sample", name, "-n", str(n), "--separate", "--runtime", "onnx", "-o", str(folder)]
    return memory(f"from ganzoo.cli import main; status = main({args!r})")


def dcgan(folder: Path) -> Path:
    """Write a bundle of DCGAN for 64 pixels with random weights, trained for one step."""
    images = folder / "images"
    images.mkdir()
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (4, 64, 64, 3), dtype=torch.uint8).numpy()
    for k, image in enumerate(ganzoo.ImageBatch(pixels)):
        image.save(images / f"{k}.png")
    options = ["--dataset", "folder", "--dataset.size", "64", "--data", str(images)]
    options += ["--images", "4", "--batch-size", "4", "--out", str(folder / "run")]
    command = [sys.executable, "-m", "ganzoo", "train", "dcgan-faces", *options]
    subprocess.run(command, check=True, capture_output=True)
    return ganzoo.export(folder / "run", folder / "dcgan-64", figures=False)


def config_f(side: int, folder: Path) -> Path:
    """Write a bundle of StyleGAN2 in configuration F with random weights."""
    sys.path.insert(0, str(Path(__file__).parent))
    from bench_import import write_snapshot

    file = folder / f"config-f-{side}.pkl"
    write_snapshot(side, file)
    return ganzoo.import_checkpoint(file, folder / f"config-f-{side}", figures=False)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--config-f", nargs="*", type=int, default=[])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--series", type=int, default=0)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        models = {name: name for name in options.names}
        if not options.names:
            models = {"dcgan-mnist": "dcgan-mnist", "dcgan, 64 pixels": f"{dcgan(folder)}"}
        models |= {f"config-f-{side}": f"{config_f(side, folder)}" for side in options.config_f}
        print(f"{describe_hardware(torch.device('cpu'))}, {options.threads} threads")
        print(
            "| model | runtime | bare ms | ganzoo ms | ratio | bare MiB | ganzoo MiB |\n"
            "|---|---|---|---|---|---|---|"
        )
        for label, name in models.items():
            for runtime in ("onnx", "torch"):
                bare, own, times = ratio(name, runtime, options.threads, options.repeats)
                peaks = [
                    memory_of(name, runtime, options.threads, kind)
                    for kind in ("bare_call", "sampling")
                ]
                print(
                    f"| {label} | {runtime} | {bare:.2f} | {own:.2f} | {times:.2f} "
                    f"| {peaks[0]:,.0f} | {peaks[1]:,.0f} |",
                    flush=True,
                )
            if options.series:
                for n in (options.series // 10, options.series):
                    peak = memory_of_series(name, n, folder / f"{label}-{n}")
                    print(f"{label}: {n:,} images, one file each: {peak:,.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
