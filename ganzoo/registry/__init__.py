"""Names of architectures, losses and the rest, and what plugins register under them."""

from ganzoo.registry.registry import (
    COMPONENTS,
    REGISTRIES,
    Registry,
    architectures,
    datasets,
    export_targets,
    extractors,
    find_recipe,
    losses,
    models,
    penalties,
    recipes,
)

__all__ = [
    "COMPONENTS",
    "REGISTRIES",
    "Registry",
    "architectures",
    "datasets",
    "export_targets",
    "extractors",
    "find_recipe",
    "losses",
    "models",
    "penalties",
    "recipes",
]
