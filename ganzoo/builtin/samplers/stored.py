"""Images whose codes are in a file."""

from __future__ import annotations

from ganzoo import Codes, Draw, Generator
from ganzoo.sampling.code_files import codes_of_draw


def stored(model: Generator, draw: Draw, *, file: str) -> Codes:
    """Return the codes of a file, such as one of `ganzoo invert`, without truncation.

    Args:
        model: the model of the file.
        draw: image k has code k of the file, and after the last the first again. A seed or a label
            is refused, because the file determines both.
        file: file of codes.
    """
    return codes_of_draw(file, model.spec, draw)
