"""Model cards: generated blocks are updated and checked; handwritten text is kept."""

from ganzoo.cards.blocks import BLOCKS
from ganzoo.cards.checking import check, find_wrong_values
from ganzoo.cards.context import CardContext, Location
from ganzoo.cards.header import read_header, split_header
from ganzoo.cards.sections import find_unfinished
from ganzoo.cards.writing import compose, has_blocks, read, write

__all__ = [
    "BLOCKS",
    "CardContext",
    "Location",
    "check",
    "compose",
    "find_unfinished",
    "find_wrong_values",
    "has_blocks",
    "read",
    "read_header",
    "split_header",
    "write",
]
