"""Images per second of one training by 1, 2, ... processes, and what they send each other.

python tools/bench_scaling.py [RECIPE] [--processes 1 2] [--batch-size 64] [--blocks 3]

The batch grows with the processes, so that each has as much to do. Every process computes with as
many threads as it has cores for itself, and all are started by torchrun; blocks of each number
alternate, medians are printed. Bytes are those of the gradients that one tick averages.
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
    """The median of a run's rates, its first two reports left out."""
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
    """Bytes of gradients in a tick."""
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
    parser.add_argument("--batch-size", type=int, default=64, help="of each process")
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="of a block")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    options = parser.parse_args()
    recipe = replace(find_recipe(options.recipe), images=10**9, checkpoint_every=0, sample_every=0)
    rates = {n: [] for n in options.processes}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.blocks):
            for n in rates:
                whole = options.batch_size * n
                scaled = replace(recipe, batch_size=whole, log_every=4 * whole)
                found = rate(scaled, n, options.cores, options.seconds, Path(folder))
                rates[n].append(found)
    base = statistics.median(rates[options.processes[0]])
    print(f"{recipe.name}: {sent(recipe) / 1e6:.1f} MB of gradients a tick")
    for n, found in rates.items():
        middle = statistics.median(found)
        print(f"{n} processes {middle:8.0f} images/s  {middle / base:.2f}x")


if __name__ == "__main__":
    main()
