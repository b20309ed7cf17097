"""Translate large images tile by tile: the network's memory depends on the tile alone.

Tiles overlap, and each starts at a multiple of the network's, so that a convolution with a stride
computes the same as in the whole image. Near its edge, a tile depends on pixels that it lacks. So
of an overlap, both tiles drop the outer quarter at their edge, and the half in the middle is
blended linearly from one tile to the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling.images import to_pixels
from ganzoo.spec import SizesSpec


@dataclass(frozen=True)
class Tiles:
    """The size of tiles.

    Attributes:
        side: height and width of a tile in pixels, a multiple of the network's.
        overlap: pixels that two tiles share at least.
        step: the distance of two tiles.
    """

    side: int
    overlap: int
    step: int

    @classmethod
    def of(cls, side: int, overlap: int, sizes: SizesSpec) -> Tiles:
        """Return tiles of at least a side, which a network reads.

        Raises:
            SampleError: a number is negative, or the tile is too small for the overlap.
        """
        if overlap < 0 or side < 1:
            raise SampleError(
                f"tiles of {side} pixels cannot overlap by {overlap}. Pass a side of 1 or more, "
                "and an overlap of 0 or more."
            )
        tile = sizes.padded(side)
        step = (tile - overlap) // sizes.multiple * sizes.multiple
        # At most two tiles of a row have a weight above 0 at a pixel.
        if step < max(overlap, 1):
            smallest = sizes.padded(overlap + sizes.padded(max(overlap, 1)))
            raise SampleError(
                f"tiles of {tile} pixels are too small for an overlap of {overlap}. Pass a tile of "
                f"{smallest} or more, or a smaller overlap."
            )
        return cls(tile, overlap, step)


def translate_in_tiles(
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    image: NDArray[np.uint8],
    tiles: Tiles,
) -> NDArray[np.uint8]:
    """Translate one image tile by tile.

    Args:
        run: translates an image (height, width, channels) to (channels, height, width) in [-1, 1].
        image: uint8 (height, width, channels), with sides that the network reads.
        tiles: the size of the tiles.

    Returns:
        uint8 (height, width, channels).
    """
    height, width = image.shape[:2]
    rows, columns = _spans(height, tiles), _spans(width, tiles)
    parts: list[NDArray[np.uint8]] = []
    above: NDArray[np.float32] | None = None  # the last row of tiles, and where it starts
    start = 0
    for row, next_row in itertools.zip_longest(rows, rows[1:]):
        strip = None
        for column in columns:
            tile = image[row.start : row.stop, column.start : column.stop]
            output = run(tile) * column.weights * row.weights[:, None]
            if strip is None:
                strip = np.zeros((len(output), output.shape[1], width), np.float32)
            strip[..., column.start : column.stop] += output
        assert strip is not None
        if above is not None:
            shared = above[:, row.start - start :]
            strip[:, : shared.shape[1]] += shared
        complete = (next_row.start if next_row else height) - row.start
        parts.append(to_pixels(strip[None, :, :complete])[0])
        above, start = strip, row.start
    return np.concatenate(parts)


@dataclass(frozen=True)
class _Span:
    """The part of one axis that a tile covers, and the weight of each of its pixels."""

    start: int
    stop: int
    weights: NDArray[np.float32]


def _spans(length: int, tiles: Tiles) -> list[_Span]:
    """Return the tiles along one axis; the weights of each pixel have the sum 1."""
    if length <= tiles.side:
        return [_Span(0, length, np.ones(length, np.float32))]
    starts = [*range(0, length - tiles.side, tiles.step), length - tiles.side]
    pixels = np.arange(length) + 0.5
    ramps = [
        _ramp(pixels, (before + tiles.side + start) / 2, tiles.overlap / 2)
        for before, start in itertools.pairwise(starts)
    ]
    ramps = [np.ones(length), *ramps, np.zeros(length)]
    spans = []
    for start, (rising, falling) in zip(starts, itertools.pairwise(ramps), strict=True):
        stop = start + tiles.side
        weights = (rising - falling)[start:stop].astype(np.float32)
        spans.append(_Span(start, stop, weights))
    return spans


def _ramp(pixels: NDArray[Any], centre: float, width: float) -> NDArray[Any]:
    """Return weights that rise from 0 to 1 around the centre of an overlap."""
    if not width:
        return (pixels > centre).astype(np.float64)
    return np.clip((pixels - centre) / width + 0.5, 0, 1)
