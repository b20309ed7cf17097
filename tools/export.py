"""Export all finished runs of a folder: python tools/export.py RUNS_DIR OUT_DIR [--precision fp16]

A bundle that is there already and is of the same training is left as it is, so that what was
interrupted, or has more finished runs by now, is begun again at no cost.
"""

import sys
from pathlib import Path

import tyro

import ganzoo
from ganzoo.bundle import onnx_name, open_bundle
from ganzoo.errors import GanzooError
from ganzoo.exporters.precision import Precision, precision_of
from ganzoo.spec import ModelSpec

TRAINING = ("recipe", "images_seen", "seconds", "hardware")  # what tells one from another


def main(
    runs: tyro.conf.Positional[Path],
    out: tyro.conf.Positional[Path],
    /,
    precision: Precision = "fp32",
) -> None:
    failed = False
    for run in sorted(path for path in runs.iterdir() if (path / "recipe.toml").is_file()):
        try:
            print(f"{run.name}: {export(run, out / run.name, precision)}", flush=True)
        except GanzooError as error:
            failed = True
            print(f"{run.name}: {error}", file=sys.stderr)
    sys.exit(failed)


def export(run: Path, path: Path, precision: Precision) -> str:
    if not (run / "bundle").is_dir():
        return "has saved nothing yet"
    spec = open_bundle(run / "bundle").spec
    made = spec.provenance
    if made["images_seen"] < made["recipe"]["images"]:
        return f"is not finished, {made['images_seen']:,} of {made['recipe']['images']:,} images"
    if is_there(spec, path, precision):
        return f"{path} is up to date"
    return f"{ganzoo.export(run, path, precision=precision)}"


def is_there(spec: ModelSpec, path: Path, precision: Precision) -> bool:
    try:
        there = open_bundle(path)
    except GanzooError:
        return False
    made, wanted = there.spec.provenance, spec.provenance
    return (
        all(made.get(key) == wanted.get(key) for key in TRAINING)
        and precision_of(made) == precision
        and all(there.holds(onnx_name(role)) for role in spec.roles)
    )


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
