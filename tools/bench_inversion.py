"""Measure how well `ganzoo invert` finds images that the model generated itself.

python tools/bench_inversion.py [NAME ...] [--images 10] [--steps 1000] [--space w]

Image 0 of ten seeds is inverted as a photo would be, from its pixels. The output is PSNR and
seconds of each, and how many reach 30 dB. The starts are drawn from another seed.
"""

import argparse
import os
import statistics
import time

import ganzoo
from ganzoo.inversion import invert
from ganzoo.system.machine import describe_hardware

GOOD = 30.0  # dB
FIRST_SEED = 1_000


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=["dcgan-mnist", "stylegan2-tinyhero"])
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--starts", type=int)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--space", choices=["z", "w", "w+"])
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    how = {name: getattr(options, name) for name in ("steps", "starts", "samples", "rate", "space")}
    for name in options.names:
        model = ganzoo.load(name, runtime="torch", device=options.device)
        device = next(model.parameters()).device
        load = os.getloadavg()[0]
        print(f"{name}, {options.steps:,} steps, {describe_hardware(device)}, load {load:.1f}")
        values, times = [], []
        for seed in range(FIRST_SEED, FIRST_SEED + options.images):
            photo = model.sample(seeds=[seed])
            start = time.perf_counter()
            inversion = invert(model, photo, **how)
            times.append(time.perf_counter() - start)
            values.append(inversion.psnr)
            print(f"  seed {seed}: {values[-1]:.1f} dB, {times[-1]:.1f} s", flush=True)
        good = sum(value >= GOOD for value in values)
        print(
            f"  {good} of {len(values)} reach {GOOD:.0f} dB; median {statistics.median(values):.1f}"
            f" dB, {statistics.median(times):.1f} s"
        )


if __name__ == "__main__":
    main()
