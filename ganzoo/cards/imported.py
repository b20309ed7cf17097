"""The origin of a model that was imported from another project's checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ganzoo.cards.context import CardContext
from ganzoo.cards.tables import table
from ganzoo.errors import quantity

MAX_OPTION = 80  # characters of an option's value


def render(context: CardContext) -> str:
    """Return a table of the file, what became of it, and its comparison with the original."""
    return table(_rows(context))


def _rows(context: CardContext) -> Iterator[tuple[str, str]]:
    imported, provenance = context.imported, context.provenance
    yield "file", _file(imported)
    yield "original program", imported["project"]
    provider = provenance["plugins"]["importer"]
    yield "importer", f"`{imported['importer']}` of {provider}"
    if imported["network"]:
        yield "network in the file", f"`{imported['network']}`"
    if imported["options"]:
        options = (f"{k} {_short(v)}" for k, v in imported["options"].items())
        yield "options of the original", ", ".join(options)
    for reason, count in imported["ignored"].items():
        yield "not imported", f"{quantity(count, 'tensor')}: {reason}"
    for deviation in imported["deviations"]:
        yield "difference from the original", deviation
    yield "compared with the original", _comparison(imported)
    yield "versions", ", ".join(f"{k} {v}" for k, v in provenance["versions"].items())


def _file(imported: dict[str, Any]) -> str:
    address = f", {imported['url']}" if imported["url"] else ""
    return (
        f"`{imported['file']}`, {imported['container']}, {imported['bytes']:,} bytes, SHA-256 "
        f"`{imported['sha256']}`{address}"
    )


def _comparison(imported: dict[str, Any]) -> str:
    if "reference" not in imported:
        return "not compared with the original program"
    reference = imported["reference"]
    return (
        f"{quantity(reference['images'], 'image')} in [-1, 1]: the largest difference is "
        f"{reference['max_abs_error']:.1e} (`{reference['file']}`, SHA-256 `{reference['sha256']}`)"
    )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MAX_OPTION else f"{text[: MAX_OPTION - 3]}..."
