"""Real and generated images in one UMAP plane, and the border of the real images in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray

from ganzoo.errors import PlotError, quantity
from ganzoo.plots.border import PERCENTILE, Border
from ganzoo.plots.latent_map import separate
from ganzoo.plots.style import BLUE, DPI, GREY, INK, PALE, VERMILLION, WIDTH, new_figure, styled
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import as_integer
from ganzoo.system.dependencies import quiet_imports
from ganzoo.system.quiet import ignored_warnings

Features = Callable[[ImageBatch], NDArray[Any]]

UMAP_NEIGHBOURS = 15
UMAP_MIN_DIST = 0.1
SEED = 0
SHEET_IMAGES = 36  # maximum number of images on a contact sheet
SHEET_COLUMNS = 6
ROW_HEIGHT = 4.0  # inches
THUMBNAIL = 34  # side of an image in the plane, in pixels
PLANE_PIXELS = 560  # about the side of a plane that shows images
ROUNDS = 2_000  # in which images move apart
THUMBNAILS_HEIGHT = 5.2  # inches of a row whose plane shows images
THUMBNAILS_RATIO = 2.4  # width of such a plane, in units of a contact sheet's
GRID = 160  # grid points on a side for the contour of the border
MARKER = 3.0  # scale of the points in the legend
POINT = 5.0  # size of a point, in points squared

_LOCK = threading.Lock()  # the number of threads belongs to the whole process


@dataclass(frozen=True)
class OutsidePoints:
    """Which images are on or outside the border of the real images.

    Attributes:
        generated: for the generated images, (m,).
        held_out: for real images that are not part of the cloud, (k,). Their share is the score of
            a perfect generator, instead of the nominal 5 %.
    """

    generated: NDArray[np.bool_]
    held_out: NDArray[np.bool_]

    @property
    def share(self) -> float:
        """Share of the generated images on or outside the border."""
        return float(self.generated.mean())

    @property
    def held_out_share(self) -> float:
        """Share of the held-out real images on or outside the border."""
        return float(self.held_out.mean())


@dataclass(frozen=True)
class Plane:
    """Real and generated images in one UMAP plane.

    Attributes:
        real: float32 (n, 2), the images that the plane was fitted on.
        generated: float32 (m, 2), the generated images.
        border: border of the real images in the plane.
        in_plane: which images are on or outside this border.
        in_space: which images are on or outside the border before the projection, in pixels or
            features.
    """

    real: NDArray[np.float32]
    generated: NDArray[np.float32]
    border: Border
    in_plane: OutsidePoints
    in_space: OutsidePoints


def fit_plane(
    real: ImageBatch,
    held_out: ImageBatch,
    generated: ImageBatch,
    *,
    features: Features | None = None,
    seed: int = SEED,
) -> Plane:
    """Fit a UMAP plane on real images and project other images into it.

    UMAP (McInnes et al., 2018, https://arxiv.org/abs/1802.03426) with 15 neighbours and a minimum
    distance of 0.1 is fitted on `real` only. `Border` defines which images are on or outside the
    border of the real images. UMAP pulls a new image towards the most similar real images, so its
    position in the plane is less reliable than its distance before the projection. The result
    contains both, each with the share of held-out real images for comparison.

    Args:
        real: the images that the plane and its border are fitted on, at least 16.
        held_out: other real images.
        generated: the generated images.
        features: function from images to vectors (n, d). The default is the pixels, 0 to 1.
        seed: seed of UMAP.

    Raises:
        PlotError: there are too few images, or the features have a wrong shape.
        MissingExtraError: umap-learn is not installed.
    """
    try:
        seed = as_integer("seed", seed)
    except ValueError as error:
        raise PlotError(f"{error}.") from error
    vectors = [_vectors(batch, features) for batch in (real, held_out, generated)]
    if len(real) <= UMAP_NEIGHBOURS or not len(held_out) or not len(generated):
        raise PlotError(
            f"cannot fit a plane on {len(real)} real, {len(held_out)} held-out and "
            f"{len(generated)} generated images. Pass more than {UMAP_NEIGHBOURS} real images and "
            "at least one of each other kind."
        )
    from threadpoolctl import threadpool_limits

    reducer = _umap(seed)
    # numba, which umap uses, changes the number of threads of the whole process.
    # It warns that a seed disables its threads.
    with _LOCK, ignored_warnings(), threadpool_limits(1):
        places = reducer.fit_transform(vectors[0])
        held_out_places, generated_places = [reducer.transform(v) for v in vectors[1:]]
    in_plane, in_space = Border(places), Border(vectors[0])
    return Plane(
        real=places,
        generated=generated_places,
        border=in_plane,
        in_plane=OutsidePoints(
            in_plane.outside(generated_places), in_plane.outside(held_out_places)
        ),
        in_space=OutsidePoints(in_space.outside(vectors[2]), in_space.outside(vectors[1])),
    )


@styled
def draw_planes(
    planes: Mapping[str, Plane], generated: ImageBatch, *, thumbnails: int = 0
) -> Figure:
    """Draw planes, one row for each, with contact sheets of the images outside and inside.

    The contact sheets show the first 36 images of each kind, in the order of `generated`.

    Args:
        planes: planes by the name of their space, such as ``pixels`` and ``features``.
        generated: the generated images that were passed to `fit_plane`.
        thumbnails: number of generated images to draw at their points in the planes, far apart
            from each other.

    Raises:
        PlotError: there are no planes, or they were fitted with other generated images.
    """
    if not planes or any(len(plane.generated) != len(generated) for plane in planes.values()):
        raise PlotError(
            "cannot draw planes: there are none, or they were fitted with other generated images. "
            "Pass planes and the generated images that they were fitted with."
        )
    height, ratio = (THUMBNAILS_HEIGHT, THUMBNAILS_RATIO) if thumbnails else (ROW_HEIGHT, 1.4)
    figure = new_figure(WIDTH, height * len(planes))
    panels = figure.subplots(
        len(planes), 3, squeeze=False, gridspec_kw={"width_ratios": (ratio, 1.0, 1.0)}
    )
    for row, (name, plane) in zip(panels, planes.items(), strict=True):
        _scatter(row[0], name, plane)
        if thumbnails:
            _thumbnails(row[0], plane, generated, thumbnails)
        outside = plane.in_plane.generated
        _sheet(row[1], generated, outside, "on or outside", VERMILLION)
        _sheet(row[2], generated, ~outside, "inside", BLUE)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, markerscale=MARKER)
    figure.supxlabel(
        f"border: the sparsest {PERCENTILE:g} % of the real images are on or outside it",
        size="small", color=GREY, x=0.01, ha="left",
    )  # fmt: skip
    return figure


def _vectors(images: ImageBatch, features: Features | None) -> NDArray[np.float32]:
    if features is None:
        return images.numpy().reshape(len(images), -1).astype(np.float32) / np.float32(255)
    vectors = np.asarray(features(images), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(images):
        raise PlotError(
            f"the features of {quantity(len(images), 'image')} have the shape {vectors.shape}. "
            f"Return ({len(images)}, d)."
        )
    return vectors


def _umap(seed: int) -> Any:
    try:
        with quiet_imports(), ignored_warnings():  # of what umap could do with other libraries
            from umap import UMAP
    except ModuleNotFoundError as error:
        from ganzoo.errors import missing_extra

        raise missing_extra("a UMAP plane", error) from error
    return UMAP(
        n_neighbors=UMAP_NEIGHBOURS,
        min_dist=UMAP_MIN_DIST,
        random_state=seed,
        transform_seed=seed,
        n_jobs=1,
    )


def _scatter(panel: Axes, name: str, plane: Plane) -> None:
    outside = plane.in_plane.generated
    for places, colour, label in (
        (plane.real, PALE, "real"),
        (plane.generated[~outside], BLUE, "generated, inside"),
        (plane.generated[outside], VERMILLION, "generated, on or outside the border"),
    ):
        x, y = places.T
        panel.scatter(x, y, POINT, color=colour, linewidths=0, rasterized=True, label=label)
    _outline(panel, plane.border)
    panel.set_title(
        f"{name}: {plane.in_plane.share:.1%} on or outside the border\n"
        f"(held-out real images: {plane.in_plane.held_out_share:.1%})\n"
        f"before projection: {plane.in_space.share:.1%} ({plane.in_space.held_out_share:.1%})"
    )
    panel.set_xlabel("UMAP 1")
    panel.set_ylabel("UMAP 2")
    panel.grid(visible=False)


def _thumbnails(panel: Axes, plane: Plane, images: ImageBatch, count: int) -> None:
    """Draw images beside their points, framed in the colour of the points, without overlaps."""
    pixels, outside = images.numpy(), plane.in_plane.generated
    chosen = spread_out(plane.generated, count)
    limits = np.array([panel.get_xlim(), panel.get_ylim()])
    unit = (limits[:, 1] - limits[:, 0]) / PLANE_PIXELS
    boxes = separate(plane.generated[chosen] / unit, THUMBNAIL * 2**0.5, ROUNDS) * unit
    room = THUMBNAIL * unit
    panel.set_xlim(*_including(limits[0], boxes[:, 0], room[0]))
    panel.set_ylim(*_including(limits[1], boxes[:, 1], room[1]))
    zoom = THUMBNAIL / max(pixels.shape[1:3]) * 72 / DPI
    for k, place in zip(chosen, boxes, strict=True):
        image = pixels[k] if pixels.shape[3] == 3 else pixels[k, :, :, 0]
        picture = OffsetImage(image, zoom=zoom, cmap="gray", norm=Normalize(0, 255))
        colour = VERMILLION if outside[k] else BLUE
        box = AnnotationBbox(
            picture, tuple(plane.generated[k]), xybox=tuple(place), pad=0.0,
            bboxprops={"edgecolor": colour, "linewidth": 1.5},
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.7},
        )  # fmt: skip
        panel.add_artist(box)


def _including(
    limits: NDArray[np.floating], values: NDArray[np.floating], room: float
) -> tuple[float, float]:
    """Return limits that include values with some room around them."""
    return min(limits[0], values.min() - room), max(limits[1], values.max() + room)


def spread_out(places: NDArray[np.floating], count: int) -> list[int]:
    """Return the indices of at most `count` places (n, 2) that are far apart from each other.

    The first place comes first, and then always the one that is farthest from all before it.
    """
    chosen = [0]
    distances = np.linalg.norm(places - places[0], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(distances.argmax()))
        distances = np.minimum(distances, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return chosen


def _outline(panel: Axes, border: Border) -> None:
    """Draw the border as closed lines, and widen the limits of the panel to contain them."""
    # A place on the border is within its radius of a point of the cloud.
    reach = 1.05 * border.radius
    low, high = border.points.min(axis=0) - reach, border.points.max(axis=0) + reach
    x, y = np.linspace(low, high, GRID).T
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    radius = border.distances(places).reshape(GRID, GRID)
    panel.contour(x, y, radius, levels=[border.radius], colors=[GREY], linewidths=0.6)
    limits = np.array([panel.get_xlim(), panel.get_ylim()])
    panel.set_xlim(*_including(limits[0], x, 0))
    panel.set_ylim(*_including(limits[1], y, 0))


def _sheet(
    panel: Axes, images: ImageBatch, mask: NDArray[np.bool_], title: str, colour: str
) -> None:
    panel.set_axis_off()
    count = int(mask.sum())
    more = f", {SHEET_IMAGES} shown" if count > SHEET_IMAGES else ""
    panel.set_title(f"{title}: {count:,}{more}", color=colour)
    if mask.any():
        batch = ImageBatch(images.numpy()[mask][:SHEET_IMAGES])
        grid = np.asarray(batch.grid(columns=SHEET_COLUMNS))
        panel.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    else:
        panel.text(0.5, 0.5, "none", ha="center", va="center", color=INK)
