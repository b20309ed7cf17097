"""The return type of an export target."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class TargetFiles(NamedTuple):
    """The files that an export target wrote.

    Attributes:
        folders: the written folders, in order.
        next_step: a command that serves or opens them, printed as ``next: COMMAND``; empty without
            one.
    """

    folders: list[Path]
    next_step: str = ""
