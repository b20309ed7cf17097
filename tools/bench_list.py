"""Measure how installed plugins slow down `ganzoo list`.

python tools/bench_list.py [--plugins 50] [--runs 15]

The script builds wheels of tiny plugins and installs them with pip into a folder. Each plugin has a
dozen entry points, a model, and a README of a few kilobytes as its description. `ganzoo list` then
runs alternately with and without that folder on the path. The output is the medians of elapsed time
and of processor time, with their differences and ratios.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ganzoo.zoo import find

GROUPS = ("architectures", "losses", "datasets", "recipes")
EACH = 3  # entry points per plugin and group
MODEL = find("gan-mnist").path  # every plugin holds a copy of it under another name
BUILD = """
import os, sys
from hatchling.build import build_wheel
for tree in sys.argv[2:]:
    os.chdir(tree)
    build_wheel(sys.argv[1])
"""


def lay_out(folder, number):
    """Write the source tree of a plugin."""
    name = f"bench-gans-{number}"
    module = name.replace("-", "_")
    tree = folder / name
    tree.mkdir()
    lines = [
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"',
        f'[project]\nname = "{name}"\nversion = "1.{number}"\nreadme = "README.md"',
        'dependencies = ["torch-ganzoo[train]>=0.1.0", "numpy>=1.26", "einops"]',
    ]
    for group in GROUPS:
        lines.append(f'[project.entry-points."ganzoo.{group}"]')
        lines += [f'bench-{number}-{k} = "{module}:{group}"' for k in range(EACH)]
    lines.append(f'[project.entry-points."ganzoo.models"]\nbench-{number} = "{module}:model"')
    lines.append(f'[tool.hatch.build.targets.wheel]\nonly-include = ["{module}"]')
    shutil.copytree(MODEL, tree / module / f"bench-{number}")
    (tree / "pyproject.toml").write_text("\n".join(lines))
    (tree / "README.md").write_text(f"# {name}\n\n" + "Networks and losses, explained.\n" * 150)
    (tree / module / "__init__.py").write_text("raise SystemExit('listing runs no plugin')\n")
    return tree


def install(folder, plugins):
    """Install plugins with pip into a separate folder."""
    trees = [lay_out(folder, number) for number in range(plugins)]
    wheels, site = folder / "wheels", folder / "site"
    subprocess.run([sys.executable, "-c", BUILD, wheels, *trees], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", site, *wheels.glob("*.whl")], check=True)
    return site


def measure(path):
    """Return elapsed seconds and processor seconds of `ganzoo list`, and its plugin lines."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "ganzoo", "list"]
    result = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu_seconds, result.stdout.count("bench-gans-")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--plugins", type=int, default=50)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = str(install(Path(folder), options.plugins))
        runs = {path: [] for path in ("", site)}
        for path in runs:
            measure(path)  # warm-up: compiles, and fills the disk cache
        for _ in range(options.runs):
            for path, results in runs.items():
                results.append(measure(path))
    count = runs[site][0][2]
    assert count == options.plugins * (len(GROUPS) * EACH + 1), count
    print(f"medians of {options.runs} runs")
    for row, clock in enumerate(("elapsed", "processor")):
        none, some = (statistics.median(run[row] for run in runs[path]) for path in ("", site))
        print(
            f"{clock:<10} {none * 1e3:5.0f} ms without plugins, {some * 1e3:5.0f} ms with "
            f"{options.plugins}: +{(some - none) * 1e3:.0f} ms, {some / none:.2f}x"
        )


if __name__ == "__main__":
    main()
