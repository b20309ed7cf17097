"""Registries of architectures, losses and other components, from ganzoo and from plugins."""

from ganzoo.registry.better import better_of
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
    "better_of",
    "datasets",
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
