"""Datasets by name, and their images: all at once, in batches from memory, or streamed."""

from ganzoo.data.datasets import DATA_VARIABLE, find_dataset, find_root, show_file_counts
from ganzoo.data.decoding import decode
from ganzoo.data.opening import open_batches
from ganzoo.data.reading import Items

__all__ = [
    "DATA_VARIABLE",
    "Items",
    "decode",
    "find_dataset",
    "find_root",
    "open_batches",
    "show_file_counts",
]
