"""The tour: load, train, export, run, each in a line or two of the public API."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from ganzoo import exporters, training, zoo


def run(folder: Path) -> None:
    """Take the tour; everything it makes lies in `folder`, or in `folder`-2 and so on.

    Raises:
        KeyboardInterrupt: it was stopped in the training, which is saved.
    """
    folder = _free(folder)

    print("1/4  load the shipped dcgan-mnist and make 64 digits")
    shipped = zoo.load("dcgan-mnist").sample(64, seed=0).save(folder / "dcgan-mnist.png")
    print(f"     {shipped}")

    print("2/4  train a small DCGAN on the built-in digits, about a minute on two cores")
    trained = training.train("dcgan-digits", out=folder / "run")
    if not trained.finished:
        print(f"ganzoo train --resume {trained.path} continues the training")
        raise KeyboardInterrupt  # as the command line would have ended without the training's grace

    print("3/4  export it to safetensors and ONNX, and compare the two")
    bundle = exporters.export(trained.path, folder / "dcgan-digits")
    parity = zoo.info(bundle).provenance["parity"]
    print(f"     {bundle}: they differ by at most {parity['max_abs_error']:.1e}")

    print("4/4  make 64 digits with onnxruntime")
    made = zoo.load(bundle, runtime="onnx").sample(64, seed=0).save(folder / "dcgan-digits.png")
    print(f"     {made}")

    ganzoo = _command()
    print(
        f"""
the shipped model's digits    {shipped}
your own model's digits       {made}
your model, to run anywhere   {bundle}
the run: log, checkpoints     {trained.path}

next:
  {ganzoo} sample dcgan-mnist -n 100 --seed 7 -o digits.png
  {ganzoo} train dcgan-digits --loss lsgan --images 50000 --out runs/lsgan
  {ganzoo} list"""
    )


def _command() -> str:
    """How the user calls ganzoo: its environment need not be the active one."""
    beside_python = Path(sys.executable).with_name("ganzoo")
    return "ganzoo" if shutil.which("ganzoo") else os.path.relpath(beside_python)


def _free(folder: Path) -> Path:
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate
