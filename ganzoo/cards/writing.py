"""Write a card, or update the generated blocks of an existing card and keep its prose."""

from __future__ import annotations

from pathlib import Path

from ganzoo.bundle import CARD, amend_bundle, read_card
from ganzoo.bundle.location import open_folder
from ganzoo.cards.blocks import BLOCKS, generate
from ganzoo.cards.context import CardContext
from ganzoo.cards.fences import find_blocks, replace_blocks
from ganzoo.cards.header import read_header, replace_header
from ganzoo.cards.metadata import merge
from ganzoo.cards.prose import draft
from ganzoo.errors import BundleError, CardError


def write(path: str | Path) -> Path:
    """Update the header and the generated blocks of a bundle's card, or write a new card.

    Prose and the header's other fields are kept.

    Args:
        path: the folder of the bundle, or of a run.

    Returns:
        Path of the card.

    Raises:
        CardError: the card has no blocks and is never overwritten; or its fences or header cannot
            be read. Nothing is written.
        NotABundleError, BundleError: the folder is not a bundle, or the bundle is damaged.
        OutputError: the card cannot be written.
    """
    bundle = open_folder(Path(path))
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
    try:
        content = read_card(folder)
        return None if content is None else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CardError(
            f"cannot read the card {folder / CARD}: {error}. Save it as UTF-8."
        ) from error
    except BundleError as error:
        raise CardError(str(error)) from error
