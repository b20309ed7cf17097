"""Animate a walk through the images of seeds."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from ganzoo.demo.sampling import as_number, check_psi, classes
from ganzoo.errors import SampleError
from ganzoo.sampling.animated_images import WebP, enlarge
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.sizes import animation_scale
from ganzoo.sampling.walks import Easing, walk
from ganzoo.spec.seeds import parse_seeds

FPS = 12
SECONDS = 1.0, 8.0
MAX_SEEDS = 12
PIXELS = 2**23  # of all images of an animation, so that large images do not take long


def animate(
    model: Generator,
    seeds: str,
    seconds: Any,
    easing: Easing,
    psi: Any = None,
    label: str | None = None,
    progress: Callable[[float], Any] = lambda share: None,
) -> bytes:
    """Return a looped walk through the images of seeds, as WebP.

    Args:
        model: the generator.
        seeds: numbers and ranges, such as ``3,9,12``.
        seconds: the duration, 1 to 8; large images have fewer images per second.
        easing: ``smooth`` or ``linear``, see `walk`.
        psi: truncation of w, for a model with a mapping network.
        label: a class, by default the first; ignored for a model without classes.
        progress: is called with the share of the images that are done.

    Raises:
        SampleError: an argument is out of range, or the class does not exist.
    """
    numbers = parse_seeds(seeds, "seeds")
    if len(numbers) > MAX_SEEDS:
        raise SampleError(f"{len(numbers):,} seeds are too many. Use up to {MAX_SEEDS}.")
    duration = as_number(seconds, "duration", *SECONDS)
    size = model.spec.data.image
    frames = min(round(duration * FPS), PIXELS // (size.height * size.width))
    frames = max(frames, len(numbers), round(duration))
    images = walk(
        model,
        numbers,
        frames,
        labels=[label] if label is not None and classes(model.spec) else (),
        easing=easing,
        truncation=check_psi(psi) if model.spec.styles else None,
    )
    buffer, scale = io.BytesIO(), animation_scale(size.height, size.width)
    animation = WebP(buffer, frames / duration, exact=scale > 1)
    for batch in images:
        for image in batch.numpy():
            animation.add(enlarge(image, scale))
        progress(animation.frames / frames)
    animation.close()
    return buffer.getvalue()
