"""Recipes, configs and data descriptions: frozen dataclasses with strict JSON and TOML parsers."""

from ganzoo.spec.data import (
    MAX_CHANNELS,
    MAX_CLASSES,
    MAX_IMAGE_NUMBERS,
    MAX_IMAGE_SIZE,
    MAX_LATENT_DIM,
    MAX_TRUNCATION,
    DataSpec,
    ImageSpec,
    LatentSpec,
    StyleSpec,
    find_class,
)
from ganzoo.spec.metric import Direction, Metric, SetSizes
from ganzoo.spec.model import (
    FORMAT,
    IMPORTED,
    MAX_CONFIG,
    MAX_VALUES,
    METRICS,
    ROUNDING,
    SEEDS,
    STORED_AS,
    UNIFORM_LABELS,
    ModelSpec,
)
from ganzoo.spec.parsing import as_integer, as_number, is_toml
from ganzoo.spec.recipe import Component, Optimizer, Recipe

__all__ = [
    "FORMAT",
    "IMPORTED",
    "MAX_CHANNELS",
    "MAX_CLASSES",
    "MAX_CONFIG",
    "MAX_IMAGE_NUMBERS",
    "MAX_IMAGE_SIZE",
    "MAX_LATENT_DIM",
    "MAX_TRUNCATION",
    "MAX_VALUES",
    "METRICS",
    "ROUNDING",
    "SEEDS",
    "STORED_AS",
    "UNIFORM_LABELS",
    "Component",
    "DataSpec",
    "Direction",
    "ImageSpec",
    "LatentSpec",
    "Metric",
    "ModelSpec",
    "Optimizer",
    "Recipe",
    "SetSizes",
    "StyleSpec",
    "as_integer",
    "as_number",
    "find_class",
    "is_toml",
]
