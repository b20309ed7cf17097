"""Translate image files and folders of them to files of the same names."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo.bundle.files import reporting_output, write_file
from ganzoo.errors import DataError, ImageFileError, OutputError, quantity
from ganzoo.sampling.image_files import read_image
from ganzoo.sampling.image_fits import Background, Fit, Fitting
from ganzoo.sampling.image_folders import list_images
from ganzoo.sampling.image_warnings import ImageNotes
from ganzoo.sampling.images import find_format, is_image_name, write_image
from ganzoo.sampling.progress import Progress
from ganzoo.sampling.sizes import TILE, WHOLE
from ganzoo.sampling.tiles import Progress as Share
from ganzoo.sampling.tiles import default_overlap
from ganzoo.sampling.translation import Translator
from ganzoo.spec.json_text import read_json

INDEX = "translation.json"  # in a folder of outputs, their settings, and sizes and times of inputs
MAX_INDEX = 2**28  # bytes
ENDING = ".png"  # of files in a folder: lossless, for inputs of any format
SHOWN = 5  # files that cannot be read whose errors are shown
Content = TypeVar("Content")  # of an output


@dataclass
class TranslationReport:
    """The result of `translate_files`.

    Attributes:
        translated: images that were translated and written.
        existing: outputs that existed before, and were kept.
        unreadable: files that cannot be read.
        fitted: images that were fitted to the only size that the model reads.
        tiled: images that were translated in tiles.
        seconds: duration.
    """

    translated: int = 0
    existing: int = 0
    unreadable: int = 0
    fitted: int = 0
    tiled: int = 0
    seconds: float = 0.0

    @property
    def images_per_second(self) -> float:
        """Images per second."""
        return self.translated / max(self.seconds, 1e-9)


def find_fitting(model: Translator, fit: Fit | None = None) -> Fitting:
    """Return how image files get the size of a model's training.

    Args:
        model: the model.
        fit: the fit; by default that of the model's dataset if its config states pad or stretch,
            and otherwise crop.
    """
    size, arguments = model.condition, model.spec.recorded("recipe", "dataset")
    recorded: Any = arguments.get("fit")
    chosen: Fit = fit or (recorded if recorded in ("pad", "stretch") else "crop")
    background: Background = "black" if arguments.get("background") == "black" else "white"
    return Fitting(size.height, size.width, chosen, background, "--fit")


def list_inputs(inputs: Sequence[Path]) -> list[Path]:
    """Return the given files, and all image files in the given folders.

    Raises:
        DataError: an input does not exist, or a folder contains no image files.
    """
    return [file for path in inputs for file, _ in _find(path)]


def plan_outputs(
    inputs: Sequence[Path], out: Path, endings: Collection[str] = ()
) -> dict[Path, Path]:
    """Return the output file of each image file.

    Of one file, the output is the file `out`. Otherwise `out` is a folder: the outputs keep the
    names and the sub-folders of the inputs and end in ``.png``.

    Args:
        inputs: image files, and folders of them.
        out: an image file, or a folder.
        endings: endings that the outputs keep, such as ``.jpg``.

    Raises:
        DataError: there are no inputs, one does not exist, or a folder contains no image files.
        OutputError: two inputs would have one output, an output is an input, or `out` is not what
            the inputs need.
    """
    if not inputs:
        raise DataError("there are no image files. Name files or folders after the model.")
    if len(inputs) == 1 and not inputs[0].is_dir() and not out.is_dir():
        (path,) = list_inputs(inputs)
        find_format(out)
        _check_inputs_are_kept([path], [out])
        return {path: out}
    if not out.is_dir() and is_image_name(out):
        raise OutputError(
            f"{out} names one image file, and there are several inputs. Pass a folder with -o, or "
            "add --grid to write one grid."
        )
    outputs: dict[Path, Path] = {}
    origins: dict[Path, Path] = {}
    for path in inputs:
        if path.is_dir() and out.resolve().is_relative_to(path.resolve()):
            raise OutputError(
                f"{out} is in the folder {path}, so its images would be inputs the next time. "
                "Choose a folder outside of it with -o."
            )
        for file, name in _find(path):
            ending = name.suffix if name.suffix.lower() in endings else ENDING
            output = out / name.with_suffix(ending)
            other = origins.setdefault(output, file)
            if other != file:
                raise OutputError(
                    f"{other} and {file} would both be written to {output}. Rename one of them, or "
                    "choose different folders with -o."
                )
            outputs[file] = output
    _check_inputs_are_kept(list(outputs), list(outputs.values()))
    return outputs


def translate_files(
    model: Translator,
    outputs: Mapping[Path, Path],
    seed: int = 0,
    *,
    tile: int | None = None,
    overlap: int | None = None,
    fit: Fit | None = None,
    folder: Path | None = None,
    progress: bool = False,
) -> TranslationReport:
    """Translate image files. Every output is complete or missing, so the same call continues.

    Args:
        model: the model. Without `sizes`, it reads images of one size, and others are fitted.
        outputs: the output of each input, see `plan_outputs`.
        seed: seed of the latents, if the model reads any; file k has latent k.
        tile: side of the tiles of images with a longer side; 0 translates every image whole. By
            default, images of more than 1024x1024 pixels are translated in tiles of 512.
        overlap: pixels that two tiles share at least, see `Translator.translate`.
        fit: how images get the size of a model that reads one size, see `find_fitting`.
        folder: the folder of the outputs: those that exist are kept if its translation.json has
            these settings, and the present size and time of their inputs. Without, all outputs are
            written.
        progress: whether to print the progress on stderr.

    Warns:
        UserWarning: files cannot be read. The first five are named.
        ImageFileWarning: a part of an image is not used.

    Raises:
        DataError: none of several files can be read.
        ImageFileError: the only file cannot be read.
        SampleError: an argument is out of range, or an output is not finite.
        OutputError: a file cannot be written, or an output exists that has other settings.
    """
    report, fitting = TranslationReport(), find_fitting(model, fit)

    def translate(number: int, file: Path, _progress: Share) -> Image.Image:
        pixels = _read(model, file, fitting, report)
        side = _tile_of(model, pixels, tile)
        report.tiled += _is_tiled(model, pixels, side)
        batch = model.translate(pixels[None], seed, start=number, tile=side, overlap=overlap)
        return batch.pil()[0]

    settings = _describe(model, seed, tile, overlap, fitting)
    convert_files(
        outputs, translate, write_image, settings, report, folder=folder, progress=progress
    )
    return report


def convert_files(
    outputs: Mapping[Path, Path],
    convert: Callable[[int, Path, Share], Content],
    write: Callable[[Content, Path], object],
    settings: Mapping[str, Any],
    report: TranslationReport,
    *,
    folder: Path | None = None,
    progress: bool = False,
) -> None:
    """Write the outputs of image files. Every output is complete or missing.

    Args:
        outputs: the output of each input.
        convert: returns the content of an output, by the number and the file of its input. It may
            call its last argument with the share of the work that is done.
        write: writes a content to a file, complete or not at all.
        settings: what determines the outputs, for the folder's translation.json.
        report: counts are added to it.
        folder: as for `translate_files`.
        progress: as for `translate_files`.

    Warns, and raises errors, as `translate_files`.
    """
    since, notes = time.perf_counter(), ImageNotes()
    inputs: dict[str, str] = {}
    if folder:
        index = _read_index(folder / INDEX)
        if any(output.exists() for output in outputs.values()):
            _check_settings(folder, index, settings)
        inputs = _read_inputs(index)
    todo = [
        (number, *files)
        for number, files in enumerate(outputs.items())
        if folder is None or not _is_up_to_date(*files, inputs.get(_name_in(folder, files[1])))
    ]
    report.existing = len(outputs) - len(todo)
    with Progress(len(todo), 1, progress) as line, _writing(folder, settings, inputs) as begin:
        for number, file, output in todo:
            identity = _identify(file)
            try:
                with notes.of_image():
                    content = convert(number, file, line.advance)
            except ImageFileError as error:
                if len(outputs) == 1:
                    raise
                report.unreadable += 1
                if report.unreadable <= SHOWN:
                    warnings.warn(str(error), stacklevel=3)
            else:
                if folder and not report.translated:
                    begin()
                write(content, output)
                if folder:
                    inputs[_name_in(folder, output)] = identity
                report.translated += 1
            line.update(1)
    notes.tell(report.translated)
    if report.unreadable == len(outputs):
        raise DataError(f"cannot read any of {quantity(len(outputs), 'image file')}. Replace them.")
    report.seconds = time.perf_counter() - since


@contextlib.contextmanager
def _writing(
    folder: Path | None, settings: Mapping[str, Any], inputs: Mapping[str, str]
) -> Iterator[Callable[[], None]]:
    """Yield a function that writes the index of a folder, which is written at the end again."""
    has_begun = False

    def write() -> None:
        nonlocal has_begun
        has_begun = True
        assert folder is not None
        write_file(folder / INDEX, json.dumps({**settings, "inputs": inputs}, indent=2) + "\n")

    try:
        yield write
    finally:
        if has_begun:
            write()


def _is_up_to_date(file: Path, output: Path, identity: str | None) -> bool:
    """Return whether an output exists, and is that of its input as it is now.

    Args:
        file: the input.
        output: the output.
        identity: result of `_identify` for the input of the output; None if a killed process wrote
            it. Then an output that is not older than its input is up to date.
    """
    try:
        if identity is not None:
            return output.exists() and identity == _identify(file)
        return output.stat().st_mtime_ns >= file.stat().st_mtime_ns
    except OSError:
        return False


def _identify(file: Path) -> str:
    """Return the size and the modification time of a file: another one of its name has others."""
    try:
        status = file.stat()
    except OSError:  # which its decoder reports
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def _name_in(folder: Path, output: Path) -> str:
    """Return the path of an output in its folder, with ``/``."""
    return output.relative_to(folder).as_posix()


def describe_model(model: Translator) -> dict[str, Any]:
    """Return the settings that identify a model."""
    config = hashlib.sha256(model.spec.to_json().encode()).hexdigest()
    return {"model": model.spec.name, "config_sha256": config}


def _describe(
    model: Translator, seed: int, tile: int | None, overlap: int | None, fitting: Fitting
) -> dict[str, Any]:
    """Return the settings that determine the outputs."""
    settings = describe_model(model)
    if model.spec.latent:
        settings["seed"] = seed
    if model.sizes:
        overlap = default_overlap(model.sizes) if overlap is None else overlap
        settings |= {"tile": tile, "overlap": overlap}
    else:
        settings["fit"] = fitting.fit
    return settings


def _check_settings(folder: Path, known: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise an error if the index of a folder does not state that its outputs have settings."""
    nothing = object()
    differences = [
        f"{key} {known.get(key)}, not {value}"
        for key, value in settings.items()
        if known.get(key, nothing) != value
    ]
    if differences:
        says = f"its {INDEX} says {'; '.join(differences)}" if known else f"it has no {INDEX}"
        raise OutputError(
            f"{folder} contains images of other settings: {says}. Pass the settings of the folder, "
            "or choose a new folder with -o."
        )


def _read_inputs(index: Mapping[str, Any]) -> dict[str, str]:
    """Return the results of `_identify` of an index, by the name of the output."""
    inputs = index.get("inputs")
    table = inputs if isinstance(inputs, dict) else {}
    return {name: text for name, text in table.items() if isinstance(text, str)}


def _read_index(path: Path) -> dict[str, Any]:
    """Return the index of a folder of outputs; empty if there is none."""
    with reporting_output(path):
        if not path.is_file() or path.stat().st_size > MAX_INDEX:
            return {}
        content = path.read_bytes()
    try:
        settings = read_json(content)
    except ValueError:
        return {}
    return settings if isinstance(settings, dict) else {}


def _find(path: Path) -> list[tuple[Path, Path]]:
    """Return image files, each with its name in an output folder."""
    if path.is_dir():
        images = list_images(path, "Pass a folder of image files.")
        return [(file, Path(name)) for file, name in zip(images.paths, images.names, strict=True)]
    if not path.exists():
        raise DataError(f"image file not found: {path}. Check the path.")
    return [(path, Path(path.name))]


def _check_inputs_are_kept(inputs: Sequence[Path], outputs: Sequence[Path]) -> None:
    """Raise an error if an output would replace an input."""
    if both := {p.resolve() for p in inputs} & {p.resolve() for p in outputs}:
        raise OutputError(
            f"{min(both)} is an input and an output, and would be replaced. Choose another -o."
        )


def _read(
    model: Translator, file: Path, fitting: Fitting, report: TranslationReport
) -> NDArray[np.uint8]:
    """Return an image of a size that a model reads, uint8 (height, width, channels)."""
    size = model.condition
    mode = "RGB" if size.channels == 3 else "L"
    image = read_image(file, mode, background=fitting.background)
    if model.sizes is None and image.size != (size.width, size.height):
        image = fitting.apply(image, file, file.name)
        report.fitted += 1
    return np.asarray(image).reshape(image.height, image.width, -1)


def _tile_of(model: Translator, pixels: NDArray[np.uint8], tile: int | None) -> int | None:
    """Return the side of the tiles of an image; None to translate it whole."""
    if tile is not None:
        return tile or None
    height, width = pixels.shape[:2]
    large = height * width > WHOLE and (height, width) != model.condition.shape[1:]
    if not large or model.sizes is None:
        return None
    overlap = default_overlap(model.sizes)
    return max(TILE, overlap + model.sizes.padded(max(overlap, 1)))


def _is_tiled(model: Translator, pixels: NDArray[np.uint8], tile: int | None) -> bool:
    """Return whether an image is larger than a tile, whose side is a multiple of the network's."""
    if tile is None or model.sizes is None:
        return False
    return bool(max(pixels.shape[:2]) > model.sizes.padded(tile))
