"""Load a model, train one, export it and run it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from ganzoo.cli.arguments import Output
from ganzoo.errors import shell_word
from ganzoo.system.terminal import print_out


def quickstart(output: Output = Path("demo")) -> None:
    """Load a model, train a small one, export it and run it, in minutes on a CPU.

    Args:
        output: folder for the results; if it exists, a number is added to its name.

    Raises:
        KeyboardInterrupt: the user stopped the training, which is saved.
    """
    from ganzoo import exporters, training, zoo

    folder = _free(output)

    print_out("1/4  load the built-in model dcgan-mnist and generate 64 digits")
    shipped_grid = zoo.load("dcgan-mnist").sample(64, seed=0).save(folder / "dcgan-mnist.png")
    print_out(f"     {shipped_grid}")

    print_out("2/4  train a small DCGAN on the built-in digits (250,000 images)")
    trained = training.train("dcgan-digits", out=folder / "run")
    if not trained.finished:
        print_out(
            "the training is saved. Continue with: ganzoo train --resume "
            f"{shell_word(trained.path)}"
        )
        raise KeyboardInterrupt  # the training has handled Ctrl-C; the command exits with 130

    print_out("3/4  export the trained model to safetensors and ONNX, and compare their outputs")
    bundle = exporters.export(trained.path, folder / "dcgan-digits")
    parity = zoo.info(bundle).provenance["parity"]
    print_out(f"     {bundle}: largest difference {parity['max_abs_error']:.1e}")

    print_out("4/4  generate 64 digits with onnxruntime")
    own_grid = zoo.load(bundle, runtime="onnx").sample(64, seed=0).save(folder / "dcgan-digits.png")
    print_out(f"     {own_grid}")

    ganzoo = _command()
    print_out(
        f"""
digits of dcgan-mnist         {shipped_grid}
digits of your model          {own_grid}
your model (bundle)           {bundle}
log and checkpoints (run)     {trained.path}

next:
  {ganzoo} sample dcgan-mnist -n 100 --seed 7 -o digits.png
  {ganzoo} train dcgan-digits --loss lsgan --images 50000 --out runs/lsgan
  {ganzoo} list"""
    )


def _command() -> str:
    """Return the command that starts ganzoo, also if its environment is not active."""
    beside_python = Path(sys.executable).with_name("ganzoo")
    return "ganzoo" if shutil.which("ganzoo") else os.path.relpath(beside_python)


def _free(folder: Path) -> Path:
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate
