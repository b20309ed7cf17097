"""Latents from seeds, computed in NumPy: identical for torch and onnxruntime."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganzoo.spec import as_integer

_WORDS = 4  # 64-bit words per step of the Philox counter


def normal(seed: int, n: int, dim: int, *, start: int = 0) -> NDArray[np.float32]:
    """Return standard normal latents of images `start` to `start + n - 1` of a seed.

    Row k depends only on the seed and the number of its image, so a batch can be split anywhere.
    The uniform stream is identical on all machines; the normals may differ in the last bit of log
    and cos. Philox is a counter-based generator (Salmon et al., 2011) whose raw stream is stable
    across NumPy versions. The Box-Muller transform (1958) maps two uniforms to one normal.

    Args:
        seed: any integer from 0 to 2**64 - 1.
        n: number of images.
        dim: length of one latent vector.
        start: number of the first image.

    Returns:
        float32 array of shape (n, dim).

    Raises:
        ValueError: an argument is no integer.
    """
    dim = as_integer("dim", dim)
    u = uniform(seed, n, 2 * dim, start=start, stream=0)
    radius = np.sqrt(-2.0 * np.log(u[:, :dim]))
    return (radius * np.cos(2.0 * np.pi * u[:, dim:])).astype(np.float32)


def uniform(seed: int, n: int, dim: int, *, start: int = 0, stream: int = 1) -> NDArray[np.float64]:
    """Return uniform numbers in (0, 1) for the images of a seed, (n, dim); arguments as `normal`.

    Args:
        seed: any integer from 0 to 2**64 - 1.
        n: number of images.
        dim: numbers of one image.
        start: number of the first image.
        stream: numbers of another stream are independent. `normal` uses stream 0.
    """
    seed, n, dim, start = map(as_integer, ("seed", "n", "dim", "start"), (seed, n, dim, start))
    blocks = -(-dim // _WORDS)
    counter = np.random.Philox(key=seed + (stream << 64), counter=start * blocks)
    words = counter.random_raw(n * blocks * _WORDS).reshape(n, blocks * _WORDS)[:, :dim]
    return ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def slerp(
    a: NDArray[np.float32], b: NDArray[np.float32], t: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Interpolate on the arc between two latents (Shoemake, 1985, "Animating Rotation with
    Quaternion Curves", https://doi.org/10.1145/325165.325242).

    Args:
        a, b: float32 vectors of shape (dim,).
        t: positions of shape (n,), 0 at `a` and 1 at `b`.

    Returns:
        float32 array of shape (n, dim).
    """
    # In float32, the angle between nearly opposite latents would be wrong.
    first, second, share = (values.astype(np.float64) for values in (a, b, t))
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    if not 0 < lengths <= np.finfo(np.float32).max:  # 0 has no direction, and float32 an end
        return lerp(a, b, t)
    omega = np.arccos(np.clip(np.dot(first, second) / lengths, -1.0, 1.0))
    if np.sin(omega) < 1e-6:  # the same or opposite directions: the arc is not unique
        return lerp(a, b, t)
    left, right = np.sin((1 - share) * omega), np.sin(share * omega)
    arc: NDArray[np.float64] = (left[:, None] * first + right[:, None] * second) / np.sin(omega)
    return arc.astype(np.float32)


def lerp(
    a: NDArray[np.float32], b: NDArray[np.float32], t: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Interpolate on the straight line between two latents; arguments as for `slerp`."""
    return ((1 - t)[:, None] * a + t[:, None] * b).astype(np.float32)


PATHS = {"spherical": slerp, "linear": lerp}
