"""Write a gallery page of models."""

from __future__ import annotations

import warnings
from pathlib import Path

import tyro

from ganzoo.cli.outputs import MaybeOutput, choose_output
from ganzoo.errors import GanzooError, quantity
from ganzoo.system.terminal import print_out


def gallery(
    names: tyro.conf.Positional[tuple[str, ...]] = (), /, output: MaybeOutput = None
) -> None:
    """Write an HTML page with the samples, metrics and card of every model.

    Args:
        names: names of models or ./folders; by default all models of installed packages.
        output: HTML file to write or replace; by default gallery.html, which replaces no file.
    """
    from ganzoo.demo.gallery import write_gallery

    output = choose_output(output, "gallery.html")
    chosen = names or _available()
    write_gallery(chosen, output)
    print_out(f"{output}: {quantity(len(chosen), 'model')}")


def _available() -> tuple[str, ...]:
    """Return the names of all models in installed packages; warn about each broken one."""
    from ganzoo import zoo
    from ganzoo.registry import models

    names = []
    for entry in models.entries():
        try:
            if not isinstance(models.load(entry), Path):
                continue  # a model on the Hub
            zoo.find(entry.address)
        except GanzooError as error:
            warnings.warn(f"{entry.address} is skipped: {error}", stacklevel=2)
        else:
            names.append(entry.name if len(models.entries(entry.name)) == 1 else entry.address)
    return tuple(names)
