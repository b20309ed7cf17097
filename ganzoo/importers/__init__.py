"""Checkpoints of other projects: read without executing anything of them, and converted."""

from ganzoo.importers.checkpoint import Checkpoint
from ganzoo.importers.containers import open_checkpoint
from ganzoo.importers.conversion import convert, describe
from ganzoo.importers.importer import Computed, Conversion, Importer, License
from ganzoo.importers.location import locate
from ganzoo.importers.recognition import Match, recognise
from ganzoo.importers.shapes import count_parts, shape_of
from ganzoo.importers.values import Name, StoredTensor

__all__ = [
    "Checkpoint",
    "Computed",
    "Conversion",
    "Importer",
    "License",
    "Match",
    "Name",
    "StoredTensor",
    "convert",
    "count_parts",
    "describe",
    "locate",
    "open_checkpoint",
    "recognise",
    "shape_of",
]
