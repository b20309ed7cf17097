"""What an export target returns."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class TargetFiles(NamedTuple):
    """Files that an export target wrote.

    Attributes:
        folders: what was written, in order.
        next_step: a command that serves or opens it, for ``next: COMMAND``; empty for none.
    """

    folders: list[Path]
    next_step: str = ""
