"""Where an encoder puts the classes in a plane of latents, and what the plane decodes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganzoo.errors import PlotError
from ganzoo.plots.style import BLUE, WIDTH, class_colours, new_figure, styled
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch

LATTICE = 20  # images on a side of the decoded lattice
KEPT = (0.5, 99.5)  # percentiles of both coordinates between which the square lies
ROOM = 0.05  # that is left around them, as a share
NAMED = 20  # classes that have their names written
APART = 0.05  # least distance of two names, as a share of the square's side
PARTINGS = 100  # rounds in which names move apart
POINT = 3.0  # size of a point, in points squared


@dataclass(frozen=True)
class LatentMap:
    """One model's plane of latents.

    Attributes:
        latents: float32 (n, 2), an encoder's latents of real images.
        labels: classes' numbers of these images (n,).
        low: the smaller coordinates of the square that is shown, (2,).
        side: its side, in units of the latent.
        lattice: what the generator makes of the square, its cells' middles row by row from the top.
    """

    latents: NDArray[np.float32]
    labels: NDArray[np.int64]
    low: NDArray[np.float32]
    side: float
    lattice: ImageBatch


def map_latents(
    generator: Generator,
    latents: NDArray[np.float32],
    labels: NDArray[np.int64],
    steps: int = LATTICE,
) -> LatentMap:
    """Find the square that holds nearly all latents, and decode it.

    It reaches from the 0.5th to the 99.5th percentile of the coordinate that is spread wider, and
    as far around the middle of the other, with a margin of 5 %.

    Args:
        generator: what decodes; one with classes makes class 0 everywhere.
        latents: float32 (n, 2).
        labels: classes' numbers (n,); all 0 where there are no classes.
        steps: images on a side of the lattice.

    Raises:
        PlotError: a generator with latents of another length than 2.
    """
    check_plane(generator)
    ends = np.percentile(latents, KEPT, axis=0)
    side = float((ends[1] - ends[0]).max()) * (1 + 2 * ROOM) or 1.0
    low = (ends.mean(axis=0) - side / 2).astype(np.float32)
    middles = (np.arange(steps) + 0.5) / steps * side
    z = np.array([(x, y) for y in middles[::-1] for x in middles], dtype=np.float32) + low
    y = np.zeros(len(z), np.int64) if "y" in generator.spec.inputs else None
    return LatentMap(latents, labels, low, side, ImageBatch(generator.decode(z, y).numpy(), steps))


def check_plane(generator: Generator) -> None:
    """Refuse a model whose latents are not a plane.

    Raises:
        PlotError: they are of another length than 2.
    """
    latent = generator.spec.latent
    if latent is None or latent.dim != 2:
        raise PlotError(
            f"{generator.spec.name!r} has latents of length {latent.dim if latent else 0}, and a "
            "map is one of latents of length 2, such as those of vae2d-mnist. "
            "--architecture.latent-dim 2 trains such a model."
        )


@styled
def draw_latent_maps(maps: Mapping[str, LatentMap], classes: Sequence[str] = ()) -> Figure:
    """Draw planes of latents side by side: above the classes, below what the planes decode to.

    The two of a model have the same axes, in units of its latents.

    Args:
        maps: by the name of the model.
        classes: names of the classes, in the order of their numbers; none where there are none.

    Raises:
        PlotError: no maps.
    """
    if not maps:
        raise PlotError("there is nothing to draw: no map of latents was given.")
    column = WIDTH / max(2, len(maps))
    figure = new_figure(column * len(maps), 2 * column + 0.5)
    panels = figure.subplots(2, len(maps), squeeze=False)
    for column_, (name, shown) in enumerate(maps.items()):
        above, below = panels[:, column_]
        _scatter(above, shown, classes)
        above.set_title(name)
        _decode(below, shown)
        below.set_title("decoded")
        for panel in (above, below):
            low, high = shown.low, shown.low + shown.side
            panel.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
            panel.set_xlabel("latent 1")
            panel.set_ylabel("latent 2")
    if 0 < len(classes) <= NAMED:
        handles, names = panels[0, 0].get_legend_handles_labels()
        # Points that are seen well in a cloud are too small in a legend.
        figure.legend(
            *(handles, names),
            loc="outside upper center",
            ncols=min(10, len(names)),
            markerscale=4,
            handletextpad=0.1,
            columnspacing=1.0,
        )
    return figure


def _scatter(panel: Axes, shown: LatentMap, classes: Sequence[str]) -> None:
    def draw(places: NDArray[np.float32], colour: Any, label: str) -> None:
        x, y = places.T
        panel.scatter(x, y, POINT, color=colour, linewidths=0, rasterized=True, label=label)

    if not classes:
        draw(shown.latents, BLUE, "real images")
        return
    of_class = [shown.latents[shown.labels == number] for number in range(len(classes))]
    colours = class_colours(len(classes))
    for points, colour, name in zip(of_class, colours, classes, strict=True):
        draw(points, colour, name)
    if len(classes) > NAMED:
        return
    # Colours alone do not tell ten classes apart.
    named = [number for number, points in enumerate(of_class) if len(points)]
    middles = np.array([np.median(of_class[number], axis=0) for number in named])
    for (x, y), number in zip(part(middles, APART * shown.side), named, strict=True):
        box = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": colours[number], "alpha": 0.85}
        panel.text(x, y, classes[number], ha="center", va="center", bbox=box, clip_on=True)


def part(
    places: NDArray[np.floating], least: float, rounds: int = PARTINGS
) -> NDArray[np.floating]:
    """Move places (n, 2) that are nearer to each other than `least` apart, a few at a time."""
    # Those in one place have no direction to part in.
    places = places + 1e-3 * least * np.arange(len(places))[:, None]
    for _ in range(rounds):
        gaps = places[:, None] - places
        distances = np.hypot(gaps[..., 0], gaps[..., 1]) + np.diag(np.full(len(places), np.inf))
        lack = np.clip(least - distances, 0, None)
        if not lack.any():
            break
        places = places + (gaps * (lack / distances / 2)[..., None]).sum(axis=1)
    return places


def _decode(panel: Axes, shown: LatentMap) -> None:
    picture = shown.lattice.grid(padding=0)
    extent = (shown.low[0], shown.low[0] + shown.side, shown.low[1], shown.low[1] + shown.side)
    panel.imshow(np.asarray(picture), extent=extent, cmap="gray", vmin=0, vmax=255)
    panel.grid(visible=False)
