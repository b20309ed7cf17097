"""A page of models."""

from __future__ import annotations

import warnings
from pathlib import Path

import tyro

from ganzoo.cli.arguments import Output
from ganzoo.errors import GanzooError


def gallery(
    names: tyro.conf.Positional[tuple[str, ...]] = (), /, output: Output = Path("gallery.html")
) -> None:
    """Write an HTML page with samples, figures and card of every model.

    Args:
        names: models' names or ./folders; by default all that ship with a package.
        output: the page to write.
    """
    from ganzoo.demo.gallery import write_gallery

    chosen = names or _whole()
    write_gallery(chosen, output)
    print(f"{output}: {len(chosen)} models")


def _whole() -> tuple[str, ...]:
    """The models that ship and can be had: one plugin's trouble is not the others'."""
    from ganzoo import zoo
    from ganzoo.registry import models

    found = []
    for entry in models.entries():
        try:
            if ships := isinstance(models.load(entry), Path):
                zoo.find(entry.address)
        except GanzooError as error:
            warnings.warn(f"{entry.address} is left out: {error}", stacklevel=2)
        else:
            found += [entry.name if len(models.entries(entry.name)) == 1 else entry.address] * ships
    return tuple(found)
