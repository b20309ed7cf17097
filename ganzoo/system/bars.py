"""Progress bars on standard error, in a terminal or a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any


def rewrites_lines() -> bool:
    """Return whether standard error can rewrite a line: in a terminal or a notebook, not a file."""
    stream = sys.stderr
    in_notebook = type(stream).__module__.startswith("ipykernel.")  # Jupyter, Colab
    return stream is not None and (in_notebook or stream.isatty())


def progress_bar(
    items: Iterable[Any] | None = None, text: str = "", *, visible: bool = True, **options: Any
) -> Any:
    """Return a bar of tqdm that disappears at its end.

    Args:
        items: what to iterate over; None for a bar that is updated by hand.
        text: what is done.
        visible: whether to show it where standard error can rewrite a line.
        options: other options of tqdm, such as `total` and `unit`.
    """
    from tqdm import tqdm

    return tqdm(items, text, disable=not (visible and rewrites_lines()), leave=False, **options)
