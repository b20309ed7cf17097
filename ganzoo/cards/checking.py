"""What of a card is not as it should be, in a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganzoo.bundle import CARD, CHECKSUMS, Bundle, open_bundle, read_checksums
from ganzoo.bundle.files import sha256
from ganzoo.cards.blocks import BLOCKS, generate
from ganzoo.cards.context import CardContext
from ganzoo.cards.fences import fence, read_blocks
from ganzoo.cards.header import read_header
from ganzoo.cards.metadata import figures, merge
from ganzoo.cards.sections import find_unfinished
from ganzoo.cards.tables import read_rows
from ganzoo.cards.writing import read
from ganzoo.errors import CardError
from ganzoo.registry import models
from ganzoo.registry.names import ZooName, parse_model_name


def check(name: str | Path) -> list[str]:
    """Say what of a model's card differs from its config, is unfinished or is not vouched for.

    Args:
        name: a bundle's folder, or the name of a model that an installed package ships.

    Returns:
        A line for each figure, block and field of the header that is not as the config has it, and
        for each section that is empty or still to be written; none for a card that is right.

    Raises:
        CardError: a model that lies on the Hub: its card is checked before it is pushed.
        UnknownNameError, NotABundleError, BundleError: no such bundle, or a damaged one.
    """
    bundle = open_bundle(_find(name), edited=(CARD,))
    return list(_problems(bundle))


def find_wrong_figures(context: CardContext, card: str) -> list[str]:
    """Say which figures that a card states are not those of its model's config.

    They are the values of the header's metrics and the rows of the blocks' tables. A card without
    blocks states none but in its header.

    Raises:
        CardError: fences or a header that cannot be read.
        BundleError: a provenance that lacks what a card states.
    """
    metadata, contents = generate(context)
    wrong = _compare("header", figures(read_header(card)), figures(metadata))
    for name, content in read_blocks(card, BLOCKS).items():
        wrong += _compare(f"block {name!r}", _figures(content), _figures(contents[name]))
    return wrong


def _compare(where: str, stated: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    return [
        f"the figure {label!r} in the card's {where} is {value}, "
        + (f"and the config says {expected[label]}." if label in expected else "of no such thing.")
        for label, value in stated.items()
        if label not in expected or expected[label] != value
    ]


def _figures(content: str) -> dict[str, str]:
    """Rows of a block's tables; where several share a label, they are numbered."""
    seen: Counter[str] = Counter()
    found = {}
    for label, value in read_rows(content):
        seen[label] += 1
        found[label if seen[label] == 1 else f"{label} ({seen[label]})"] = value
    return found


def _find(name: str | Path) -> Path:
    place = parse_model_name(name)
    found = models.get(str(place)) if isinstance(place, ZooName) else place
    if not isinstance(found, Path):
        raise CardError(
            f"{name} lies on the Hub. A card is checked in its bundle: ganzoo card check ./FOLDER"
        )
    return found


def _problems(bundle: Bundle) -> Iterator[str]:
    context, advice = CardContext.of(bundle), f"ganzoo card write {bundle.path}"
    try:
        card = read(bundle.path)
        if card is None:
            yield f"there is no {CARD}: `{advice}` writes it."
            return
        blocks, stated = read_blocks(card, BLOCKS), read_header(card)
        wrong = find_wrong_figures(context, card)
    except CardError as error:
        yield str(error)
        return
    yield from wrong
    metadata, contents = generate(context)
    if not blocks:
        yield f"the card has no generated blocks: `{advice}` says what to do."
        return
    for name, content in contents.items():
        if name not in blocks:
            fences = fence(name, "").strip().replace("\n", " and ")
            yield f"the card has no block {name!r}: write {fences} into it, then `{advice}`."
        elif blocks[name] != content:
            yield f"the card's block {name!r} is not what the config says: `{advice}`."
    for key, value in merge(stated, metadata).items():
        if stated.get(key) != value:
            yield f"the header's field {key!r} is not what the config says: `{advice}`."
    yield from find_unfinished(card)
    if read_checksums(bundle.path).get(CARD) != sha256(bundle.path / CARD):
        yield f"{CARD} was edited and {CHECKSUMS} does not vouch for it yet: `{advice}`."
