"""Checkpoints of other projects: read without executing anything of them, and converted."""

from ganzoo.importers.checkpoint import Checkpoint
from ganzoo.importers.containers import open_checkpoint
from ganzoo.importers.conversion import convert, describe
from ganzoo.importers.importer import Computed, Conversion, Importer, License, Weights
from ganzoo.importers.layers import (
    IGNORED_COUNTS,
    Layer,
    check_shapes,
    convert_batch_norm,
    layers_of,
    select,
)
from ganzoo.importers.location import locate
from ganzoo.importers.recognition import Match, recognise
from ganzoo.importers.shapes import count_parts, shape_of
from ganzoo.importers.values import Name, StoredTensor

__all__ = [
    "IGNORED_COUNTS",
    "Checkpoint",
    "Computed",
    "Conversion",
    "Importer",
    "Layer",
    "License",
    "Match",
    "Name",
    "StoredTensor",
    "Weights",
    "check_shapes",
    "convert",
    "convert_batch_norm",
    "count_parts",
    "describe",
    "layers_of",
    "locate",
    "open_checkpoint",
    "recognise",
    "select",
    "shape_of",
]
