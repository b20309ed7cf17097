"""Draw pictures of runs and models: ``ganzoo plot KIND``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Union

import tyro

from ganzoo.cli.plotting import models, runs

KINDS: dict[str, Callable[..., None]] = {
    "curves": runs.curves,
    "metric": runs.metric,
    "progress": runs.progress,
    "run": runs.run,
    "comparison": models.comparison,
    "interpolation": models.interpolation,
    "reconstructions": models.reconstructions,
    "latent-map": models.latent_map,
    "neighbours": models.neighbours,
    "umap": models.umap,
    "translation": models.translation,
}

# As tyro has it, a command is run where its value is made.
Kind: Any = Union[  # noqa: UP007 - of a tuple that is made here
    tuple(
        Annotated[Any, tyro.conf.subcommand(name=name, constructor=kind)]
        for name, kind in KINDS.items()
    )
]


def plot(kind: Annotated[Kind, tyro.conf.arg(name="")]) -> None:
    """Draw a picture of a run or of models: 'ganzoo plot KIND --help'."""
