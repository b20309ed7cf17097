"""Types of command arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

Text = tyro.conf.Positional[str]
Folder = tyro.conf.Positional[Path]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
MaybeOutput = Annotated[Path | None, tyro.conf.arg(aliases=["-o"])]
