"""Enlarge image files with a model."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from ganzoo.cli.arguments import Text
from ganzoo.cli.outputs import MaybeOutput
from ganzoo.cli.sampling import convert
from ganzoo.errors import SampleError
from ganzoo.system.terminal import print_out

if TYPE_CHECKING:
    from ganzoo.sampling.translated_files import TranslationReport


def upscale(
    name: Text,
    files: tyro.conf.Positional[tuple[Path, ...]],
    /,
    output: MaybeOutput = None,
    tile: int | Literal["auto"] = "auto",
    runtime: Literal["torch", "onnx"] | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Enlarge or restore image files, or all image files in folders, at their own size.

    PNG, JPEG, WebP and AVIF files keep their names, others end in .png. Images are turned upright
    by their EXIF orientation, and keep transparency, colour profile and the other EXIF data. The
    outputs of PNG files of 16 bits have 16 bits, too. Repeat the command to continue: outputs in a
    folder that exist already are kept, unless their input has changed.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        files: image files, folders, or patterns such as 'photos/*.jpg'.
        output: image file to write or replace for one image, or folder for several; by default
            upscaled.png, which replaces no file, or upscaled.
        tile: side of the tiles of larger images, to limit the memory; 0 for no tiles. Tiles give
            the same image as the whole one, unless the network combines the whole image. auto
            chooses the side by the free memory.
        runtime: torch or onnx; by default torch if it is installed.
        device: cpu, cuda, cuda:1, or auto for cuda if there is a GPU.
        threads: threads of onnxruntime; by default one per core.
    """
    from ganzoo import zoo
    from ganzoo.bundle.files import reporting_output
    from ganzoo.sampling.images import is_image_name
    from ganzoo.sampling.translation import Translator
    from ganzoo.sampling.upscaled_files import ENDINGS, upscale_files

    inputs = tuple(match for path in files for match in _expand(path))
    if inputs != files and output and not is_image_name(output):
        with reporting_output(output):  # a folder, also for a pattern that one file matches
            output.mkdir(parents=True, exist_ok=True)
    model = zoo.load(name, runtime=runtime, device=device, threads=threads)
    if not isinstance(model, Translator) or model.sizes is None:
        raise SampleError(
            f"{name} does not enlarge images of any size. Use {_upscalers()}, or a model that "
            "`ganzoo import` converts from an upscaler's checkpoint."
        )

    def run(outputs: dict[Path, Path], folder: Path | None) -> TranslationReport:
        return upscale_files(model, outputs, tile=tile, folder=folder, progress=True)

    report = convert(inputs, output, "upscaled", run, ENDINGS)
    if report.tiled:
        exact = "the same as whole" if model.sizes.reach is not None else "blended"
        print_out(f"  in tiles, {exact}: {report.tiled:,} of {report.translated:,}")


def _expand(path: Path) -> list[Path]:
    """Return the files of a pattern; a path that exists is itself."""
    matches = [] if path.exists() else sorted(glob.glob(str(path), recursive=True))
    return [Path(match) for match in matches] or [path]


def _upscalers() -> str:
    """Return the names of the installed models that this command takes, as a clause."""
    from ganzoo.bundle.summary import find_summary
    from ganzoo.registry import models

    names = [
        name
        for name in models.names()
        if (summary := find_summary(models.entry(name))) and summary.spec.sizes
    ]
    return " or ".join(names[:3]) or "a model with sizes in `ganzoo info NAME`"
