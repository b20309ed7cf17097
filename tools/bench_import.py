"""Measure an import of a large checkpoint: time and memory of its inspection and conversion.

python tools/bench_import.py [--side 256] [--threads 2] [--out FOLDER]

The checkpoint is a training snapshot of StyleGAN2 in configuration F, in the layout of
stylegan2-ada-pytorch: two generators and a discriminator, with random weights. Each command is a
new process: `ganzoo import FILE --inspect`, which imports no torch, and `ganzoo import FILE -o OUT`
without and with figures. The output is wall time, processor time and the largest resident memory.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import ganzoo
from ganzoo.system.machine import describe_hardware

TESTS = Path(__file__).parents[1] / "plugins" / "ganzoo-stylegan2" / "tests"
COMMAND = [sys.executable, "-m", "ganzoo", "import"]


def write_snapshot(side: int, file: Path) -> None:
    """Write a snapshot with random weights."""
    sys.path.insert(0, str(TESTS))
    import stylegan2_files as files

    torch.manual_seed(0)
    data = ganzoo.DataSpec(ganzoo.ImageSpec(side, side, 3))
    width = min(512, 32768 // side)  # configuration F: channel_base 32768, channel_max 512
    nets = ganzoo.architectures.get("stylegan2")(data, width=width, clamp=256.0)
    generator = files.ada_generator(nets["generator"])
    content = {
        "G": files.ada_generator(nets["generator"]),
        "D": files.ada_discriminator(nets["discriminator"]),
        "G_ema": generator,
        "augment_pipe": None,
    }
    content["G"] = _copy(content["G"])  # stored beside the other, as in a snapshot
    files.write_pickle(file, content)


def _copy(network):
    """Return a copy of a stored network with tensors of its own."""
    network.tensors = {name: tensor.clone() for name, tensor in network.tensors.items()}
    for part in network.parts.values():
        _copy(part)
    return network


def measure(command: list[str]) -> tuple[float, float, float]:
    """Run a command; return wall seconds, processor seconds and MiB of memory."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    seconds = time.perf_counter() - start
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="folder for the files; by default a temporary one")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"config-f-{options.side}.pkl"
        write_snapshot(options.side, file)
        size = file.stat().st_size / 2**20
        print(f"{file.name}: {size:,.0f} MiB, {describe_hardware(torch.device('cpu'))}")
        print("| command | wall s | processor s | MiB |\n|---|---|---|---|")
        for name, arguments in {
            "--inspect": ["--inspect"],
            "-o OUT --no-figures": ["-o", str(folder / "plain"), "--no-figures"],
            "-o OUT": ["-o", str(folder / "whole")],
        }.items():
            wall, processor, memory = measure([*COMMAND, str(file), *arguments])
            print(f"| `{name}` | {wall:.1f} | {processor:.1f} | {memory:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
