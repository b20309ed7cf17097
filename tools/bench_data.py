"""Measure how long `ganzoo data` takes beside decoding the same files with Pillow.

python tools/bench_data.py [--images 5000] [--side 256] [--runs 5] [--folder DIR]

The script generates JPEGs, or reads those in DIR. `ganzoo.data.describe`, and a pool of as many
processes that decodes each file with Pillow to RGB and does nothing else, run alternately. The
output is the medians of elapsed time and of processor time, and their ratios.
"""

import argparse
import resource
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from ganzoo.data import describe
from ganzoo.data.survey.scan import CHUNK
from ganzoo.data.workers import count_cores


def generate(folder, images, side):
    """Write JPEGs of smooth colours with noise, about as large as photos of this size."""
    rng = np.random.default_rng(0)
    for k in range(images):
        cells = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        smooth = Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC)
        noisy = np.asarray(smooth) + rng.normal(0, 12, (side, side, 1))
        image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        image.save(folder / f"{k:06d}.jpg", quality=90)


def decode(paths):
    for path in paths:
        with Image.open(path) as image:
            image.convert("RGB")


def decode_all(folder):
    files = sorted(map(str, folder.glob("*.jpg")))
    chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
    with ProcessPoolExecutor(count_cores()) as pool:
        list(pool.map(decode, chunks))


def processor_seconds():
    """Return the processor time of this process and of those that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(kind) for kind in kinds]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(function, folder):
    """Return the elapsed seconds and the processor seconds of a call."""
    before, start = processor_seconds(), time.perf_counter()
    function(folder)
    return time.perf_counter() - start, processor_seconds() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if options.folder is None:
            generate(folder, options.images, options.side)
        count = len(list(folder.glob("*.jpg")))
        functions = {"describe": describe, "Pillow": decode_all}
        times = {name: [] for name in functions}
        for _ in range(options.runs):
            for name, function in functions.items():
                times[name].append(measure(function, folder))
    for row, clock in enumerate(("elapsed", "processor")):
        ours, bare = (statistics.median(run[row] for run in times[name]) for name in functions)
        print(
            f"{clock:<10} {count:,} files: describe {ours:.2f} s, Pillow {bare:.2f} s, ratio "
            f"{ours / bare:.2f}"
        )


if __name__ == "__main__":
    main()
