"""Changes to bundles."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ganzoo.cards


def finish_card(bundle: Path) -> None:
    """Fill in the sections that a card leaves to its author."""
    card = bundle / "README.md"
    card.write_text(re.sub(r"^TODO: .*", "Ours says so.", card.read_text(), flags=re.MULTILINE))
    ganzoo.cards.write(bundle)


UNLISTED = {"SHA256SUMS", "README.md", ".gitattributes"}


def rehash(bundle: Path) -> None:
    """Write checksums of a bundle's files as they are now, as an attacker would."""
    files = sorted(p for p in bundle.rglob("*") if p.is_file() and p.name not in UNLISTED)
    lines = [
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(bundle).as_posix()}\n"
        for p in files
    ]
    (bundle / "SHA256SUMS").write_text("".join(lines))


def change_config(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit a bundle's config.json and renew the checksums."""
    config = json.loads((bundle / "config.json").read_text())
    change(config)
    (bundle / "config.json").write_text(json.dumps(config))
    rehash(bundle)
