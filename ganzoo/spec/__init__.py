"""Recipes, configs and data descriptions: frozen dataclasses with strict JSON and TOML parsers."""

from ganzoo.spec.data import (
    MAX_CHANNELS,
    MAX_CLASSES,
    MAX_IMAGE_NUMBERS,
    MAX_IMAGE_SIZE,
    MAX_LATENT_DIM,
    DataSpec,
    ImageSpec,
    LatentSpec,
)
from ganzoo.spec.metric import Direction, Metric
from ganzoo.spec.model import (
    FORMAT,
    MAX_CONFIG,
    MAX_VALUES,
    METRICS,
    ROUNDING,
    SEEDS,
    STORED_AS,
    ModelSpec,
)
from ganzoo.spec.parsing import is_toml
from ganzoo.spec.recipe import Component, Optimizer, Recipe

__all__ = [
    "FORMAT",
    "MAX_CHANNELS",
    "MAX_CLASSES",
    "MAX_CONFIG",
    "MAX_IMAGE_NUMBERS",
    "MAX_IMAGE_SIZE",
    "MAX_LATENT_DIM",
    "MAX_VALUES",
    "METRICS",
    "ROUNDING",
    "SEEDS",
    "STORED_AS",
    "Component",
    "DataSpec",
    "Direction",
    "ImageSpec",
    "LatentSpec",
    "Metric",
    "ModelSpec",
    "Optimizer",
    "Recipe",
    "is_toml",
]
