"""Enlarge image files and folders of them, with their transparency and colour profiles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from ganzoo.sampling.image_files import read_with_alpha
from ganzoo.sampling.image_warnings import ImageFileWarning, warn_of_image
from ganzoo.sampling.translated_files import TranslationReport, convert_files, describe_model
from ganzoo.sampling.translation import Tile, Translator

ENDINGS = frozenset([".png", ".jpg", ".jpeg", ".webp"])  # that the outputs keep
JPEG = frozenset([".jpg", ".jpeg"])
QUALITY = 95  # of JPEG and WebP


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

    Images are turned upright by their EXIF orientation. Outputs keep the ICC profile.

    Args:
        model: the model.
        outputs: the output of each input, see `ganzoo.sampling.translated_files.plan_outputs`.
        tile: as for `Translator.upscale`.
        folder: the folder of the outputs: those that exist and are not older than their inputs are
            kept if its translation.json has the settings of this call. Without, all outputs are
            written.
        progress: whether to print the progress on stderr.

    Warns:
        FlattenedWarning: a file that ends in .jpg holds another format with transparency.

    Warns, and raises errors, as `ganzoo.sampling.translated_files.translate_files`.
    """
    report = TranslationReport()

    def upscale(_number: int, file: Path) -> Image.Image:
        image = read_with_alpha(file)
        pixels = np.asarray(image).reshape(1, image.height, image.width, -1)
        side = model.choose_tile(image.height, image.width, tile)
        report.tiled += side is not None
        larger = model.upscale(pixels, tile=side).numpy()[0]
        output = Image.fromarray(larger[..., 0] if larger.shape[2] == 1 else larger)
        if output.mode[0] == image.mode[0]:  # a profile of grey does not describe colours
            output.info = image.info  # the profile alone
        if file.suffix.lower() in JPEG and "A" in output.mode:
            warn_of_image(
                FlattenedWarning,
                f"{file} has transparency, although it ends in {file.suffix}, which has none: "
                "its output is on white",
            )
            behind = Image.new("RGBA", output.size, "white")
            flat = Image.alpha_composite(behind, output.convert("RGBA")).convert(output.mode[:-1])
            flat.info, output = output.info, flat
        return output

    settings = describe_model(model)
    # With tiles of any size, the outputs of a network with a reach are the same.
    if model.sizes and model.sizes.reach is None:
        settings["tile"] = tile
    convert_files(
        outputs, upscale, settings, report, folder=folder, progress=progress, quality=QUALITY
    )
    return report
