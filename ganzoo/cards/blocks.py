"""The generated blocks of a card, by name."""

from __future__ import annotations

from collections.abc import Callable

from ganzoo.cards import checksums, facts, figures, imported, results, training, use
from ganzoo.cards.context import CardContext
from ganzoo.cards.header import Metadata
from ganzoo.cards.metadata import describe
from ganzoo.errors import MALFORMED, BundleError, shell_word
from ganzoo.spec.parsing import shorten


def _render_origin(context: CardContext) -> str:
    return imported.render(context) if context.imported else training.render(context)


BLOCKS: dict[str, Callable[[CardContext], str]] = {
    "samples": figures.render_samples,
    "use": use.render,
    "onnxruntime": use.render_onnxruntime,
    "figures": figures.render_figures,
    "facts": facts.render,
    "training": _render_origin,
    "results": results.render,
    "checksums": checksums.render,
}


def generate(context: CardContext) -> tuple[Metadata, dict[str, str]]:
    """Return a card's header and the content of each block, computed from the config alone.

    Raises:
        BundleError: the bundle is not exported; or its provenance, which is free-form, lacks a
            value that a card states, or has one of another type or size.
    """
    if "parity" not in context.provenance and not context.spec.onnx_failure:
        raise BundleError(
            f"cannot generate the card of {context.spec.name!r}: {context.folder} is not exported, "
            f"and the card states the exported files. Use: ganzoo export "
            f"{shell_word(context.folder)}. It writes the card, too."
        )
    try:
        return describe(context), {name: render(context) for name, render in BLOCKS.items()}
    except MALFORMED as error:
        reason = f"{type(error).__name__}: {shorten(str(error))}"
        raise BundleError(
            f"cannot generate the card of {context.spec.name!r}: its provenance lacks a value that "
            f"a card states ({reason}). Export a run that ganzoo trained."
        ) from error
