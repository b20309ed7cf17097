"""Plot runs and models: ``ganzoo plot KIND``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Union

import tyro

from ganzoo.cli.plotting import latent_space, models, runs

KINDS: dict[str, Callable[..., None]] = {
    "curves": runs.curves,
    "metric": runs.metric,
    "progress": runs.progress,
    "run": runs.run,
    "samples": models.samples,
    "comparison": models.comparison,
    "interpolation": models.interpolation,
    "style-mixing": latent_space.style_mixing,
    "truncation": latent_space.truncation,
    "noise": latent_space.noise,
    "reconstructions": models.reconstructions,
    "latent-map": models.latent_map,
    "neighbours": models.neighbours,
    "umap": models.umap,
    "earth-mover": models.earth_mover,
    "translation": models.translation,
}

# tyro runs a command when it constructs the value of its subcommand.
Kind: Any = Union[  # noqa: UP007 - the members are computed
    tuple(
        Annotated[Any, tyro.conf.subcommand(name=name, constructor=kind)]
        for name, kind in KINDS.items()
    )
]


def plot(kind: Annotated[Kind, tyro.conf.arg(name="")]) -> None:
    """Plot a run or models. 'ganzoo plot KIND --help' shows the options."""
