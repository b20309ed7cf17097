"""What a run's folder holds to draw from: the lines of its logs, and its pictures by date."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from PIL import Image

from ganzoo.errors import PlotError, RunNotFoundError
from ganzoo.sampling.image_files import decode_image

T = TypeVar("T")

RECIPE = "recipe.toml"
LOG = "log.jsonl"
METRICS = "metrics.jsonl"
SAMPLES = "samples"  # the folder, and the kind of picture that every model has


class Moment(NamedTuple):
    """A picture that a training left, and after how many images."""

    images: int
    file: Path

    def read(self) -> Image.Image:
        """Return the picture, mode L where it is grey and else RGB.

        Raises:
            ImageFileError: it is damaged.
        """
        picture = decode_image(self.file, "RGB", str(self.file))
        grey = picture.convert("L")
        return grey if picture == grey.convert("RGB") else picture


def read_log(run: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's log, oldest first.

    Raises:
        RunNotFoundError: no run there.
        PlotError: it has logged nothing yet, or the log is damaged.
    """
    return _read_lines(run, LOG, "terms", "It logs every --log-every images of its training.")


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Return what was measured in the course of a run, oldest first.

    Raises:
        RunNotFoundError: no run there.
        PlotError: nothing was measured yet, or the file is damaged.
    """
    return _read_lines(run, METRICS, "metrics", "Nothing was measured in its training.")


def find_moments(run: Path, kind: str = SAMPLES) -> list[Moment]:
    """Return a run's pictures of one kind, oldest first.

    Args:
        run: the run's folder.
        kind: ``samples``, or what else the run's pictures show: ``reconstructions``, ``manifold``.

    Raises:
        RunNotFoundError: no run there.
        PlotError: there is none of that kind.
    """
    check_run(run)
    found = [m for m in _all_moments(run) if _kind(m) == kind]
    if not found:
        kinds = picture_kinds(run)
        there = f"its pictures are {', '.join(kinds)}" if kinds else "it holds no pictures yet"
        raise PlotError(
            f"{run / SAMPLES} holds no pictures of {kind!r}: {there}. A training leaves some every "
            "--sample-every images, and at its end."
        )
    return found


def picture_kinds(run: Path) -> list[str]:
    """Return the kinds of pictures that a run has left."""
    return sorted({_kind(moment) for moment in _all_moments(run)})


def choose_evenly(items: Sequence[T], most: int) -> list[T]:
    """Return at most so many, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]


def _all_moments(run: Path) -> list[Moment]:
    return sorted(
        Moment(int(file.name.partition("-")[0]), file)
        for file in (run / SAMPLES).glob("*-*.png")
        if file.name.partition("-")[0].isdecimal()
    )


def _kind(moment: Moment) -> str:
    return moment.file.stem.partition("-")[2]


def check_run(run: Path) -> None:
    """Refuse a folder that is no run's.

    Raises:
        RunNotFoundError: it holds nothing that a run leaves.
    """
    if not any((run / name).exists() for name in (RECIPE, LOG, METRICS, SAMPLES)):
        raise RunNotFoundError(
            f"{run} is no run: it holds no {RECIPE}. `ganzoo train RECIPE` starts one."
        )


def _read_lines(run: Path, name: str, field: str, advice: str) -> list[dict[str, Any]]:
    check_run(run)
    file = run / name
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise PlotError(f"cannot read {file}: {error}.") from error
    lines = []
    # What follows the last line break is a line that is being written, or was cut off.
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            fields = json.loads(line)
            good = fields["images"] >= 0 and isinstance(fields[field], dict)
        except (ValueError, TypeError, KeyError):
            good = False
        if not good:
            raise PlotError(
                f"line {number} of {file} is no line of such a file: {line[:60]!r}. Take it out."
            )
        lines.append(fields)
    if not lines:
        raise PlotError(f"there is nothing to draw: {file} is absent or empty. {advice}")
    return sorted(lines, key=lambda fields: fields["images"])
