"""Translate large images tile by tile: the network's memory depends on the tile alone.

Tiles overlap, and each starts at a multiple of the network's, so that a convolution with a stride
computes the same as in the whole image. Near its edge, a tile depends on pixels that it lacks.

If the reach of the network is known, two tiles share twice as many pixels, and each drops its outer
half of them: the result is that of the whole image. Otherwise, both tiles drop the outer quarter of
an overlap at their edge, and the half in the middle is blended linearly from one to the other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling.images import to_pixels
from ganzoo.sampling.sizes import MAX_SHOWN_MEMORY, OVERLAP, SHOWN_TILE, TILE
from ganzoo.spec import SizesSpec

Progress = Callable[[float], object]  # gets the share of the work that is done


@dataclass(frozen=True)
class Tiles:
    """The size of tiles, in pixels of the input.

    Attributes:
        side: height and width of a tile, a multiple of the network's.
        overlap: pixels that two tiles share at least.
        step: the distance of two tiles.
        blend: pixels in the middle of the overlap that are blended.
    """

    side: int
    overlap: int = 0
    step: int = 1
    blend: float = 0

    @classmethod
    def of(cls, side: int, overlap: int | None, sizes: SizesSpec) -> Tiles:
        """Return tiles of at least a side, which a network reads.

        Args:
            side: the side.
            overlap: pixels that two tiles share at least, half of them blended; None for the
                default, of which nothing is blended if the reach of the network is known.
            sizes: the sizes of the network.

        Raises:
            SampleError: a number is negative, or the tile is too small for the overlap.
        """
        exact = overlap is None and sizes.reach is not None
        if overlap is None:
            overlap = default_overlap(sizes)
        if overlap < 0 or side < 1:
            raise SampleError(
                f"tiles of {side} pixels cannot overlap by {overlap}. Pass a side of 1 or more, "
                "and an overlap of 0 or more."
            )
        tile = sizes.padded(side)
        step = (tile - overlap) // sizes.multiple * sizes.multiple
        # At most two tiles of a row have a weight above 0 at a pixel.
        least = 1 if exact else max(overlap, 1)
        if step < least:
            smallest = sizes.padded(overlap + sizes.padded(least))
            raise SampleError(
                f"tiles of {tile} pixels are too small for an overlap of {overlap}. Pass a tile of "
                f"{smallest} or more, or a smaller overlap."
            )
        return cls(tile, overlap, step, 0 if exact else overlap / 2)


def default_overlap(sizes: SizesSpec) -> int:
    """Return how many pixels two tiles share: twice the reach of the network, or 32."""
    return OVERLAP if sizes.reach is None else 2 * sizes.reach


def choose_side(memory: int, sizes: SizesSpec) -> int:
    """Return the side of tiles for a network.

    Args:
        memory: bytes that the results of a tile may take, if the overlap allows it.
        sizes: the sizes of the network. If its memory is not measured, the side is 512 at least.
    """
    overlap = default_overlap(sizes)
    side = TILE if sizes.memory is None else math.isqrt(memory // sizes.memory)
    smallest = sizes.padded(overlap + sizes.padded(max(overlap, 1)))
    return max(side // sizes.multiple * sizes.multiple, smallest)


def choose_shown_side(sizes: SizesSpec) -> int:
    """Return the side of tiles on a page, which shows the progress of one image.

    Their results take 512 MiB at most, if the overlap allows it: a browser has 4 GiB. If tiles of
    any side give the same image, the side is 256, or more for a large overlap.
    """
    side = choose_side(MAX_SHOWN_MEMORY, sizes)
    if sizes.reach is None:
        return side
    return min(side, max(SHOWN_TILE, 2 * default_overlap(sizes) + sizes.multiple))


def translate_in_tiles(
    run: Callable[[NDArray[Any]], NDArray[np.float32]],
    image: NDArray[Any],
    tiles: Tiles,
    scale: int = 1,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """Translate one image tile by tile.

    Args:
        run: translates an image (height, width, channels) to (channels, scale * height, scale *
            width) in [-1, 1].
        image: uint8 or uint16 (height, width, channels), with sides that the network reads.
        tiles: the size of the tiles.
        scale: by how much the sides of the output are larger.
        progress: called after each tile with the share of the tiles that are translated.

    Returns:
        Pixels of the same type, (scale * height, scale * width, channels).
    """
    height, width = image.shape[:2]
    rows, columns = _spans(height, tiles, scale), _spans(width, tiles, scale)
    result: NDArray[Any] | None = None
    done, count = 0, len(rows) * len(columns)
    above: NDArray[np.float32] | None = None  # the end of the last row of tiles
    for row, next_row in itertools.zip_longest(rows, rows[1:]):
        strip = None
        for column in columns:
            tile = image[row.start : row.stop, column.start : column.stop]
            output = run(tile) * column.weights * row.weights[:, None]
            if strip is None:
                strip = np.zeros((len(output), output.shape[1], scale * width), np.float32)
            strip[..., scale * column.start : scale * column.stop] += output
            done += 1
            if progress is not None:
                progress(done / count)
        assert strip is not None
        if above is not None:
            strip[:, : above.shape[1]] += above
        if result is None:
            result = np.empty((scale * height, scale * width, len(strip)), image.dtype)
        end = next_row.start if next_row else height
        complete = strip[None, :, : scale * (end - row.start)]
        result[scale * row.start : scale * end] = to_pixels(complete, image.dtype)[0]
        above = strip[:, scale * (end - row.start) :].copy()
    assert result is not None
    return result


@dataclass(frozen=True)
class _Span:
    """The part of one axis that a tile covers, and the weight of each pixel of its output."""

    start: int
    stop: int
    weights: NDArray[np.float32]


def _spans(length: int, tiles: Tiles, scale: int) -> list[_Span]:
    """Return the tiles along one axis; the weights of each pixel have the sum 1."""
    if length <= tiles.side:
        return [_Span(0, length, np.ones(scale * length, np.float32))]
    starts = [*range(0, length - tiles.side, tiles.step), length - tiles.side]
    pixels = (np.arange(scale * length) + 0.5) / scale
    ramps = [
        _ramp(pixels, (before + tiles.side + start) / 2, tiles.blend)
        for before, start in itertools.pairwise(starts)
    ]
    ramps = [np.ones(len(pixels)), *ramps, np.zeros(len(pixels))]
    spans = []
    for start, (rising, falling) in zip(starts, itertools.pairwise(ramps), strict=True):
        stop = start + tiles.side
        weights = (rising - falling)[scale * start : scale * stop].astype(np.float32)
        spans.append(_Span(start, stop, weights))
    return spans


def _ramp(pixels: NDArray[Any], centre: float, width: float) -> NDArray[Any]:
    """Return weights that rise from 0 to 1 around the centre of an overlap."""
    if not width:
        return (pixels > centre).astype(np.float64)
    return np.clip((pixels - centre) / width + 0.5, 0, 1)
