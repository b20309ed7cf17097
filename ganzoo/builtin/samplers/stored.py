"""Images whose codes are in a file."""

from __future__ import annotations

from ganzoo import Codes, Draw, Generator
from ganzoo.sampling.code_files import read_codes, select


def stored(model: Generator, draw: Draw, *, file: str) -> Codes:
    """Return the codes of a file, such as one of `ganzoo invert`, without truncation.

    Args:
        model: the model of the file.
        draw: image k of a seed has code k of the file, and after the last the first again; seeds
            have no effect, and a label is refused.
        file: file of codes.
    """
    draw.refuse_label("stored")
    return select(read_codes(file, model.spec), draw.numbers)
