"""The generated blocks of a card, by name."""

from __future__ import annotations

from collections.abc import Callable

from ganzoo.cards import checksums, facts, figures, results, training, use
from ganzoo.cards.context import CardContext
from ganzoo.cards.header import Metadata
from ganzoo.cards.metadata import describe
from ganzoo.errors import BundleError

BLOCKS: dict[str, Callable[[CardContext], str]] = {
    "samples": figures.render_samples,
    "use": use.render,
    "onnxruntime": use.render_onnxruntime,
    "figures": figures.render_figures,
    "facts": facts.render,
    "training": training.render,
    "results": results.render,
    "checksums": checksums.render,
}


def generate(context: CardContext) -> tuple[Metadata, dict[str, str]]:
    """Return a card's header and the content of each block, computed from the config alone.

    Raises:
        BundleError: the provenance, which is free-form, lacks a value that a card states.
    """
    try:
        return describe(context), {name: render(context) for name, render in BLOCKS.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"cannot generate the card of {context.spec.name!r}: its provenance lacks a value that "
            f"a card states ({type(error).__name__}: {error}). Export a run that ganzoo trained."
        ) from error
