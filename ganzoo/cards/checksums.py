"""What the files of a model are, to the last bit."""

from __future__ import annotations

from ganzoo.bundle import CHECKSUMS, format_checksums
from ganzoo.cards.context import CardContext


def render(context: CardContext) -> str:
    """Return the SHA-256 of every file but the card, as `sha256sum` prints it."""
    return (
        f"SHA-256 of each file; `sha256sum --check {CHECKSUMS}` compares them:\n\n"
        f"```text\n{format_checksums(context.digests)}```\n"
    )
