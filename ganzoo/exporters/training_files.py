"""What a bundle keeps of the training: the recipe, and a log of a bearable length."""

from __future__ import annotations

from pathlib import Path

from ganzoo.bundle import LOG, RECIPE

LOG_LINES = 500  # of a bundle's log, at most


def read_training(folder: Path) -> dict[str, bytes]:
    """Return the recipe and the log of a bundle by name, what there is of them.

    Of a log of more than `LOG_LINES` every so many-th line is left, the last one among them.
    """
    names = [name for name in (RECIPE, LOG) if (folder / name).is_file()]
    found = {name: (folder / name).read_bytes() for name in names}
    return found | ({LOG: _thin(found[LOG])} if LOG in found else {})


def _thin(log: bytes) -> bytes:
    lines = log.splitlines(keepends=True)
    step = -(-len(lines) // LOG_LINES)
    return b"".join(lines[(len(lines) - 1) % step :: step]) if step > 1 else log
