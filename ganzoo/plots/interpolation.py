"""The way between two images through a generator's latents: as rows, as an animation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ganzoo.plots.rows import draw_rows
from ganzoo.plots.saving import to_pil
from ganzoo.sampling.images import ImageBatch

WALK_MS = 80  # how long a frame of an animation is seen
FRAME_TILE = 224  # pixels that an image of an animation is enlarged to


def draw_interpolation(
    walks: Mapping[str, ImageBatch],
    ends: tuple[str, str],
    real: ImageBatch | None = None,
) -> Figure:
    """Draw ways between two images, a row each.

    Args:
        walks: images from end to end, by the name of the way, as `Generator.interpolate` makes
            them.
        ends: what stands at the two ends, in a word or two.
        real: the two real images whose latents the ends are: they, which `ends` then names, stand
            at both ends of each row.

    Raises:
        PlotError: no ways, or ways of different lengths.
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
    """Draw ways between two images as the frames of an animation, there and back again.

    Args:
        walks: images from end to end, by the name of the way; they are shown below each other.

    Raises:
        PlotError: no ways, or ways of different lengths.
    """
    there = range(max(map(len, walks.values()), default=0))
    return [
        to_pil(draw_rows({name: walk[k : k + 1] for name, walk in walks.items()}, tile=FRAME_TILE))
        for k in (*there, *there[-2:0:-1])
    ]
