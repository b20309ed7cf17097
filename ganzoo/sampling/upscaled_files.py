"""Enlarge image files and folders of them, with their transparency and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganzoo.errors import ImageFileError
from ganzoo.sampling.image_files import ImageContent, read_with_metadata
from ganzoo.sampling.image_folders import AVIF
from ganzoo.sampling.image_warnings import ImageFileWarning, warn_of_image
from ganzoo.sampling.images import find_format, write_image
from ganzoo.sampling.png_files import write_png
from ganzoo.sampling.tiles import Progress
from ganzoo.sampling.translated_files import TranslationReport, convert_files, describe_model
from ganzoo.sampling.translation import LargeResultError, Tile, Translator

PNG = ".png"
JPEG = frozenset([".jpg", ".jpeg"])
ENDINGS = frozenset([PNG, *JPEG, ".webp", *AVIF])  # that the outputs keep
OPAQUE = frozenset(["JPEG", "BMP", "DIB", "PPM"])  # formats without transparency
QUALITY = 95  # of JPEG, WebP and AVIF


class FlattenedWarning(ImageFileWarning):
    """An output loses the transparency of its input, which its ending does not allow."""


def upscale_files(
    model: Translator,
    outputs: Mapping[Path, Path],
    *,
    tile: Tile = "auto",
    folder: Path | None = None,
    progress: bool = False,
) -> TranslationReport:
    """Enlarge image files. Every output is complete or missing, so the same call continues.

    Images are turned upright by their EXIF orientation. Outputs keep the ICC profile and the other
    EXIF data. PNG files of 16 bits give PNG files of 16 bits, or 8 bits in other formats.

    Args:
        model: the model.
        outputs: the output of each input, see `ganzoo.sampling.translated_files.plan_outputs`.
        tile: as for `Translator.upscale`.
        folder: the folder of the outputs: those that exist are kept if its translation.json has
            the settings of this call, and the present size and time of their inputs. Without, all
            outputs are written.
        progress: whether to print the progress on stderr.

    Warns:
        FlattenedWarning: the output of an image with transparency ends in .jpg, for example.

    Warns, and raises errors, as `ganzoo.sampling.translated_files.translate_files`.
    """
    report = TranslationReport()

    def upscale(_number: int, file: Path, progress: Progress) -> ImageContent:
        image = read_with_metadata(file)
        height, width, _ = image.pixels.shape
        side = model.choose_tile(height, width, tile)
        report.tiled += side is not None
        try:
            larger = model.upscale_array(image.pixels[None], tile=side, progress=progress)[0]
        except LargeResultError as error:  # the other files of a folder may be smaller
            raise ImageFileError(f"cannot enlarge {file}: {error}") from error
        is_grey, becomes_grey = (pixels.shape[2] < 3 for pixels in (image.pixels, larger))
        if is_grey != becomes_grey:  # a profile of grey does not describe colours
            image = image._replace(profile=None)
        output = outputs[file]
        if find_format(output) in OPAQUE and larger.shape[2] in (2, 4):
            warn_of_image(
                FlattenedWarning,
                f"{file} has transparency, and its output ends in {output.suffix}, which has none: "
                "it is on white",
            )
            larger = _put_on_white(larger)
        return image._replace(pixels=larger)

    settings = describe_model(model)
    # With tiles of any size, the outputs of a network with a reach are the same.
    if model.sizes and model.sizes.reach is None:
        settings["tile"] = tile
    convert_files(outputs, upscale, _write, settings, report, folder=folder, progress=progress)
    return report


def _put_on_white(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return pixels (height, width, channels) without their last channel, the transparency."""
    white = np.iinfo(pixels.dtype).max
    opacity = pixels[..., -1:] / np.float32(white)
    return np.rint(white + (pixels[..., :-1] - np.float32(white)) * opacity).astype(pixels.dtype)


def _write(content: ImageContent, path: Path) -> None:
    """Write an image file, complete or not at all, with its metadata."""
    pixels = content.pixels
    if path.suffix.lower() == PNG:
        write_png(path, pixels, content.profile, content.exif)
        return
    if pixels.dtype == np.uint16:
        pixels = np.rint(pixels / np.float32(257)).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    metadata = {"icc_profile": content.profile, "exif": content.exif}
    present = {name: data for name, data in metadata.items() if data}
    write_image(image, path, quality=QUALITY, **present)
