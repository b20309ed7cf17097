"""Check a card against its config; report each problem in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganzoo.bundle import CARD, Bundle
from ganzoo.bundle.location import explain_download, open_folder
from ganzoo.cards.blocks import BLOCKS, generate
from ganzoo.cards.context import CardContext
from ganzoo.cards.fences import fence, read_blocks
from ganzoo.cards.header import read_header
from ganzoo.cards.metadata import figures, merge
from ganzoo.cards.sections import find_unfinished
from ganzoo.cards.tables import read_rows
from ganzoo.cards.writing import read
from ganzoo.errors import CardError, UnknownNameError, shell_word
from ganzoo.registry import models
from ganzoo.registry.names import ZooName, parse_model_name


def check(name: str | Path) -> list[str]:
    """Return the problems of a model's card, one line each.

    A problem is a value, block or header field that differs from the config, a missing licence, or
    a section that is empty or unfinished.

    Args:
        name: the folder of a bundle or run, or the name of a model that an installed package ships.

    Returns:
        One line for each problem; an empty list for a correct card.

    Raises:
        CardError: the model is on the Hub. Its card is checked before it is pushed.
        UnknownNameError, NotABundleError, BundleError: the bundle does not exist or is damaged.
    """
    return list(_problems(find_bundle(name)))


def find_bundle(name: str | Path) -> Bundle:
    """Return the bundle whose card `check` checks; arguments and errors are the same."""
    return open_folder(_find(name))


def find_wrong_values(context: CardContext, card: str) -> list[str]:
    """Return the values in a card that differ from its model's config, one line each.

    The values are those of the header's metrics and of the rows of the tables in the blocks.

    Raises:
        CardError: the fences or the header cannot be read.
        BundleError: the provenance lacks a value that a card states.
    """
    metadata, contents = generate(context)
    wrong = _compare("header", figures(read_header(card)), figures(metadata))
    for name, content in read_blocks(card, BLOCKS).items():
        wrong += _compare(f"block {name!r}", _figures(content), _figures(contents[name]))
    return wrong


def _check_inherited(context: CardContext, license: Any) -> str:
    """Return a problem if a header lacks licences of the initial weights or of the images."""
    ids = [each["id"] or "other" for each in context.spec.licenses]
    header = license if isinstance(license, list) else [license]
    if not context.lacks_image_license or (license and {*ids} <= {*header}):
        return ""
    theirs = context.spec.license
    known = f"that of the initial weights is {theirs}" if theirs else "so is that of the weights"
    if ids:
        advice = f"`license: [{', '.join(ids)}, ID]`, or `license: {ids[0]}` if it is the same"
    else:
        advice = "`license: ID`, such as `license: mit`"
    return (
        f"the licence of the images that the model was trained on is unknown; {known}. State both "
        f"in the header: {advice}."
    )


def _compare(part: str, actual: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    return [
        f"the value {label!r} in the card's {part} is {value}; "
        + (f"the config says {expected[label]}." if label in expected else "the config has none.")
        for label, value in actual.items()
        if label not in expected or expected[label] != value
    ]


def _figures(content: str) -> dict[str, str]:
    """Return the rows of a block's tables by label; repeated labels are numbered."""
    count: Counter[str] = Counter()
    figures = {}
    for label, value in read_rows(content):
        count[label] += 1
        figures[label if count[label] == 1 else f"{label} ({count[label]})"] = value
    return figures


def _find(name: str | Path) -> Path:
    address = parse_model_name(name)
    try:
        path = models.get(str(address)) if isinstance(address, ZooName) else address
    except UnknownNameError as error:
        if not Path(name).is_dir():
            raise
        raise UnknownNameError(f"{error} For the folder of that name, use ./{name}.") from None
    if not isinstance(path, Path):
        raise CardError(
            f"cannot check the card of {name}: the model is on the Hub. "
            f"{explain_download(str(path))}"
        )
    return path


def _problems(bundle: Bundle) -> Iterator[str]:
    context, command = CardContext.of(bundle), f"ganzoo card write {shell_word(bundle.path)}"
    try:
        card = read(bundle.path)
        if card is None:
            yield f"the bundle has no {CARD}. Run `{command}` to write it."
            return
        blocks, header = read_blocks(card, BLOCKS), read_header(card)
        wrong = find_wrong_values(context, card)
    except CardError as error:
        yield str(error)
        return
    yield from wrong
    metadata, contents = generate(context)
    if not blocks:
        yield f"the card has no generated blocks. Run `{command}`, which says how to add them."
        return
    for name, content in contents.items():
        if name not in blocks:
            fences = fence(name, "").strip().replace("\n", " and ")
            yield f"the card has no block {name!r}. Write {fences} into it, then run `{command}`."
        elif blocks[name] != content:
            yield f"the card's block {name!r} differs from the config. Run `{command}`."
    for key, value in merge(header, metadata).items():
        if header.get(key) != value:
            yield f"the header's field {key!r} differs from the config. Run `{command}`."
    license = {**metadata, **header}.get("license")
    if problem := _check_inherited(context, license):
        yield problem
    elif not license:
        yield (
            "the card's header states no licence, which a push needs. Add `license: ID`, such as "
            "`license: mit`."
        )
    yield from find_unfinished(card)
