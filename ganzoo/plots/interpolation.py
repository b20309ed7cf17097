"""Interpolations between two images in latent space, as rows or as an animation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ganzoo.plots.rows import draw_rows
from ganzoo.plots.saving import to_pil
from ganzoo.sampling.images import ImageBatch

WALK_MS = 80  # duration of a frame, in milliseconds
FRAME_SIDE = 224  # side of an enlarged image in an animation, in pixels


def draw_interpolation(
    walks: Mapping[str, ImageBatch],
    ends: tuple[str, str],
    real: ImageBatch | None = None,
) -> Figure:
    """Draw interpolations between two images, one row for each.

    Args:
        walks: the images of each interpolation, as `Generator.interpolate` returns them, by the
            name of its row.
        ends: captions of the two ends.
        real: the two real images that were encoded to the ends. They are drawn at both ends of
            each row, under the captions in `ends`.

    Raises:
        PlotError: there are no interpolations, or they have different lengths.
    """
    steps = max(map(len, walks.values()), default=0)
    captions = [ends[0], *[""] * (steps - 2), ends[1]]
    rows = dict(walks)
    if real is not None:
        first, last = real.numpy()[:1], real.numpy()[1:2]
        captions = [ends[0], "decoded", *captions[1:-1], "decoded", ends[1]]
        rows = {
            name: ImageBatch(np.concatenate([first, walk.numpy(), last]))
            for name, walk in walks.items()
        }
    return draw_rows(rows, columns=len(captions), captions=captions)


def animate_interpolation(walks: Mapping[str, ImageBatch]) -> list[Image.Image]:
    """Draw interpolations between two images as the frames of an animation, forward and back.

    Args:
        walks: the images of each interpolation by its name. They are drawn below each other.

    Raises:
        PlotError: there are no interpolations, or they have different lengths.
    """
    forward = range(max(map(len, walks.values()), default=0))
    return [
        to_pil(
            draw_rows(
                {name: walk[k : k + 1] for name, walk in walks.items()}, image_side=FRAME_SIDE
            )
        )
        for k in (*forward, *forward[-2:0:-1])
    ]
