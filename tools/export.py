"""Export all finished runs of a folder: python tools/export.py RUNS_DIR OUT_DIR [--precision fp16]

Bundles of the same training that exist already are skipped. Repeat the command after an
interruption, or when more runs have finished.
"""

import sys
from pathlib import Path

import tyro

import ganzoo
from ganzoo.bundle import onnx_name, open_bundle
from ganzoo.errors import GanzooError
from ganzoo.exporters.precision import Precision, precision_of
from ganzoo.spec import ModelSpec

TRAINING = ("recipe", "images_seen", "seconds", "hardware")  # fields that identify a training


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
        return "skipped, no checkpoint yet"
    spec = open_bundle(run / "bundle").spec
    images_seen, images = spec.provenance["images_seen"], spec.provenance["recipe"]["images"]
    if images_seen < images:
        return f"skipped, not finished: {images_seen:,} of {images:,} images"
    if is_exported(spec, path, precision):
        return f"{path} is up to date"
    return f"{ganzoo.export(run, path, precision=precision)}"


def is_exported(spec: ModelSpec, path: Path, precision: Precision) -> bool:
    try:
        bundle = open_bundle(path)
    except GanzooError:
        return False
    provenance = bundle.spec.provenance
    return (
        all(provenance.get(key) == spec.provenance.get(key) for key in TRAINING)
        and precision_of(provenance) == precision
        and all(bundle.holds(onnx_name(role)) for role in spec.roles)
    )


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
