"""Images of a folder as a training reads them, for a contact sheet and for a report."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganzoo.data.batches import draw_indices
from ganzoo.data.survey.image_records import read_tile
from ganzoo.data.survey.pool import map_parallel
from ganzoo.data.survey.summary import DataSummary
from ganzoo.sampling.image_depth import check_value_range
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.images import ImageBatch

SIDE = 128  # pixels of a tile
SHEET = 48  # images of a contact sheet
COLUMNS = 8


def draw_names(summary: DataSummary, n: int = SHEET) -> list[str]:
    """Return the names of `n` random readable images, or of all if there are fewer.

    They are the same at every call, and sorted.
    """
    bad = {each.name for each in summary.unreadable}
    good = [name for name in summary.names if name not in bad]
    return [good[k] for k in draw_indices(len(good), n)]


def read_tiles(summary: DataSummary, names: Sequence[str]) -> dict[str, NDArray[np.uint8]]:
    """Return images by name, uint8 (height, width, 3), fitted as by a training.

    The longer side has 128 pixels. Images are square if no size is stated. Files that cannot be
    read any more are left out.
    """
    ends = check_value_range("folder", summary.value_range)
    height, width = summary.size if summary.fixed_size else (SIDE, SIDE)
    scale = SIDE / max(height, width)
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    fitting = Fitting(*shape, summary.fit or "crop")
    read = functools.partial(read_tile, value_range=ends, fitting=fitting)
    paths = (os.path.join(summary.folder, name) for name in names)
    tiles = map_parallel(read, paths, min(summary.processes, max(1, len(names))))
    return {name: tile for name, tile in zip(names, tiles, strict=True) if tile is not None}


def contact_sheet(summary: DataSummary) -> ImageBatch:
    """Return 48 random images of a folder in rows of 8."""
    tiles = read_tiles(summary, draw_names(summary))
    return ImageBatch(np.stack(list(tiles.values())), columns=COLUMNS)
