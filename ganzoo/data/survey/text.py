"""A summary as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ganzoo.data.survey.command import with_location
from ganzoo.data.survey.recipes import LARGEST_ON_CPU
from ganzoo.data.survey.shapes import FitCost
from ganzoo.data.survey.summary import DataSummary
from ganzoo.errors import quantity
from ganzoo.spec.parsing import shorten

MOST = 5  # unreadable files and groups to name
MOST_CLASSES = 12
NAMES = 4  # files of a group to name


def format_summary(summary: DataSummary) -> str:
    """Return a summary in lines."""
    details = {
        "unreadable": [each.reason for each in summary.unreadable],
        "identical": [_join(group, " = ") for group in summary.identical],
        "near": [_join(group, " ~ ") for group in summary.near],
    }
    lines = [f"{summary.folder}: {summary.files}"]
    for key, value in rows_of(summary).items():
        lines.append(f"  {key:<14} {value}")
        named = details.get(key, [])
        lines += [f"{'':<19}{line}" for line in named[:MOST]]
        if len(named) > MOST:
            lines.append(f"{'':<19}and {len(named) - MOST:,} more; --json prints all")
    lines += [f"  {line}" for line in _recipe_lines(summary)]
    lines += [f"note: {note}" for note in summary.notes]
    if summary.command:
        command = with_location(summary.command, summary.folder)
        lines += [
            "next: the plan of a training on these images; without --dry-run, it starts, and shows "
            "the time left",
            f"  {command} --dry-run",
        ]
    return "\n".join(" ".join(line.splitlines()) for line in lines)


def rows_of(summary: DataSummary) -> dict[str, str]:
    """Return the properties of a dataset by name, each in one line."""
    sizes = summary.sizes
    low, _, middle, _, high = sizes.shorter_sides
    rows = {
        "files": f"{format_bytes(summary.bytes)}; {_counts(summary.formats)}",
        "modes": f"{_counts(summary.modes)}; "
        + _counts({f"{bits} bits": n for bits, n in summary.bits.items()}),
        "size": f"height x width: {_counts(sizes.common)}"
        + (f" and {n:,} other sizes" if (n := sizes.distinct - len(sizes.common)) else ""),
        "shorter side": f"{low:g} to {high:g} pixels, median {middle:g}",
        "shape": f"{_counts(sizes.shapes)}; width/height {sizes.ratios[0]:.3g} to "
        f"{sizes.ratios[2]:.3g}, median {sizes.ratios[1]:.3g}",
        "colour": f"{summary.readable - summary.grey:,} with colours, {summary.grey:,} grey",
    }
    if summary.turned:
        rows["orientation"] = f"{summary.turned:,} turned upright by EXIF"
    if summary.classes:
        rows["classes"] = _counts(summary.classes, MOST_CLASSES)
    if summary.splits:
        rows["splits"] = _counts(summary.splits)
    if summary.unreadable:
        rows["unreadable"] = quantity(len(summary.unreadable), "file")
    rows["identical"] = count_groups(summary.identical)
    rows["near"] = count_groups(summary.near)
    suggested = summary.suggested_size
    rows["suggested size"] = f"{suggested}, {_origin_of(suggested, summary)} not above " + (
        "64, since there is no GPU" if _limited(summary) else "the median shorter side"
    )
    if shape := summary.suggested_rectangle:
        rows["or"] = (
            f"{shape[0]}x{shape[1]} (height x width), for the usual shape of the images: "
            f"--dataset.size {shape[0]}x{shape[1]}"
        )
    for cost in summary.costs:
        rows[f"fit {cost.height}x{cost.width}"] = describe_cost(cost, summary.fit)
    height, width = summary.size
    if not summary.fixed_size:
        rows["estimates"] = f"for {height}x{width} (height x width); --size sets another size"
    rows["memory"] = (
        f"{format_bytes(summary.decoded_bytes)} decoded at {height}x{width}x{summary.channels}; "
        + ("streamed by" if summary.streamed else "kept in memory by")
        + f" a training on the CPU ({format_bytes(summary.free_bytes)} are free)"
    )
    rows["decoding"] = (
        f"{summary.decode_seconds:,.1f} s on one core to {height}x{width}; this look took "
        f"{summary.seconds:,.1f} s on {quantity(summary.processes, 'core')}"
    )
    rows["an epoch"] = quantity(summary.images, "image")
    return rows


def describe_cost(cost: FitCost, fit: str = "") -> str:
    """Return a line about the effect of a fit to a size, or of all fits, on the images."""
    lost = f"{100 * cost.lost:.0f} %"
    halved = f", and half or more of {quantity(cost.halved, 'image')}" if cost.halved else ""
    texts = {
        "crop": f"crop drops {lost} of an image on average{halved}",
        "random-crop": f"random-crop drops {lost} of an image on average{halved}",
        "pad": f"pad fills {lost} of the result",
        "stretch": f"stretch changes the ratio of the sides {cost.stretched:.2f} times (median)",
    }
    return texts[fit] if fit else "; ".join(texts[name] for name in ("crop", "pad", "stretch"))


def _limited(summary: DataSummary) -> bool:
    """Return whether a GPU would allow a larger size."""
    return not summary.gpu and summary.sizes.shorter_sides[2] > LARGEST_ON_CPU


def _origin_of(side: int, summary: DataSummary) -> str:
    """Return how a suggested side was chosen."""
    names = [each.name for each in summary.recipes if each.height == each.width == side]
    if names:
        return f"the largest size of an installed recipe ({', '.join(names)})"
    return "the largest of 4, 5, 6 and 7 times a power of two"


def count_groups(groups: Sequence[Sequence[str]]) -> str:
    """Return the numbers of files and groups."""
    files = quantity(sum(map(len, groups)), "file")
    return f"{files} in {quantity(len(groups), 'group')}" if groups else "none"


def format_bytes(size: float) -> str:
    """Return a number of bytes with a unit."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size:,.0f} bytes"


def _recipe_lines(summary: DataSummary) -> Iterator[str]:
    if not summary.recipes:
        yield f"{'recipes':<14} none of the dataset 'folder' is installed"
    width = max((len(recipe.name) for recipe in summary.recipes), default=0)
    for number, recipe in enumerate(summary.recipes):
        size = f"{recipe.height}x{recipe.width}x{recipe.channels}"
        epochs = (
            f"{quantity(recipe.images_per_epoch, 'image')} an epoch, {recipe.epochs:,.0f} epochs"
            if recipe.fits
            else f"does not fit: {recipe.reason}"
        )
        yield f"{'recipes' * (number == 0):<14} {recipe.name:<{width}}  {size:<9} {epochs}"


def _counts(counts: Mapping[str, int], most: int = 10) -> str:
    parts = [f"{shorten(name, 60)} ({n:,})" for name, n in list(counts.items())[:most]]
    more = len(counts) - most
    return ", ".join(parts) + (f" and {more:,} more" if more > 0 else "")


def _join(group: Sequence[str], sign: str) -> str:
    """Return the first names of a group in one line."""
    more = f" and {len(group) - NAMES:,} more" if len(group) > NAMES else ""
    return sign.join(shorten(name, 60) for name in group[:NAMES]) + more
