"""A card is written once as a whole; from then on its blocks are renewed and its prose is kept."""

from __future__ import annotations

from pathlib import Path

from ganzoo.bundle import CARD, amend_bundle, open_bundle
from ganzoo.cards.blocks import BLOCKS, generate
from ganzoo.cards.context import CardContext
from ganzoo.cards.fences import find_blocks, replace_blocks
from ganzoo.cards.header import read_header, replace_header
from ganzoo.cards.metadata import merge
from ganzoo.cards.prose import draft
from ganzoo.errors import CardError


def write(path: str | Path) -> Path:
    """Renew the generated blocks and the header of a bundle's card; write a card where none is.

    Prose and the header's other fields stay as they are. The bundle's checksums then vouch for the
    card as it is now.

    Args:
        path: the bundle's folder.

    Returns:
        The card's file.

    Raises:
        CardError: a card without blocks, which is never overwritten; fences or a header that
            cannot be read. Nothing is written.
        NotABundleError, BundleError: no bundle, or a damaged one.
        OutputError: it cannot be written.
    """
    bundle = open_bundle(Path(path), edited=(CARD,))
    text = compose(CardContext.of(bundle), read(bundle.path))
    amend_bundle(bundle, bundle.spec, {CARD: text})
    return bundle.path / CARD


def compose(context: CardContext, card: str | None) -> str:
    """Return a card with all that is generated as it should be.

    Args:
        context: what it is of.
        card: its text so far, None for none.

    Raises:
        CardError, BundleError: as for `write`.
    """
    metadata, contents = generate(context)
    if card is None:
        card = draft(context, contents)
    if not has_blocks(card):
        raise CardError(
            f"the card of {context.spec.name!r} has no generated blocks, so it is left as it is. "
            f"Move {CARD} away, `ganzoo card write` the new one, and copy your words into it."
        )
    renewed = replace_blocks(card, contents, BLOCKS)
    return replace_header(renewed, merge(read_header(card), metadata))


def has_blocks(card: str) -> bool:
    """Whether a card has generated blocks, so that it can be renewed.

    Raises:
        CardError: its fences are not balanced, or of no block's name.
    """
    return bool(find_blocks(card, BLOCKS))


def read(folder: Path) -> str | None:
    """Return the card of a bundle, None where it has none.

    Raises:
        CardError: it is not UTF-8.
    """
    file = folder / CARD
    try:
        # Not `read_text`, which would change the ends of lines.
        return file.read_bytes().decode() if file.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"cannot read the card {file}: {error}. Write it as UTF-8.") from error
