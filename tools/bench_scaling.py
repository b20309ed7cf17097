"""Measure images per second of one training with 1, 2, ... processes, and bytes exchanged.

python tools/bench_scaling.py [RECIPE] [--processes 1 2] [--batch-size 64] [--blocks 3]

The batch grows with the number of processes, so the work of each process is constant. torchrun
starts the processes, and the cores are divided among them. Blocks of each number alternate, and the
output is medians. The bytes are the size of the gradients that one tick averages.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from ganzoo.registry import find_recipe
from ganzoo.training import prepare


def rate(recipe, processes, cores, seconds, folder):
    """Return the median images per second of a run, without its first two log lines."""
    file = folder / f"{recipe.name}.toml"
    file.write_text(recipe.to_toml())
    run = Path(tempfile.mkdtemp(dir=folder)) / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "ganzoo", "train", str(file)]
    environment = os.environ | {"OMP_NUM_THREADS": str(max(1, cores // processes))}
    subprocess.run(
        [*command, "--out", str(run), "--max-time", f"{seconds}s"],
        env=environment,
        check=True,
        capture_output=True,
    )
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return statistics.median(line["images_per_second"] for line in lines[2:-1])


def sent(recipe):
    """Return the bytes of gradients per tick."""
    state = prepare(recipe).state
    return sum(
        4 * player.repeat / player.every * sum(weight.numel() for weight in group["params"])
        for player in state.loss.players
        for group in state.optimizers[player.name].param_groups
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recipe", nargs="?", default="dcgan-digits")
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--batch-size", type=int, default=64, help="images per process")
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="seconds per block")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    options = parser.parse_args()
    recipe = replace(find_recipe(options.recipe), images=10**9, checkpoint_every=0, sample_every=0)
    rates = {n: [] for n in options.processes}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.blocks):
            for n in rates:
                whole = options.batch_size * n
                scaled = replace(recipe, batch_size=whole, log_every=4 * whole)
                rates[n].append(rate(scaled, n, options.cores, options.seconds, Path(folder)))
    base = statistics.median(rates[options.processes[0]])
    print(f"{recipe.name}: {sent(recipe) / 1e6:.1f} MB of gradients per tick")
    for n, values in rates.items():
        median = statistics.median(values)
        print(f"{n} processes {median:8.0f} images/s  {median / base:.2f}x")


if __name__ == "__main__":
    main()
