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
        names: models' names, ./folders or hf://org/repo; by default all that are registered.
        output: the page to write.
    """
    from ganzoo.gallery import write_gallery

    chosen = names or _whole()
    write_gallery(chosen, output)
    print(f"{output}: {len(chosen)} models")


def _whole() -> tuple[str, ...]:
    """The registered models that can be had: one plugin's trouble is not the others'."""
    from ganzoo import zoo

    found = []
    for name in zoo.list_models():
        try:
            zoo.find(name)
        except GanzooError as error:
            warnings.warn(f"{name} is left out: {error}", stacklevel=2)
        else:
            found.append(name)
    return tuple(found)
