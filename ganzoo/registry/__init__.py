"""Names of architectures, losses and the rest, and what plugins register under them."""

from ganzoo.registry.directions import direction_of
from ganzoo.registry.registry import (
    COMPONENTS,
    REGISTRIES,
    Registry,
    architectures,
    datasets,
    extractors,
    find_recipe,
    losses,
    metrics,
    models,
    recipes,
    trackers,
)

__all__ = [
    "COMPONENTS",
    "REGISTRIES",
    "Registry",
    "architectures",
    "datasets",
    "direction_of",
    "extractors",
    "find_recipe",
    "losses",
    "metrics",
    "models",
    "recipes",
    "trackers",
]
