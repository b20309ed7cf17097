"""Difference hashes of images, and groups of images whose hashes are near."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo.errors import DataError

DISTANCE = 4  # default limit, bits
LEVELS = 3  # limit of the average difference of grey levels, of 255
SIDE = 9  # levels in a row
FARTHEST = 8  # largest limit: with more bands, most images would share one

Hashes = NDArray[np.uint64]


class ImageHash(NamedTuple):
    """Two difference hashes of an image, and the grey levels that they compare.

    The whole image is reduced to 9x9 grey levels, bilinear with antialiasing. A bit of `across`
    says whether a level of the upper eight rows is below its right neighbour; a bit of `down`,
    whether a level of the left eight columns is below the one under it.

    Attributes:
        across, down: the hashes, 64 bits each.
        levels: 81 bytes.
    """

    across: int
    down: int
    levels: bytes


def hash_image(image: Image.Image, extent: tuple[float, float] | None = None) -> ImageHash:
    """Return the hashes of an image of the mode RGB.

    Args:
        image: the image, or the result of its method `reduce`, which saves time.
        extent: width and height of the image, divided by the factor of the reduction.
    """
    width, height = extent or image.size
    box = (0.0, 0.0, width, height)
    grey = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box).convert("L")
    levels = np.asarray(grey)
    across = levels[:8, :-1] < levels[:8, 1:]
    down = levels[:-1, :8] < levels[1:, :8]
    return ImageHash(_pack(across), _pack(down), levels.tobytes())


def group_near(hashes: Hashes, levels: NDArray[np.uint8], distance: int) -> list[NDArray[np.int64]]:
    """Return groups of near images: their indices, in the order of the first ones.

    Two images are near if each hash differs in at most `distance` bits, and their levels, minus
    their means, by at most 3 of 255 on average. A group also holds images that are near to
    another one of the group only.

    The bits of the first hash are dealt to ``distance + 1`` bands. Near hashes agree in one band at
    least, so only images that share a band are compared.

    Args:
        hashes: uint64 (n, 2).
        levels: uint8 (n, 81).
        distance: bits, 0 to 8.

    Raises:
        DataError: the distance is out of range.
    """
    check_distance(distance)
    roots = np.arange(len(hashes))
    for band in range(distance + 1):
        mask = np.uint64(sum(1 << bit for bit in range(band, 64, distance + 1)))
        _join_band(hashes, levels, hashes[:, 0] & mask, distance, roots)
    return _groups(roots)


def check_distance(distance: int) -> None:
    """Check the limit of near duplicates.

    Raises:
        DataError: it is out of range.
    """
    if type(distance) is not int or not 0 <= distance <= FARTHEST:
        raise DataError(
            f"near duplicates cannot differ in {distance} bits of a hash. Use --distance 0 to "
            f"{FARTHEST}."
        )


def group_equal(digests: NDArray[np.void]) -> list[NDArray[np.int64]]:
    """Return groups of equal values: their indices, in the order of the first ones."""
    _, inverse = np.unique(digests, return_inverse=True)
    return _groups(inverse.reshape(-1))


def _join_band(
    hashes: Hashes,
    levels: NDArray[np.uint8],
    keys: Hashes,
    distance: int,
    roots: NDArray[np.int64],
) -> None:
    """Give near images with equal keys the same root."""
    order = np.argsort(keys, kind="stable")
    starts, runs = np.unique(keys[order], return_index=True, return_inverse=True)[1:]
    ends = np.append(starts[1:], len(order))[runs]
    left = np.arange(len(order))
    for step in itertools.count(1):  # compares each image with the next, the next but one, ...
        left = left[left + step < ends[left]]
        if step & (step - 1) == 0:  # leave out images that are in one group already
            now = roots[order]
            apart = np.minimum.reduceat(now, starts) < np.maximum.reduceat(now, starts)
            left = left[apart[runs[left]]]
        if not len(left):
            return
        pairs = np.stack([order[left], order[left + step]])
        pairs = pairs[:, roots[pairs[0]] != roots[pairs[1]]]
        for column in (0, 1):
            bits = _count_bits(hashes[pairs[0], column] ^ hashes[pairs[1], column])
            pairs = pairs[:, bits <= distance]
        first, second = (_centred(levels[each]) for each in pairs)
        pairs = pairs[:, np.abs(first - second).mean(axis=1) <= LEVELS]
        for a, b in pairs.T.tolist():
            low, high = sorted((int(roots[a]), int(roots[b])))
            if low != high:
                roots[roots == high] = low


def _centred(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = levels.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    return values


def _groups(roots: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the indices that share a root, for each root of several."""
    order = np.argsort(roots, kind="stable")
    starts = np.flatnonzero(np.diff(roots[order], prepend=-1))
    groups = [group for group in np.split(order, starts[1:]) if len(group) > 1]
    return sorted(groups, key=lambda group: int(group[0]))


def _pack(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _count_bits(x: Hashes) -> NDArray[np.uint64]:
    """Return the numbers of bits that are 1 (Warren, "Hacker's Delight", 5-1)."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = np.uint64(0x3333333333333333)
    x = (x & fours) + ((x >> np.uint64(2)) & fours)
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)
