"""Options that several plots share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

FigureFile = Annotated[
    Path | None,
    tyro.conf.arg(
        aliases=["-o"],
        help="image file to write or replace, .png or .svg; by default the name of the plot with "
        ".png, which replaces no file.",
    ),
]
RealDataset = Annotated[
    str | None,
    tyro.conf.arg(
        help="dataset of the real images; by default the training dataset of the (first) model."
    ),
]
Split = Annotated[
    str | None, tyro.conf.arg(help="part of the dataset, such as test, if it has parts.")
]
DataFolder = Annotated[
    Path | None,
    tyro.conf.arg(
        help="folder of the dataset; by default that of the model's run, or without a run the "
        "environment variable GANZOO_DATA."
    ),
]
