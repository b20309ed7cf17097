"""The checksums of a model's files."""

from __future__ import annotations

from ganzoo.bundle import CHECKSUMS, format_checksums
from ganzoo.cards.context import CardContext


def render(context: CardContext) -> str:
    """Return the SHA-256 of every file except the card, as `sha256sum` prints it."""
    return (
        f"SHA-256 of each file. Verify them with `sha256sum --check {CHECKSUMS}`:\n\n"
        f"```text\n{format_checksums(context.digests)}```\n"
    )
