"""Write a card, or update the generated blocks of an existing card and keep its prose."""

from __future__ import annotations

from pathlib import Path

from ganzoo.bundle import CARD, amend_bundle, open_bundle
from ganzoo.cards.blocks import BLOCKS, generate
from ganzoo.cards.context import CardContext
from ganzoo.cards.fences import find_blocks, replace_blocks
from ganzoo.cards.header import read_card, read_header, replace_header
from ganzoo.cards.metadata import merge
from ganzoo.cards.prose import draft
from ganzoo.errors import CardError


def write(path: str | Path) -> Path:
    """Update the header and the generated blocks of a bundle's card, or write a new card.

    Prose and the header's other fields are kept. The bundle's checksums are updated.

    Args:
        path: the bundle's folder.

    Returns:
        Path of the card.

    Raises:
        CardError: the card has no blocks and is never overwritten; or its fences or header cannot
            be read. Nothing is written.
        NotABundleError, BundleError: the folder is not a bundle, or the bundle is damaged.
        OutputError: the card cannot be written.
    """
    bundle = open_bundle(Path(path), edited=(CARD,))
    text = compose(CardContext.of(bundle), read(bundle.path))
    amend_bundle(bundle, bundle.spec, {CARD: text})
    return bundle.path / CARD


def compose(context: CardContext, card: str | None) -> str:
    """Return a card with its header and generated blocks up to date.

    Args:
        context: the model that the card describes.
        card: the text of the existing card; None for a new one.

    Raises:
        CardError, BundleError: as for `write`.
    """
    metadata, contents = generate(context)
    if card is None:
        card = draft(context, contents)
    if not has_blocks(card):
        raise CardError(
            f"cannot update the card of {context.spec.name!r}: it has no generated blocks. Move "
            f"{CARD} away, run `ganzoo card write`, and copy your text into the new card."
        )
    updated = replace_blocks(card, contents, BLOCKS)
    return replace_header(updated, merge(read_header(card), metadata))


def has_blocks(card: str) -> bool:
    """Whether a card has generated blocks and can be updated.

    Raises:
        CardError: the fences are unbalanced, or name an unknown block.
    """
    return bool(find_blocks(card, BLOCKS))


def read(folder: Path) -> str | None:
    """Return the text of a bundle's card; None if it has none.

    Raises:
        CardError: the card cannot be read, is not UTF-8, or is too long.
    """
    file = folder / CARD
    try:
        # `read_text` would change the line endings.
        return read_card(file).decode() if file.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"cannot read the card {file}: {error}. Save it as UTF-8.") from error
