"""Measure upscaling: megapixels a second and peak memory of ganzoo and of bare spandrel.

python tools/bench_upscale.py FILE.pth [--side 256] [--rounds 5] [--threads 2]
python tools/bench_upscale.py FILE.pth --photo 3000 4000 [--tiles 2]

FILE is a checkpoint that `ganzoo import` reads, or rrdbnet or compact for random weights of
Real-ESRGAN's x4 networks. The first form runs one image whole with torch and onnxruntime through
ganzoo, and with spandrel's own network on torch. The three alternate; the output is medians of
megapixels of the input a second, ratios to spandrel, and the largest difference from spandrel in
levels of 255. The second form upscales a photo of that height and width with each runtime as
`ganzoo upscale` does, in a new process: it computes the first tiles, repeats the last of them for
the others, writes the PNG, and prints the peak of the process's memory. Without --tiles it computes
all of them.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import ganzoo
from ganzoo.sampling.png_files import write_png
from ganzoo.system.machine import describe_hardware

RUNTIMES = ("torch", "onnx")


def random_checkpoint(name, folder):
    """Write random weights of a network of Real-ESRGAN, and return the file."""
    from spandrel.architectures.Compact import Compact
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(0)
    network = ESRGAN() if name == "rrdbnet" else Compact(num_conv=32, upscale=4)
    file = folder / f"{name}.pth"
    torch.save(network.state_dict(), file)
    return file


def compare(file, bundle, options):
    from spandrel import ModelLoader

    models = {f"ganzoo, {name}": ganzoo.load(bundle, runtime=name) for name in RUNTIMES}
    descriptor = ModelLoader().load_from_file(file).eval()
    side = options.side
    image = np.random.default_rng(0).integers(0, 256, (1, side, side, 3)).astype(np.uint8)

    def bare():
        """Return the image of spandrel, as its users call it."""
        with torch.inference_mode():
            tensor = torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255
            output = descriptor(tensor).clamp(0, 1).mul(255).round()
            return output.permute(0, 2, 3, 1).byte().numpy()

    runs = {"spandrel": bare}
    runs |= {
        name: lambda model=model: model.upscale(image, tile=None).numpy()
        for name, model in models.items()
    }
    outputs = {name: run().astype(int) for name, run in runs.items()}  # and warm-up
    seconds = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"{side}x{side} pixels, median of {options.rounds} rounds")
    for name, median in medians.items():
        difference = np.abs(outputs[name] - outputs["spandrel"]).max()
        print(
            f"  {name:<14} {side**2 / median / 1e6:8.4f} MP/s  "
            f"{medians['spandrel'] / median:5.2f}x  differs by {difference}"
        )


def photo(bundle, runtime, options):
    """Upscale a photo and print the peak memory of this process."""
    height, width = options.photo
    model = ganzoo.load(bundle, runtime=runtime)
    run, tiles, last = model.run, 0, {}

    def run_some(inputs):
        nonlocal tiles
        tiles += 1
        shape = inputs["condition"].shape
        if options.tiles and tiles > options.tiles and shape in last:
            return last[shape]
        last[shape] = run(inputs)
        return last[shape]

    model.run = run_some
    image = np.random.default_rng(0).integers(0, 256, (1, height, width, 3)).astype(np.uint8)
    side = model.choose_tile(height, width, "auto")
    output = model.upscale(image, tile=side).numpy()[0]
    with tempfile.TemporaryDirectory() as folder:
        write_png(Path(folder) / "out.png", output)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    computed = min(tiles, options.tiles or tiles)
    print(
        f"  {runtime:<6} tiles of {side} pixels, {computed} of {tiles} computed; result "
        f"{output.nbytes / 2**30:.2f} GiB; peak {peak:.2f} GiB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="a checkpoint, rrdbnet or compact")
    parser.add_argument("--side", type=int, default=256, help="of the image in pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--photo", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--tiles", type=int, help="of the photo to compute; by default all")
    parser.add_argument("--runtime", choices=RUNTIMES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)  # of onnxruntime
    if options.runtime:  # in a process of its own; the file is a bundle
        photo(options.file, options.runtime, options)
        return
    hardware, load = describe_hardware(torch.device("cpu")), os.getloadavg()[0]
    print(f"{options.file} on {hardware}, {options.threads} threads, load {load:.1f} before")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = options.file in ("rrdbnet", "compact")
        file = random_checkpoint(options.file, folder) if known else Path(options.file)
        bundle = ganzoo.import_checkpoint(file, folder / "upscaler", figures=False)
        sizes = ganzoo.info(bundle).sizes
        print(f"x{sizes.scale}, reach {sizes.reach}, {sizes.memory} bytes a pixel")
        if not options.photo:
            compare(file, bundle, options)
            return
        height, width = options.photo
        print(f"a photo of {height}x{width} pixels")
        for runtime in RUNTIMES:
            command = [sys.executable, __file__, str(bundle), *sys.argv[2:], "--runtime", runtime]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
