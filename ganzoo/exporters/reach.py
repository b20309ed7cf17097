"""Measure how far the pixels are that an output pixel of a translator depends on.

A network of many layers depends on pixels far beyond those that matter: the 23 blocks of ESRGAN see
350 pixels in each direction. So the reach is measured on the outputs. It is the smallest distance
at which a crop of the image gives the same centre as the whole image, and a centre that does not
change if all pixels farther away become white, to an eighth of a level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganzoo.exporters.parity import TOLERANCE
from ganzoo.sampling import latents
from ganzoo.sampling.model import Model

Array = NDArray[np.float32]

DISTANCES = (4, 8, 16, 32, 64)  # pixels
COARSE = 8  # pixels of a smooth image that have one value


def measure_reach(model: Model) -> int | None:
    """Return the reach of a translator of any size, see `ganzoo.SizesSpec`.

    Returns:
        A multiple of the network's; None if it is more than 64 pixels, as with operations that
        combine the whole image, or if the translator reads latents.
    """
    sizes = model.spec.sizes
    if sizes is None or model.spec.inputs != ("condition",):
        return None
    step, lower = sizes.multiple, -1  # distances are counted in steps
    for distance in DISTANCES:
        upper = max(-(-distance // step), lower + 1)
        if upper * step > DISTANCES[-1]:
            break
        whole = _images(model, (2 * (upper + upper // 2) + 3) * step)
        if _depends(model, whole, upper):
            lower = upper
            continue
        while upper - lower > 1:
            middle = (lower + upper) // 2
            if _depends(model, whole, middle):
                lower = middle
            else:
                upper = middle
        return upper * step
    return None


def _images(model: Model, side: int) -> Array:
    """Return an image of noise and a smooth one, in [-1, 1]."""
    assert model.spec.data.condition is not None
    channels = model.spec.data.condition.channels
    noise = latents.normal(0, 1, channels * side**2).reshape(1, channels, side, side)
    coarse = noise[..., : -(-side // COARSE), : -(-side // COARSE)]
    smooth = coarse.repeat(COARSE, 2).repeat(COARSE, 3)[..., :side, :side]
    images: Array = np.tanh(np.concatenate([noise, smooth]))
    return images


def _depends(model: Model, images: Array, distance: int) -> bool:
    """Return whether the centre of images, one step, depends on pixels beyond a distance.

    So it does for a distance at which the network reads no image.
    """
    assert model.spec.sizes is not None
    side = (2 * distance + 1) * model.spec.sizes.multiple
    if side < model.spec.sizes.padded(1):
        return True
    edge = (images.shape[-1] - side) // 2
    middle = (..., slice(edge, -edge), slice(edge, -edge))
    white = np.ones_like(images)
    white[middle] = images[middle]
    outputs = [_centres(model, x) for x in (images, white, np.ascontiguousarray(images[middle]))]
    return any(bool(np.abs(outputs[0] - output).max() > TOLERANCE) for output in outputs[1:])


def _centres(model: Model, images: Array) -> Array:
    """Return the outputs of the central step of images, one by one."""
    assert model.spec.sizes is not None
    side = images.shape[-1] * model.spec.sizes.scale
    step = model.spec.sizes.multiple * model.spec.sizes.scale
    edge = (side - step) // 2
    rows = slice(edge, edge + step)
    outputs = [model.run({"condition": images[k : k + 1]}) for k in range(len(images))]
    return np.concatenate(outputs)[..., rows, rows]
