"""Read the training files that a bundle keeps: the recipe, and the log thinned to 500 lines."""

from __future__ import annotations

from ganzoo.bundle import LOG, RECIPE, Bundle

LOG_LINES = 500  # maximum


def read_training(bundle: Bundle) -> dict[str, bytes]:
    """Return the recipe and the log of a bundle by name, without the missing ones.

    Logs longer than `LOG_LINES` lines are thinned evenly; the last line is kept.
    """
    names = [name for name in (RECIPE, LOG) if bundle.holds(name)]
    files = {name: bundle.file(name).read_bytes() for name in names}
    return files | ({LOG: _thin(files[LOG])} if LOG in files else {})


def _thin(log: bytes) -> bytes:
    lines = log.splitlines(keepends=True)
    step = -(-len(lines) // LOG_LINES)
    return b"".join(lines[(len(lines) - 1) % step :: step]) if step > 1 else log
