"""Find the code of an uploaded photo, within a number of steps and a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from ganzoo.demo.drawing import UPLOAD, open_upload, read_drawing, write_drawing
from ganzoo.demo.sampling import ALL_CLASSES, as_integer, classes
from ganzoo.errors import ImageFileError, SampleError, quantity
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.translation import Encoder
from ganzoo.spec import ModelSpec

STEPS = 20, 500
SECONDS = 60  # after which the nearest code so far is shown
SIDE = 1024  # largest side of a photo on the page, in pixels


class Reconstruction(NamedTuple):
    """The result.

    Attributes:
        photo: the photo in the size of the model.
        image: the image of the code.
        whole: the whole photo if it was cropped, its lost parts pale.
        text: the PSNR and the number of steps.
    """

    photo: ImageBatch
    image: ImageBatch
    whole: ImageBatch | None
    text: str


def spaces(spec: ModelSpec) -> list[str]:
    """Return the spaces of the codes of a model, the usual one first."""
    return ["w", "w+", "z"] if spec.styles else ["z"]


def read_photo(file: Any) -> str:
    """Return an uploaded photo as a URL of a PNG of up to 1024 pixels a side; delete the file.

    Raises:
        ImageFileError: as for `open_upload`; the file is deleted, too.
    """
    try:
        image = open_upload(file)
    finally:
        Path(file).unlink(missing_ok=True)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return write_drawing(image)


def reconstruct(
    model: Generator,
    url: Any,
    *,
    space: str,
    steps: Any,
    label: str | None = None,
    encoder: Encoder | None = None,
    progress: Callable[[float], Any] = lambda share: None,
) -> Reconstruction:
    """Find the code whose image is nearest to a photo.

    Args:
        model: a generator on the torch runtime.
        url: the photo, from `read_photo`.
        space: one of `spaces`.
        steps: 20 to 500 steps, which end after 60 seconds.
        label: the photo's class, or `ALL_CLASSES`; ignored for a model without classes.
        encoder: the encoder of the model.
        progress: is called with the share of the steps that are done.

    Raises:
        ImageFileError: there is no photo.
        SampleError: an argument is out of range, or the class does not exist.
    """
    from ganzoo.inversion import fit_photo, invert

    count, size = as_integer(steps, "number of steps", *STEPS), model.spec.data.image
    if space not in spaces(model.spec):
        known = ", ".join(spaces(model.spec))
        raise SampleError(f"{model.spec.name!r} has no space {space!r}. Choose one of {known}.")
    if not url:
        raise ImageFileError("there is no photo. Upload one first.")
    photo = fit_photo(read_drawing(url, "RGB" if size.channels == 3 else "L"), size, UPLOAD)
    end = time.monotonic() + SECONDS

    def report(step: int, steps: int) -> bool:
        progress(step / steps)
        return time.monotonic() < end

    result = invert(
        model,
        photo.image,
        space=space,  # type: ignore[arg-type]
        steps=count,
        label=None if label == ALL_CLASSES or not classes(model.spec) else label,
        encoder=encoder,
        on_step=report,
    )
    text = f"PSNR {result.psnr:.1f} dB after {quantity(result.steps, 'step')} in {result.space}"
    if result.interrupted:
        text += f", ended after {SECONDS} seconds"
    return Reconstruction(result.photo, result.image, photo.whole, text)
