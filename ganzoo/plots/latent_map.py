"""Maps of a latent plane: the latents of each class, and the images that the plane decodes to."""

from __future__ import annotations

import math
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

LATTICE = 20  # images on a side of the decoded lattice, if they are square
KEPT = (0.5, 99.5)  # percentiles of the coordinates that the square contains
ROOM = 0.05  # margin around them, as a share
NAMED = 20  # maximum number of classes with names in the figure
APART = 0.05  # minimum distance of two names, as a share of the square's side
ROUNDS = 100  # maximum number of rounds that move names apart
POINT = 3.0  # size of a point, in points squared


@dataclass(frozen=True)
class LatentMap:
    """The latent plane of a model.

    Attributes:
        latents: float32 (n, 2), the latents of real images.
        labels: class numbers of these images (n,).
        low: the lower left corner of the visible square, (2,).
        side: the side of the square, in units of the latent.
        lattice: images that the generator decodes from the centres of the square's cells, row by
            row from the top. Of rectangular images, it has more along their shorter side.
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
    """Return the map of a latent plane: the square that contains most latents, decoded.

    The square spans the 0.5th to 99.5th percentile of the coordinate with the larger spread, plus a
    margin of 5 %. It has the same side in the other coordinate.

    Args:
        generator: the decoder. A generator with classes decodes everything as class 0.
        latents: float32 (n, 2).
        labels: class numbers (n,), all 0 without classes.
        steps: images on a side of the lattice, if they are square.

    Raises:
        PlotError: the generator's latents do not have length 2.
    """
    check_plane(generator)
    ends = np.percentile(latents, KEPT, axis=0)
    side = float((ends[1] - ends[0]).max()) * (1 + 2 * ROOM) or 1.0
    low = (ends.mean(axis=0) - side / 2).astype(np.float32)
    ratio = math.sqrt(generator.spec.data.image.width / generator.spec.data.image.height)
    columns, rows = max(1, round(steps / ratio)), max(1, round(steps * ratio))
    across, up = ((np.arange(n) + 0.5) / n * side for n in (columns, rows))
    z = np.array([(x, y) for y in up[::-1] for x in across], dtype=np.float32) + low
    y = np.zeros(len(z), np.int64) if "y" in generator.spec.inputs else None
    lattice = ImageBatch(generator.decode(z, y).numpy(), columns)
    return LatentMap(latents, labels, low, side, lattice)


def check_plane(generator: Generator) -> None:
    """Raise an error if a model's latents are not a plane.

    Raises:
        PlotError: the latents do not have length 2.
    """
    latent = generator.spec.latent
    if latent is None or latent.dim != 2:
        raise PlotError(
            f"cannot draw a latent map of {generator.spec.name!r}: its latents have length "
            f"{latent.dim if latent else 0}, and a map needs length 2. Use a model such as "
            "vae2d-mnist, or train one with --architecture.latent-dim 2."
        )


@styled
def draw_latent_maps(maps: Mapping[str, LatentMap], classes: Sequence[str] = ()) -> Figure:
    """Draw latent maps side by side: the classes above, the decoded images below.

    Both panels of a model have the same axes, in units of its latents.

    Args:
        maps: maps by the name of the model.
        classes: names of the classes in the order of their numbers, empty without classes.

    Raises:
        PlotError: there are no maps.
    """
    if not maps:
        raise PlotError("cannot draw latent maps: `maps` is empty. Pass at least one.")
    width = WIDTH / max(2, len(maps))
    figure = new_figure(width * len(maps), 2 * width + 0.5)
    panels = figure.subplots(2, len(maps), squeeze=False)
    for column, (name, latent_map) in enumerate(maps.items()):
        above, below = panels[:, column]
        _scatter(above, latent_map, classes)
        above.set_title(name)
        _decode(below, latent_map)
        below.set_title("decoded")
        for panel in (above, below):
            low, high = latent_map.low, latent_map.low + latent_map.side
            panel.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
            panel.set_xlabel("latent 1")
            panel.set_ylabel("latent 2")
    if 0 < len(classes) <= NAMED:
        handles, names = panels[0, 0].get_legend_handles_labels()
        # The size of points in the cloud is too small for a legend.
        figure.legend(
            *(handles, names),
            loc="outside upper center",
            ncols=min(10, len(names)),
            markerscale=4,
            handletextpad=0.1,
            columnspacing=1.0,
        )
    return figure


def _scatter(panel: Axes, latent_map: LatentMap, classes: Sequence[str]) -> None:
    def draw(places: NDArray[np.float32], colour: Any, label: str) -> None:
        x, y = places.T
        panel.scatter(x, y, POINT, color=colour, linewidths=0, rasterized=True, label=label)

    if not classes:
        draw(latent_map.latents, BLUE, "real images")
        return
    by_class = [latent_map.latents[latent_map.labels == number] for number in range(len(classes))]
    colours = class_colours(len(classes))
    for points, colour, name in zip(by_class, colours, classes, strict=True):
        draw(points, colour, name)
    if len(classes) > NAMED:
        return
    # Ten classes need names: their colours alone are hard to distinguish.
    numbers = [number for number, points in enumerate(by_class) if len(points)]
    medians = np.array([np.median(by_class[number], axis=0) for number in numbers])
    places = separate(medians, APART * latent_map.side)
    for (x, y), number in zip(places, numbers, strict=True):
        box = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": colours[number], "alpha": 0.85}
        panel.text(x, y, classes[number], ha="center", va="center", bbox=box, clip_on=True)


def separate(
    places: NDArray[np.floating], least: float, rounds: int = ROUNDS
) -> NDArray[np.floating]:
    """Move places (n, 2) apart until their distances are at least `least`, in several rounds."""
    # Identical places need a direction to move in.
    places = places + 1e-3 * least * np.arange(len(places))[:, None]
    for _ in range(rounds):
        gaps = places[:, None] - places
        distances = np.hypot(gaps[..., 0], gaps[..., 1]) + np.diag(np.full(len(places), np.inf))
        lack = np.clip(least - distances, 0, None)
        if not lack.any():
            break
        places = places + (gaps * (lack / distances / 2)[..., None]).sum(axis=1)
    return places


def _decode(panel: Axes, latent_map: LatentMap) -> None:
    image = latent_map.lattice.grid(padding=0)
    (left, bottom), side = latent_map.low, latent_map.side
    extent = (left, left + side, bottom, bottom + side)
    panel.imshow(np.asarray(image), extent=extent, cmap="gray", vmin=0, vmax=255)
    panel.grid(visible=False)
