"""The files of a run that figures are drawn from: its logs and its image files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from PIL import Image

from ganzoo.bundle.files import find_foreign
from ganzoo.bundle.json_lines import read_lines
from ganzoo.errors import ImageFileError, PlotError, RunNotFoundError, quantity
from ganzoo.sampling.image_depth import NarrowRangeWarning
from ganzoo.sampling.image_files import decode_image
from ganzoo.spec.lfs import explain_pointer
from ganzoo.system.quiet import ignored_warnings

T = TypeVar("T")

RECIPE = "recipe.toml"
LOG = "log.jsonl"
METRICS = "metrics.jsonl"
SAMPLES = "samples"  # the folder of image files, and the kind that every run has


class Moment(NamedTuple):
    """An image file of a run.

    Attributes:
        images: number of images seen when the run wrote the file.
        file: path of the file.
    """

    images: int
    file: Path

    def read(self) -> Image.Image:
        """Return the image in mode L if it is grey, else RGB.

        Raises:
            ImageFileError: the file is damaged.
        """
        with ignored_warnings(NarrowRangeWarning):  # of untrained networks, with little contrast
            image = decode_image(self.file, "RGB", str(self.file))
        grey = image.convert("L")
        return grey if image == grey.convert("RGB") else image


def read_log(run: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's log, oldest first. Warns of damaged lines.

    Raises:
        RunNotFoundError: the folder contains no run.
        PlotError: the log is empty.
    """
    return _read_lines(run, LOG, "terms", "Train longer, or use a smaller --log-every.")


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Return the evaluations of a run's training, oldest first. Warns of damaged lines.

    Raises:
        RunNotFoundError: the folder contains no run.
        PlotError: there are no evaluations.
    """
    return _read_lines(run, METRICS, "metrics", "Train with --evaluate-every to write it.")


def find_moments(run: Path, kind: str = SAMPLES) -> list[Moment]:
    """Return a run's image files of one kind, oldest first.

    Args:
        run: the run's folder.
        kind: ``samples``, or another kind that the run writes: ``reconstructions``, ``manifold``.

    Raises:
        RunNotFoundError: the folder contains no run.
        PlotError: there are no image files of this kind.
    """
    check_run(run)
    moments = [moment for moment in _all_moments(run) if _kind(moment) == kind]
    if not moments:
        kinds = sample_kinds(run)
        advice = (
            f"Choose {' or '.join(kinds)}."
            if kinds
            else ("A training writes image files every --sample-every images and at its end.")
        )
        raise PlotError(f"{run / SAMPLES} contains no image files of {kind!r}. {advice}")
    return moments


def read_moments(moments: Sequence[Moment]) -> list[tuple[int, Image.Image]]:
    """Return the number of images seen and the image of each file. Warns of damaged files.

    Raises:
        PlotError: all files are damaged.
    """
    samples, damage = [], []
    for moment in moments:
        try:
            samples.append((moment.images, moment.read()))
        except ImageFileError as error:
            damage.append(str(error))
    if damage and not samples:
        raise PlotError(
            f"cannot draw: cannot read any of {quantity(len(damage), 'image file')}. {damage[0]}"
        )
    if damage:
        are = "is" if len(damage) == 1 else "are"
        warnings.warn(
            f"{len(damage):,} of {quantity(len(moments), 'image file')} {are} damaged and skipped: "
            f"{damage[0]}",
            stacklevel=2,
        )
    return samples


def sample_kinds(run: Path) -> list[str]:
    """Return the kinds of image files in a run, such as ``samples`` and ``reconstructions``."""
    return sorted({_kind(moment) for moment in _all_moments(run)})


def choose_evenly(items: Sequence[T], most: int) -> list[T]:
    """Return at most `most` items, evenly spaced, including the first and the last."""
    if len(items) <= most:
        return list(items)
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]


def _all_moments(run: Path) -> list[Moment]:
    return sorted(
        Moment(int(file.name.partition("-")[0]), file)
        for file in (run / SAMPLES).glob("*-*.*")
        if file.suffix in (".png", ".webp")
        and file.name.partition("-")[0].isdecimal()
        and file.is_file()  # a pipe would wait
    )


def _kind(moment: Moment) -> str:
    return moment.file.stem.partition("-")[2]


def check_run(run: Path) -> None:
    """Raise an error if a folder contains no run, a pipe, or a link that leads out of it.

    Raises:
        RunNotFoundError: none of a run's files exist.
        PlotError: a link leads out of the folder, or it holds a pipe, socket or device.
    """
    if not any((run / name).exists() for name in (RECIPE, LOG, METRICS, SAMPLES)):
        raise RunNotFoundError(
            f"{run} is not a run: it contains no {RECIPE}. Start a run: ganzoo train RECIPE"
        )
    if foreign := find_foreign(run):
        raise PlotError(
            f"{foreign}, so the run is not drawn. Replace it with a file or folder, or remove it."
        )


def _read_lines(run: Path, name: str, field: str, advice: str) -> list[dict[str, Any]]:
    check_run(run)
    file = run / name
    try:
        if text := explain_pointer(file):
            raise PlotError(text)
        lines = read_lines(file, (field,))
    except OSError as error:
        raise PlotError(f"cannot read {file}: {error}. Restore the file.") from error
    if not lines:
        raise PlotError(f"cannot draw: {file} has no readable line. {advice}")
    return sorted(lines, key=lambda fields: fields["images"])
