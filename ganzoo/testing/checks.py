"""Running a check, and its outcome."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ganzoo.errors import ConformanceError, did_you_mean, enumerate_names
from ganzoo.registry.docstrings import docstring_of

Check = Callable[[Any], None]


class NotChecked(Exception):
    """Raised by a check that does not apply; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a check.

    Attributes:
        verdict: ``ok``; ``FAILED``, also for a check that passes despite an expected failure;
            ``expected failure``; ``not checked``.
        sentence: what holds; or what is wrong and what to do; or why it is not checked.
        error: the error that the check raised, if any.
    """

    verdict: Literal["ok", "FAILED", "expected failure", "not checked"]
    sentence: str
    error: Exception | None = None


def examine(check: Check, subject: Any, expected: str | None = None) -> Outcome:
    """Run a check and return its outcome.

    Args:
        check: the check.
        subject: the `CheckedPlugin`.
        expected: the reason why it is expected to fail; None if it must pass.
    """
    try:
        check(subject)
    except NotChecked as reason:
        return Outcome("not checked", str(reason), reason)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        if expected is not None:
            return Outcome("expected failure", expected, error)
        kind = "" if isinstance(error, ConformanceError) else f"{type(error).__name__}: "
        return Outcome("FAILED", kind + " ".join(str(error).split()), error)
    if expected is not None:
        return Outcome(
            "FAILED",
            f"{check.__name__} passes, but is expected to fail because {expected}: remove it from "
            "the expected failures.",
        )
    return Outcome("ok", sentence_of(check))


def sentence_of(check: Check) -> str:
    """Return the sentence that holds if a check passes: the first line of its docstring."""
    return docstring_of(check).splitlines()[0]


def check_expected(expected: Iterable[str], known: Iterable[str]) -> None:
    """Check that expected failures name checks that exist.

    Raises:
        ConformanceError: a name is not a check.
    """
    known = list(known)
    for name in expected:
        if name not in known:
            raise ConformanceError(
                f"the expected failure {name!r} names no check."
                f"{did_you_mean(name, known)} Checks: {enumerate_names(known)}."
            )


@contextlib.contextmanager
def prerequisite(check: str) -> Iterator[None]:
    """Raise `NotChecked` if the block fails, because the named check reports that failure."""
    try:
        yield
    except NotChecked:
        raise
    except Exception as error:  # a plugin may raise anything
        raise NotChecked(f"the check {check!r} fails, and this check depends on it.") from error
