"""The earth mover's distance as cells that move between the columns of two histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from ganzoo.errors import PlotError
from ganzoo.plots.style import BLUE, GREY, INK, PALE, PLAYERS, WIDTH, new_figure, styled

EARTH_MOVER = (4, 4, 4, 2), (2, 3, 4, 5)
WAYS: Mapping[str, Sequence[tuple[int, int, int]]] = {
    "straight to the gap": ((0, 3, 2), (1, 3, 1)),
    "in two jumps": ((0, 2, 2), (2, 3, 2), (1, 3, 1)),
    "from neighbour to neighbour": ((0, 1, 2), (1, 2, 3), (2, 3, 3)),
}
"""Three plans of the same work, 8, for `EARTH_MOVER`: moves (from column, to column, cells)."""

NORMALISATIONS = {
    "total-mass": "all cells",
    "largest-distance": "all cells, times the largest distance of two columns",
    "mean-transport": "the surplus cells",
}
CELL = 0.92  # side of a cell, in units of the distance of columns
LIFT = 0.55  # height of an arrow above the cells for each column that it crosses
ROOM = 2.2  # height above the cells for the arrows
HEIGHT = 6.9  # inches


@styled
def draw_earth_mover(
    p: Sequence[int] = EARTH_MOVER[0],
    q: Sequence[int] = EARTH_MOVER[1],
    ways: Mapping[str, Sequence[tuple[int, int, int]]] = WAYS,
    *,
    normalised: Mapping[str, float] | None = None,
) -> Figure:
    """Draw two histograms as cells, the moves of plans that turn one into the other, and the work.

    Each column shows a plan: above the cells of p, with those that leave in colour, below the cells
    of q, with those that arrive in the colour of their move.

    Args:
        p: cells in each column, from left to right.
        q: cells in each column, as many in total.
        ways: plans by name: moves (from column, to column, number of cells).
        normalised: the distance by the name of its normalisation, as
            `ganzoo.evaluation.wasserstein1` computes it, written below the plans.

    Raises:
        PlotError: there are no plans, or one does not turn p into q.
    """
    if not ways:
        raise PlotError("cannot draw the earth mover: `ways` is empty. Pass at least one plan.")
    for name, moves in ways.items():
        _check(name, p, q, moves)
    figure = new_figure(WIDTH, HEIGHT)
    highest = max(*p, *q)
    heights = highest + ROOM, highest + 0.3
    panels = figure.subplots(2, len(ways), squeeze=False, height_ratios=heights)
    for before, after, (name, moves) in zip(*panels, ways.items(), strict=True):
        work = sum(cells * abs(b - a) for a, b, cells in moves)
        sums = " + ".join(f"{cells} x {abs(b - a)}" for a, b, cells in moves)
        before.set_title(f"{name}\n{sums} = {work}")
        _draw_before(before, p, moves)
        _draw_after(after, p, q, moves)
        for panel, height in zip((before, after), heights, strict=True):
            _frame(panel, len(p), height)
    panels[0, 0].set_ylabel("before")
    panels[1, 0].set_ylabel("after")
    lines = [
        f"{name}: {work} / {work / value:g} = {value:.3f}, divided by {NORMALISATIONS[name]}"
        for name, value in (normalised or {}).items()
    ]
    if lines:
        figure.supxlabel("\n".join(lines), size="medium", color=INK, x=0.01, ha="left")
    return figure


def _check(
    name: str, p: Sequence[int], q: Sequence[int], moves: Sequence[tuple[int, int, int]]
) -> None:
    moved = np.array(p)
    for a, b, cells in moves:
        moved[a] -= cells
        moved[b] += cells
    if tuple(moved) != tuple(q):
        raise PlotError(
            f"the plan {name!r} turns {tuple(p)} into {tuple(map(int, moved))}, not into "
            f"{tuple(q)}. Correct its moves."
        )


def _colours(moves: Sequence[tuple[int, int, int]]) -> NDArray[np.object_]:
    """Return one colour for each move, without the blue of cells that stay."""
    others = [colour for colour in PLAYERS if colour != BLUE]
    return np.array([others[k % len(others)] for k in range(len(moves))], dtype=object)


def _cell(panel: Axes, column: float, row: float, colour: str) -> None:
    corner = column - CELL / 2, row + (1 - CELL) / 2
    panel.add_patch(Rectangle(corner, CELL, CELL, facecolor=colour, edgecolor="white"))


def _draw_before(panel: Axes, p: Sequence[int], moves: Sequence[tuple[int, int, int]]) -> None:
    """Draw p: cells that leave are on top, below an arrow with their number."""
    tops = list(p)
    for column, cells in enumerate(p):
        for row in range(cells):
            _cell(panel, column, row, PALE)
    for (a, _, cells), colour in zip(moves, _colours(moves), strict=True):
        for _ in range(cells):
            tops[a] -= 1
            _cell(panel, a, tops[a], colour)
    highest = max(p)
    for (a, b, cells), colour in zip(moves, _colours(moves), strict=True):
        # Arrows from afar are higher, and end farther right: they do not cross.
        nearer = sum(other == b and abs(b - start) < abs(b - a) for start, other, _ in moves)
        left, right = a + 0.2, b - 0.2 + 0.25 * nearer
        top = highest + LIFT * (2 + abs(b - a))
        points = [(left, p[a]), (left, top), (right, top), (right, p[b] + 0.05)]
        path = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
        arrow = FancyArrowPatch(
            path=path, arrowstyle="-|>", mutation_scale=14, color=colour, linewidth=2, zorder=3
        )
        panel.add_patch(arrow)
        middle = (p[a] + 6 * top + p[b]) / 8  # of the curve
        panel.text(
            (left + right) / 2, middle, str(cells), ha="center", va="center", color=colour,
            weight="bold", zorder=4, bbox={"fc": "white", "ec": "none", "pad": 1.5},
        )  # fmt: skip


def _draw_after(
    panel: Axes, p: Sequence[int], q: Sequence[int], moves: Sequence[tuple[int, int, int]]
) -> None:
    """Draw q; cells that arrived are on top, in the colour of their move."""
    stay = np.array(p)
    for a, _, cells in moves:
        stay[a] -= cells
    tops = stay.tolist()
    for column, cells in enumerate(tops):
        for row in range(cells):
            _cell(panel, column, row, PALE)
    for (_, b, cells), colour in zip(moves, _colours(moves), strict=True):
        for _ in range(cells):
            _cell(panel, b, tops[b], colour)
            tops[b] += 1
    assert tops == list(q)


def _frame(panel: Axes, columns: int, height: float) -> None:
    panel.set(xlim=(-0.7, columns - 0.3), ylim=(0, height), xticks=range(columns), yticks=[])
    panel.set_aspect("equal")
    panel.grid(visible=False)
    panel.spines["left"].set_visible(False)
    panel.tick_params(axis="x", length=0, labelcolor=GREY)
