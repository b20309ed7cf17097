"""Measure how long `ganzoo data` and the start of a training take to read image files.

python tools/bench_data.py [--images 5000] [--side 256] [--size 64] [--runs 5] [--folder DIR]

The script generates JPEGs, or reads those in DIR.

`ganzoo.data.describe`, and a pool of as many processes that decodes each file with Pillow to RGB
and does nothing else, run alternately. The output is the medians of elapsed time and of processor
time, and their ratios.

Then one process and all of them decode the files as the dataset `folder` of the size, alternately,
and a training's batches are opened from the cache of the same images. The output is medians, too.
"""

import argparse
import resource
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ganzoo.data import describe, find_dataset, open_batches
from ganzoo.data.cache import CacheOptions
from ganzoo.data.decoding import decode_timed
from ganzoo.data.survey.scan import MAX_CHUNK
from ganzoo.data.workers import count_cores
from ganzoo.spec import Component


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
    chunks = [files[start : start + MAX_CHUNK] for start in range(0, len(files), MAX_CHUNK)]
    with ProcessPoolExecutor(count_cores()) as pool:
        list(pool.map(decode, chunks))


def processor_seconds():
    """Return the processor time of this process and of those that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(kind) for kind in kinds]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(function, argument):
    """Return the elapsed seconds and the processor seconds of a call."""
    before, start = processor_seconds(), time.perf_counter()
    function(argument)
    return time.perf_counter() - start, processor_seconds() - before


def measure_training(folder, size, runs):
    """Print how long a training takes to decode the images of a folder, or to open their cache."""
    component = Component("folder", {"size": size})
    dataset, spec = find_dataset(component.name, component.arguments, folder)
    count = f"{len(dataset):,} files to {size}x{size}"
    alone, together = [], []
    for _ in range(runs):
        alone.append(measure(lambda data: decode_timed(data, spec, workers=0), dataset))
        together.append(measure(lambda data: decode_timed(data, spec), dataset))
    for row, clock in enumerate(("elapsed", "processor")):
        one, several = (statistics.median(run[row] for run in times) for times in (alone, together))
        print(
            f"{clock:<10} {count}: 1 process {one:.2f} s, {count_cores()} processes "
            f"{several:.2f} s, ratio {one / several:.2f}"
        )
    with tempfile.TemporaryDirectory() as temporary:
        seconds = []
        for _ in range(runs + 1):
            start = time.perf_counter()
            dataset, spec = find_dataset(component.name, component.arguments, folder)
            batches = open_batches(
                dataset,
                spec,
                64,
                0,
                torch.device("cpu"),
                component=component,
                root=folder,
                cache=CacheOptions(Path(temporary), always=True),
            )
            next(batches)
            seconds.append(time.perf_counter() - start)
    print(
        f"cache      {count}: {batches.cache.rpartition('(')[2][:-1]}, {seconds[0]:.2f} s to write"
    )
    print(f"cache      {count}: {statistics.median(seconds[1:]):.3f} s to open")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--size", type=int, default=64)
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
        describe_times(times, count)
        measure_training(folder, options.size, options.runs)


def describe_times(times, count):
    """Print the medians of `ganzoo data` and Pillow."""
    for row, clock in enumerate(("elapsed", "processor")):
        ours, bare = (statistics.median(run[row] for run in runs) for runs in times.values())
        print(
            f"{clock:<10} {count:,} files: describe {ours:.2f} s, Pillow {bare:.2f} s, ratio "
            f"{ours / bare:.2f}"
        )


if __name__ == "__main__":
    main()
