"""Walks: images along a closed path through key points: the latents of seeds, or codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError, enumerate_names, quantity
from ganzoo.sampling.animated_images import check_frame
from ganzoo.sampling.animations import check_animation, write_animation
from ganzoo.sampling.classes import Label
from ganzoo.sampling.code_files import check_codes, count_codes, join, read_codes, select
from ganzoo.sampling.generator import MAX_SAMPLES, Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.latents import slerp
from ganzoo.sampling.model import check_latents, to_integer, to_number
from ganzoo.sampling.samplers import Codes, Draw
from ganzoo.sampling.sizes import animation_scale, compute_batch

Space = Literal["w", "z"]
Easing = Literal["smooth", "linear"]
Shares = NDArray[np.float64]  # of the way between two key points

MAX_KEY_POINTS = 1_000
MAX_WALKS = 64  # side by side

EASINGS: dict[str, Callable[[Shares], Shares]] = {
    "smooth": lambda t: (1 - np.cos(np.pi * t)) / 2,
    "linear": lambda t: t,
}


def walk(
    model: Generator,
    key_points: Sequence[int] | Codes,
    frames: int,
    *,
    labels: Sequence[Label] = (),
    space: Space | None = None,
    easing: Easing = "smooth",
    truncation: float | None = None,
    columns: int = 1,
    rows: int = 1,
) -> Iterator[ImageBatch]:
    """Generate images along a closed path through key points, in parts.

    The path starts at the first key point, and its last image is one step before the first one, so
    that an animation repeats without a jump.

    Args:
        model: the generator.
        key_points: seeds, for image 0 of each; or codes, such as those of `codes_of_files`. Up to
            1,000.
        frames: number of images, at least one for each key point of a path.
        labels: the class at each seed, or one class for all; by default the first class. Codes have
            classes of their own.
        space: ``w`` for straight lines between the w of the key points, and between those of their
            classes; ``z`` for arcs between their latents, where the class changes in the middle
            between two key points. By default ``w`` if the model has a mapping network.
        easing: ``smooth`` slows down at each key point (half a cosine); ``linear`` has one speed
            between two key points.
        truncation: for a model with w the factor psi of the sampler ``truncated``, by default the
            generator's own; for others the threshold of ``truncated-normal`` at the key points.
            Only for seeds.
        columns: walks side by side, each with its part of the key points, in their order.
        rows: rows of walks.

    Returns:
        The images in parts. With several walks, an image is a grid without padding.

    Raises:
        SampleError: an argument is out of range, a label does not exist, all key points are the
            same, or the model has no w.
    """
    walks = _check_walks(columns, rows)
    if space not in (None, "w", "z"):
        raise SampleError(f"unknown space {space!r}. Use 'w' or 'z'.")
    if isinstance(key_points, Codes):
        keys = _of_codes(model, key_points, walks, labels, space, truncation)
    else:
        keys = _of_seeds(model, _draw(model, key_points, labels, walks), space, truncation)
    total, frames = count_codes(keys), to_integer("frames", frames)
    count = total // walks
    if not count <= frames <= MAX_SAMPLES:
        raise SampleError(
            f"cannot walk in {quantity(frames, 'image')}: a walk through {count} key points has "
            f"{count} to {MAX_SAMPLES:,}. Change the seconds or the images per second."
        )
    if easing not in EASINGS:
        raise SampleError(f"unknown easing {easing!r}. Use one of {enumerate_names(EASINGS)}.")
    psi = truncation if model.spec.styles else None
    size = compute_batch(model.spec)

    def images() -> Iterator[ImageBatch]:
        for start in range(0, frames, size):
            steps = np.arange(start, min(start + size, frames)) * count
            first, t = steps // frames, EASINGS[easing]((steps % frames) / frames)
            parts = []
            for before in range(0, total, count):
                codes = _between(keys, before + first, before + (first + 1) % count, t)
                if codes.z is not None and psi is not None:
                    codes = Codes(styles=model.styles_of(codes, psi))
                parts.append(model.render(codes).numpy())
            yield ImageBatch(_join_images(parts, columns))

    return images()


def save_walk(
    model: Generator,
    path: str | Path,
    key_points: Sequence[int] | Codes,
    *,
    seconds: float = 12.0,
    fps: float = 30.0,
    scale: int | None = None,
    columns: int = 1,
    rows: int = 1,
    progress: bool = False,
    **options: Any,
) -> int:
    """Write a walk as a looped animation or a video, in constant memory.

    Args:
        model: the generator.
        path: the file: .mp4, .webm, .gif or .webp.
        key_points: as for `walk`.
        seconds: duration.
        fps: images per second, as for `ganzoo.sampling.animations.write_animation`.
        scale: size of a pixel, as for `ganzoo.sampling.animations.write_animation`.
        columns: as for `walk`.
        rows: as for `walk`.
        progress: whether to print the progress on stderr.
        options: further arguments of `walk`.

    Returns:
        The number of images.

    Raises:
        SampleError: as for `walk`.
        OutputError, MissingExtraError, KeyboardInterrupt: as for `write_animation`.
    """
    path = Path(path)
    check_animation(path, fps, scale)
    if not 0 < to_number("seconds", seconds) <= MAX_SAMPLES:
        raise SampleError(
            f"seconds is {seconds:g}; it must be above 0 and at most {MAX_SAMPLES:,}."
        )
    _check_walks(columns, rows)
    size, frames = model.spec.data.image, round(seconds * fps)
    height, width = size.height * rows, size.width * columns
    check_frame(height, width, scale or animation_scale(height, width))
    options |= {"columns": columns, "rows": rows}
    images = walk(model, key_points, frames, **options)
    write_animation(path, images, frames, fps=fps, scale=scale, progress=progress)
    return frames


def default_space(model: Generator) -> Space:
    """Return the space of a model's walks: ``w`` if it has a mapping network, else ``z``."""
    return "w" if model.spec.styles else "z"


def codes_of_files(
    model: Generator, files: Sequence[str | Path], space: Space | None = None
) -> Codes:
    """Return the codes of files as key points, in their order.

    Args:
        model: the generator.
        files: files of codes, such as those of `ganzoo invert`.
        space: as for `walk`. A z in a file is mapped to w, unless the space is ``z``.

    Raises:
        SampleError: there are no files, a file cannot be read, see `read_codes`; or it has w, and
            the space is ``z``.
    """
    parts = [read_codes(file, model.spec) for file in files]
    if not parts:
        raise SampleError("there is no file of codes to walk through. Pass two or more.")
    if (space or default_space(model)) == "w":
        return Codes(styles=np.concatenate([model.styles_of(part) for part in parts]))
    for file, part in zip(files, parts, strict=True):
        _check_z(part, str(file))
    return join(parts)


def _check_walks(columns: int, rows: int) -> int:
    columns, rows = to_integer("columns", columns), to_integer("rows", rows)
    if min(columns, rows) < 1 or columns * rows > MAX_WALKS:
        raise SampleError(
            f"cannot show {columns}x{rows} walks: columns and rows are 1 or more, and up to "
            f"{MAX_WALKS} walks fit."
        )
    return columns * rows


def _check_parts(count: int, walks: int) -> None:
    if count > MAX_KEY_POINTS or count % walks:
        raise SampleError(
            f"cannot walk through {count:,} key points in {walks} parts: pass up to "
            f"{MAX_KEY_POINTS:,} key points, equally many for each part."
        )


def _check_z(codes: Codes, origin: str) -> None:
    if codes.z is None:
        raise SampleError(f"{origin} has w, and a walk in z needs z. Use --space w.")


def _of_codes(
    model: Generator,
    codes: Codes,
    walks: int,
    labels: Sequence[Label],
    space: Space | None,
    truncation: float | None,
) -> Codes:
    """Return codes as key points."""
    if labels or truncation is not None:
        raise SampleError(
            "labels and a truncation have no effect on codes, which have classes of their own and "
            "are not truncated. Omit them."
        )
    codes, count = check_codes(codes, model.spec), count_codes(codes)
    _check_parts(count, walks)
    if (space or default_space(model)) == "w":
        codes = Codes(styles=model.styles_of(codes))
    else:
        _check_z(codes, "a code")
    for part in np.arange(count).reshape(walks, -1):
        rows = select(codes, part)
        if all(array is None or (array == array[:1]).all() for array in rows):
            raise SampleError(
                "a walk needs two key points that differ. Pass 2 or more codes for each path."
            )
    return codes


def _of_seeds(model: Generator, draw: Draw, space: Space | None, truncation: float | None) -> Codes:
    """Return the codes of seeds as key points."""
    if (space or default_space(model)) == "w":
        z = Codes(draw.normal(model.latent_dim), draw.y)
        return Codes(styles=model.styles_of(z, truncation))
    if truncation is None or model.spec.styles:
        return model.codes(draw)
    return model.codes(draw, "truncated-normal", threshold=truncation)


def _draw(model: Generator, seeds: Sequence[int], labels: Sequence[Label], walks: int) -> Draw:
    """Return the draw of image 0 of each seed."""
    count = len(seeds)
    _check_parts(count, walks)
    if len(labels) not in (0, 1, count):
        raise SampleError(
            f"{quantity(len(labels), 'label')} for {quantity(count, 'seed')}: pass one "
            "label for each seed, or one for all."
        )
    numbers = [check_latents(seed, 0)[0] for seed in seeds]
    y = model.labels(count, label=(labels[0] if len(labels) == 1 else labels) if labels else None)
    zeros = np.zeros(count, np.int64)
    y = zeros if y is not None and not labels else y
    points = list(zip(numbers, zeros if y is None else y, strict=True))
    for k in range(walks):
        if len({*points[k * count // walks : (k + 1) * count // walks]}) < 2:
            raise SampleError(
                "a walk needs two key points that differ. Pass 2 or more seeds for each path, such "
                "as 3,9."
            )
    return Draw(np.array(numbers, np.uint64), zeros, y)


def _between(keys: Codes, first: NDArray[np.int64], second: NDArray[np.int64], t: Shares) -> Codes:
    """Return the codes between key points of these numbers."""
    if keys.styles is not None:
        share = t.astype(np.float32)[:, None, None]
        return Codes(styles=(1 - share) * keys.styles[first] + share * keys.styles[second])
    assert keys.z is not None
    arcs = [
        slerp(keys.z[a], keys.z[b], np.array([share], np.float32))
        for a, b, share in zip(first, second, t, strict=True)
    ]
    y = None if keys.y is None else keys.y[np.where(t < 0.5, first, second)]
    return Codes(np.concatenate(arcs), y)


def _join_images(parts: list[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Join the images of several walks: each result is a grid of one image of each walk."""
    rows = [np.concatenate(parts[k : k + columns], 2) for k in range(0, len(parts), columns)]
    return np.concatenate(rows, 1)
