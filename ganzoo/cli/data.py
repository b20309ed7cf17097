"""Look at a folder or a zip of image files before a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ganzoo.cli.arguments import Folder
from ganzoo.cli.outputs import MaybeOutput, check_folder
from ganzoo.errors import OutputError, quantity, shell_word
from ganzoo.system.terminal import print_out

if TYPE_CHECKING:
    from ganzoo.data import DataSummary

HTML = (".html", ".htm")


def data(
    folder: Folder,
    /,
    labels: Literal["auto", "folders", "none"] = "auto",
    value_range: tuple[float, ...] = (),
    size: int | str | None = None,
    fit: Literal["crop", "random-crop", "pad", "stretch"] | None = None,
    distance: int = 4,
    workers: int | None = None,
    as_json: Annotated[bool, tyro.conf.arg(name="json")] = False,
    output: MaybeOutput = None,
    sheet: Path | None = None,
) -> None:
    """Look at a folder of image files: what a training reads, skips and refuses (needs torch).

    Decodes every file as the dataset 'folder' or 'zip' does, on all cores, and measures a few steps
    of the suggested training. By default, prints text and writes nothing. 'ganzoo data download
    NAME' downloads a dataset instead.

    Args:
        folder: the folder, or a zip.
        labels: folders for one class per sub-folder, none for no classes, or auto for classes if
            most images are in sub-folders.
        value_range: values of black and white in grey files, such as 0 4095 for 12 bits; by default
            those of the format.
        size: size of the images: a side in pixels, or HEIGHTxWIDTH, such as 48x64. It sets the
            memory, the time to decode, the loss by a fit and the warnings about it; by default, it
            is the suggested rectangle, or else the suggested square.
        fit: how images of other shapes get the size: crop, random-crop, pad or stretch; by default
            all are described.
        distance: largest number of bits by which each of two hashes of 64 bits differs between near
            duplicates, 0 to 8.
        workers: number of processes; by default one per core.
        as_json: print JSON, with all names.
        output: HTML report to write or replace, in one file.
        sheet: contact sheet of 48 random images to write or replace, .png or .svg.
    """
    if output is not None and output.suffix.lower() not in HTML:
        raise OutputError(
            f"cannot write the report as {output.name!r}: it is a web page. Use for example -o "
            f"{shell_word(output.stem or 'report')}.html."
        )
    if sheet is not None:
        from ganzoo import plots

        plots.check_ending(sheet, plots.FIGURES)
    for file in filter(None, (output, sheet)):
        check_folder(file)
    from ganzoo.data import describe
    from ganzoo.data.survey.text import format_summary

    summary = describe(
        folder,
        labels=labels,
        value_range=value_range,
        size=size,
        fit=fit,
        distance=distance,
        workers=workers,
        progress=True,
    )
    print_out(summary.to_json() if as_json else format_summary(summary), flush=True)
    if summary.command and not as_json:
        print_out(f"time: {_measure(summary)}")
    if output is not None:
        from ganzoo.data.survey.report import write_report

        write_report(summary, output)
        if not as_json:
            print_out(f"{output}: report")
    if sheet is not None:
        from ganzoo.data.survey.tiles import COLUMNS, contact_sheet

        images = contact_sheet(summary)
        caption = f"{len(images):,} of {quantity(summary.readable, 'image')}"
        plots.save_figure(plots.draw_grids({caption: images}, columns=COLUMNS), sheet)
        if not as_json:
            print_out(f"{sheet}: {caption}")


def _measure(summary: DataSummary) -> str:
    """Return how long the suggested training takes."""
    import torch

    from ganzoo.data.survey.command import choose_recipe, data_spec
    from ganzoo.registry import find_recipe
    from ganzoo.training import measure_recipe

    choice = choose_recipe(summary)
    assert choice is not None  # it has a command
    recipe = find_recipe(choice.name)
    device = torch.device("cuda" if summary.gpu else "cpu")
    duration = measure_recipe(recipe, data_spec(summary, choice), device)
    return f"{duration}, for {quantity(recipe.images, 'image')}; --images N sets another length"
