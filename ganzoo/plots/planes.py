"""Real and generated images in one plane: do broken ones gather at the border of the real?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganzoo.errors import PlotError
from ganzoo.plots.border import PERCENTILE, Border
from ganzoo.plots.style import BLUE, GREY, INK, PALE, VERMILLION, WIDTH, new_figure, styled
from ganzoo.sampling.images import ImageBatch

Features = Callable[[ImageBatch], NDArray[Any]]

UMAP_NEIGHBOURS = 15
UMAP_MIN_DIST = 0.1
SEED = 0
SHOWN = 36  # images of a kind on the contact sheets
SHEET_COLUMNS = 6
ROW_HEIGHT = 4.0  # inches
GRID = 160  # places on a side at which the border is looked for, to draw it
MARKER = 3.0  # times as wide is a point in the legend
POINT = 5.0  # size of a point, in points squared


@dataclass(frozen=True)
class Placed:
    """Which points lie on or outside the border of the real images' cloud.

    Attributes:
        generated: of the generated images (m,).
        held_out: of real images that the cloud was not made of (k,): what a perfect generator
            would score, in place of the nominal 5 %.
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
        generated: float32 (m, 2), placed into it afterwards.
        border: of the real ones in the plane.
        in_plane: who lies on or outside it.
        in_space: the same before the projection, in pixels or features, where no neighbour was
            pulled nearer by it.
    """

    real: NDArray[np.float32]
    generated: NDArray[np.float32]
    border: Border
    in_plane: Placed
    in_space: Placed


def fit_plane(
    real: ImageBatch,
    held_out: ImageBatch,
    generated: ImageBatch,
    *,
    features: Features | None = None,
    seed: int = SEED,
) -> Plane:
    """Fit a plane on real images and place others into it.

    UMAP (McInnes et al., 2018, https://arxiv.org/abs/1802.03426) with 15 neighbours and a least
    distance of 0.1 is fitted on `real` alone. `Border` says what counts as on or outside the border
    of the real cloud: a density at or below the 5th percentile of its own points'. UMAP pulls a new
    image towards the real ones that it resembles most, so that its place says less than its
    distance before the projection: both are kept, and for both what real images score that UMAP
    had not seen.

    Args:
        real: the images that the plane and its border are fitted on, 16 at least.
        held_out: other real images.
        generated: the images in question.
        features: images -> vectors (n, d); by default the pixels, 0 to 1.
        seed: of UMAP.

    Raises:
        PlotError: too few images, or features of another shape.
        MissingExtraError: umap-learn is not installed.
    """
    vectors = [_vectors(batch, features) for batch in (real, held_out, generated)]
    if len(real) <= UMAP_NEIGHBOURS or not len(held_out) or not len(generated):
        raise PlotError(
            f"a plane takes more than {UMAP_NEIGHBOURS} real images, and some held out and some "
            f"generated; here are {len(real)}, {len(held_out)} and {len(generated)}."
        )
    from threadpoolctl import threadpool_limits

    reducer = _umap(seed)
    # numba, which umap runs on, would leave the whole process with another number of threads.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that a seed costs it its threads
        places = reducer.fit_transform(vectors[0])
        others = [reducer.transform(v) for v in vectors[1:]]
    in_plane, in_space = Border(places), Border(vectors[0])
    return Plane(
        real=places,
        generated=others[1],
        border=in_plane,
        in_plane=Placed(in_plane.outside(others[1]), in_plane.outside(others[0])),
        in_space=Placed(in_space.outside(vectors[2]), in_space.outside(vectors[1])),
    )


@styled
def draw_planes(planes: Mapping[str, Plane], generated: ImageBatch) -> Figure:
    """Draw planes, a row each, beside contact sheets of the images on the border and inside it.

    The contact sheets show the first 36 of each kind in the generator's order: none is chosen.

    Args:
        planes: by what they are planes of, such as ``pixels`` and ``features``.
        generated: the images that were placed into them.

    Raises:
        PlotError: no planes, or planes of other images.
    """
    if not planes or any(len(plane.generated) != len(generated) for plane in planes.values()):
        raise PlotError("planes are drawn with the generated images that were placed into them.")
    figure = new_figure(WIDTH, ROW_HEIGHT * len(planes))
    panels = figure.subplots(
        len(planes), 3, squeeze=False, gridspec_kw={"width_ratios": (1.4, 1.0, 1.0)}
    )
    for row, (name, plane) in zip(panels, planes.items(), strict=True):
        _scatter(row[0], name, plane)
        outside = plane.in_plane.generated
        _sheet(row[1], generated, outside, "on or outside", VERMILLION)
        _sheet(row[2], generated, ~outside, "inside", BLUE)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, markerscale=MARKER)
    figure.supxlabel(
        f"border: where the sparsest {PERCENTILE:g} % of the real images begin",
        size="small", color=GREY, x=0.01, ha="left",
    )  # fmt: skip
    return figure


def _vectors(images: ImageBatch, features: Features | None) -> NDArray[np.float32]:
    if features is None:
        return images.numpy().reshape(len(images), -1).astype(np.float32) / np.float32(255)
    vectors = np.asarray(features(images), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(images):
        raise PlotError(
            f"features of {len(images)} images are vectors ({len(images)}, d), not {vectors.shape}."
        )
    return vectors


def _umap(seed: int) -> Any:
    try:
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
        f"(real images held out: {plane.in_plane.held_out_share:.1%})\n"
        f"before projection: {plane.in_space.share:.1%} ({plane.in_space.held_out_share:.1%})"
    )
    panel.set_xlabel("UMAP 1")
    panel.set_ylabel("UMAP 2")
    panel.grid(visible=False)


def _outline(panel: Axes, border: Border) -> None:
    """Draw the border as a line."""
    low, high = panel.get_xlim(), panel.get_ylim()
    x, y = np.linspace(*low, GRID), np.linspace(*high, GRID)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    radius = border.distances(places).reshape(GRID, GRID)
    panel.contour(x, y, radius, levels=[border.radius], colors=[GREY], linewidths=0.6)


def _sheet(
    panel: Axes, images: ImageBatch, chosen: NDArray[np.bool_], words: str, colour: str
) -> None:
    panel.set_axis_off()
    panel.set_title(f"{words}: {int(chosen.sum()):,}", color=colour)
    if chosen.any():
        shown = ImageBatch(images.numpy()[chosen][:SHOWN])
        picture = np.asarray(shown.grid(columns=SHEET_COLUMNS))
        panel.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    else:
        panel.text(0.5, 0.5, "none", ha="center", va="center", color=INK)
