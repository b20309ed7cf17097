"""Registries of architectures, losses and other components, from ganzoo and from plugins."""

from ganzoo.registry.directions import direction_of
from ganzoo.registry.registry import (
    COMPONENTS,
    REGISTRIES,
    Registry,
    architectures,
    datasets,
    export_targets,
    extractors,
    find_recipe,
    importers,
    losses,
    metrics,
    models,
    monitors,
    penalties,
    recipes,
    samplers,
    trackers,
)

__all__ = [
    "COMPONENTS",
    "REGISTRIES",
    "Registry",
    "architectures",
    "datasets",
    "direction_of",
    "export_targets",
    "extractors",
    "find_recipe",
    "importers",
    "losses",
    "metrics",
    "models",
    "monitors",
    "penalties",
    "recipes",
    "samplers",
    "trackers",
]
