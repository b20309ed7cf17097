"""Registered penalties: the options they become, and the terms they build."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping

from ganzoo.errors import BrokenPluginError, GanzooError
from ganzoo.games.options import AdversarialOptions
from ganzoo.games.penalties import Penalty
from ganzoo.registry import penalties
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.entries import Entry

BUILTIN = ("r1", "r2", "gp", "dragan")
"""Penalties that every recipe of an adversarial loss states, in this order, also where they are 0.

No plugin takes these names away from ganzoo's own.
"""


def penalty_options(reserved: Collection[str]) -> dict[str, str]:
    """Return the registered penalties by the argument that stands for each, ganzoo's own first.

    The argument is the registered name with ``_`` for whatever Python does not allow. A penalty
    is left out where that is a keyword, is reserved, or stands for another penalty.

    Args:
        reserved: arguments that stand for something else.
    """
    options: dict[str, str] = {}
    for name in (*BUILTIN, *penalties.names()):
        argument = as_argument(name)
        if argument.isidentifier() and not keyword.iskeyword(argument) and argument not in reserved:
            options.setdefault(argument, name)
    return options


def as_argument(name: str) -> str:
    """Return the argument that stands for a registered penalty."""
    return re.sub(r"[^a-z0-9]", "_", name)


def build_penalties(options: AdversarialOptions) -> tuple[Penalty, ...]:
    """Build the penalties whose weight is not 0, ganzoo's own first, others sorted by name.

    Raises:
        UnknownNameError, MissingPluginError, AmbiguousNameError: no penalty has that name.
        BrokenPluginError: a penalty cannot be loaded or built, or two have a term of one name.
    """
    # An order of its own: penalties draw random numbers, whose order decides what is trained.
    others = sorted(options.penalties.keys() - set(BUILTIN))
    built: dict[str, Penalty] = {
        name: penalties.make(find_penalty(name), options.penalties[name], options.penalty_every)
        for name in (*BUILTIN, *others)
        if name in options.penalties
    }
    _check_terms(built)
    return tuple(built.values())


def describe_penalty(name: str) -> str:
    """Return the help of a penalty's option: the first sentence of its docstring.

    A penalty that cannot be loaded is described by the reason.
    """
    try:
        text = penalties.load(find_penalty(name)).__doc__ or ""
    except GanzooError as error:
        return " ".join(f"not available: {error}".split())
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    sentence = re.split(r"(?<=\.)\s+(?=[A-Z])", paragraph)[0].rstrip(".")
    return f"penalty weight, 0 for none. {sentence or name}."


def find_penalty(name: str) -> Entry:
    """Find a registered penalty; the names in `BUILTIN` are always ganzoo's own.

    Raises:
        UnknownNameError, MissingPluginError, AmbiguousNameError: as `Registry.entry`.
    """
    return penalties.entry(f"{DISTRIBUTION}:{name}" if name in BUILTIN else name)


def _check_terms(built: Mapping[str, Penalty]) -> None:
    """Refuse penalties whose terms would replace others in the log and in the sum."""
    taken = {"adversarial": "every adversarial loss"}
    for name, penalty in built.items():
        term = getattr(penalty, "name", None)
        cited = penalties.cite(find_penalty(name).address)
        if not isinstance(term, str):
            raise BrokenPluginError(
                f'{cited} does not say what its term is called: set `name = "..."` in the class.'
            )
        if term in taken:
            raise BrokenPluginError(
                f"{cited} has a term {term!r}, which {taken[term]} has too: its author must "
                "choose another `name`."
            )
        taken[term] = cited
