"""One w per layer of a generator with a mapping network: truncation, layers by name, mixing.

"A Style-Based Generator Architecture for Generative Adversarial Networks" (Karras et al., 2019),
https://arxiv.org/abs/1812.04948.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling.model import to_integer, to_number
from ganzoo.spec import MAX_TRUNCATION, StyleSpec

# Of the 18 layers of the paper, 4 are coarse (4 and 8 pixels), 4 middle (16 and 32), the rest fine.
_LAYERS, _COARSE, _MIDDLE = 18, 4, 4
_RANGE = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))?")


def truncate(
    spec: StyleSpec,
    average: NDArray[np.float32],
    w: NDArray[np.float32],
    psi: float | None = None,
    cutoff: int | None = None,
) -> NDArray[np.float32]:
    """Return one w per layer, (n, layers, dim), for w (n, dim).

    Args:
        spec: the numbers of the generator.
        average: the average of w, (dim,).
        w: one w for each image.
        psi: factor of the distance from the average, -2 to 2; by default the generator's own.
        cutoff: number of layers that read the moved w; by default all.

    Raises:
        SampleError: psi or cutoff is out of range.
    """
    psi = spec.truncation if psi is None else to_number("psi", psi)
    cutoff = None if cutoff is None else to_integer("cutoff", cutoff)
    if not -MAX_TRUNCATION <= psi <= MAX_TRUNCATION:
        raise SampleError(
            f"the truncation is {psi}; it must be -{MAX_TRUNCATION} to {MAX_TRUNCATION}. 1 changes "
            "nothing, and 0.7 is usual."
        )
    if cutoff is not None and not 0 <= cutoff <= spec.layers:
        raise SampleError(
            f"the cutoff is {cutoff}; it must be 0 to {spec.layers}, the number of layers."
        )
    styles = np.repeat(w[:, None], spec.layers, axis=1)
    if psi != 1:
        moved = average + np.float32(psi) * (w - average)
        styles[:, :cutoff] = moved[:, None]
    return styles


def mix(a: NDArray[np.float32], b: NDArray[np.float32], layers: str) -> NDArray[np.float32]:
    """Return one w per layer: those of `b` in some layers, else those of `a`.

    Args:
        a, b: one w per layer, (n, layers, dim).
        layers: see `parse_layers`.

    Raises:
        SampleError: a layer does not exist.
    """
    mixed = a.copy()
    chosen = parse_layers(layers, a.shape[1])
    mixed[:, chosen] = b[:, chosen]
    return mixed


def parse_layers(text: str, count: int) -> list[int]:
    """Return numbers of layers.

    Args:
        text: ``coarse``, ``middle``, ``fine``, or numbers from 0 and ranges, such as ``0-3,6``. The
            names divide the layers as in the paper, where they are the layers 0-3, 4-7 and 8-17
            of 18; with another count in proportion.
        count: number of layers.

    Raises:
        SampleError: the text has another form, or a layer does not exist.
    """
    groups = layer_groups(count)
    if text in groups:
        return groups[text]
    layers: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        first = int(match[1]) if match else -1
        last = int(match[2] or first) if match else -1
        if not 0 <= first <= last < count:
            raise SampleError(
                f"layers {text[:80]!r}: {part.strip()[:80]!r} is no layer or range of layers. Use "
                f"{', '.join(groups)}, or numbers of 0 to {count - 1}, such as 0-{count // 2},"
                f"{count - 1}."
            )
        layers.update(range(first, last + 1))
    return sorted(layers)


def layer_groups(count: int) -> dict[str, list[int]]:
    """Return the numbers of the coarse, middle and fine layers by name, without empty groups.

    Args:
        count: number of layers.
    """
    middle = max(1, round(count * _COARSE / _LAYERS))
    fine = max(middle + 1, round(count * (_COARSE + _MIDDLE) / _LAYERS))
    groups = {"coarse": (0, middle), "middle": (middle, fine), "fine": (fine, count)}
    return {
        name: list(range(start, min(end, count)))
        for name, (start, end) in groups.items()
        if start < count
    }
