"""Registered penalties: their options in a loss, and their construction."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping

from ganzoo.errors import BrokenPluginError, GanzooError
from ganzoo.games.options import AdversarialOptions
from ganzoo.games.penalties import Penalty
from ganzoo.registry import penalties
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.docstrings import docstring_of, first_sentence
from ganzoo.registry.entries import Entry


def own_penalties() -> list[str]:
    """Return the names of ganzoo's own penalties, sorted.

    Every recipe of an adversarial loss lists them, also at weight 0. These names always mean
    ganzoo's own penalties, even if a plugin registers the same name.
    """
    return [entry.name for entry in penalties.entries() if entry.distribution == DISTRIBUTION]


def penalty_options(reserved: Collection[str]) -> dict[str, str]:
    """Return the registered names of the penalties by their argument, ganzoo's own first.

    The argument is the registered name with ``_`` for each character that Python does not allow.
    A penalty is left out if its argument is a Python keyword, is reserved, or belongs to another
    penalty.

    Args:
        reserved: arguments of the loss that are not penalties.
    """
    options: dict[str, str] = {}
    for name in (*own_penalties(), *penalties.names()):
        argument = as_argument(name)
        if argument.isidentifier() and not keyword.iskeyword(argument) and argument not in reserved:
            options.setdefault(argument, name)
    return options


def as_argument(name: str) -> str:
    """Return the argument of a registered penalty, such as ``logit_drift`` for ``logit-drift``."""
    return re.sub(r"[^a-z0-9]", "_", name)


def build_penalties(options: AdversarialOptions) -> tuple[Penalty, ...]:
    """Build the penalties whose weight is not 0: ganzoo's own, then others, sorted by name.

    Raises:
        UnknownNameError, MissingPluginError, AmbiguousNameError: as `Registry.entry`.
        BrokenPluginError: a penalty cannot be loaded or built, or two have a term of one name.
    """
    # A fixed order: penalties draw random numbers, so their order changes the training.
    own = set(own_penalties())
    built: dict[str, Penalty] = {
        name: penalties.make(find_penalty(name), options.penalties[name], options.penalty_every)
        for name in sorted(options.penalties, key=lambda name: (name not in own, name))
    }
    _check_terms(built)
    return tuple(built.values())


def describe_penalty(name: str) -> str:
    """Return the help of a penalty's option: the first sentence of its docstring.

    For a penalty that cannot be loaded, return the reason.
    """
    try:
        text = docstring_of(penalties.load(find_penalty(name)))
    except GanzooError as error:
        return " ".join(f"not available: {error}".split())
    sentence = first_sentence(text).rstrip(".")
    return f"penalty weight, 0 for none. {sentence or name}."


def find_penalty(name: str) -> Entry:
    """Return the entry of a penalty; the names of ganzoo's own always mean these.

    Raises:
        UnknownNameError, MissingPluginError, AmbiguousNameError: as `Registry.entry`.
    """
    return penalties.entry(f"{DISTRIBUTION}:{name}" if name in own_penalties() else name)


def _check_terms(built: Mapping[str, Penalty]) -> None:
    """Check that each penalty names its term, and that no two terms have the same name."""
    owners = {"adversarial": "every adversarial loss"}
    for name, penalty in built.items():
        term = getattr(penalty, "name", None)
        label = penalties.cite(find_penalty(name).address)
        if not isinstance(term, str):
            raise BrokenPluginError(
                f'{label} has no name for its term: set `name = "..."` in the class.'
            )
        if term in owners:
            raise BrokenPluginError(
                f"{label} has the term {term!r}, and so has {owners[term]}. Choose another `name`."
            )
        owners[term] = label
