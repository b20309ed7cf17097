"""Datasets by name, and their images: all at once, in batches from memory, or streamed."""

from ganzoo.data.datasets import DATA_VARIABLE, find_dataset, find_root, show_file_counts
from ganzoo.data.decoding import decode
from ganzoo.data.opening import open_batches
from ganzoo.data.reading import Items
from ganzoo.data.survey.describing import describe
from ganzoo.data.survey.summary import DataSummary

__all__ = [
    "DATA_VARIABLE",
    "DataSummary",
    "Items",
    "decode",
    "describe",
    "find_dataset",
    "find_root",
    "open_batches",
    "show_file_counts",
]
