"""What a check is, and what comes of one."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ganzoo.errors import ConformanceError, did_you_mean, enumerate_names

Check = Callable[[Any], None]


class NotChecked(Exception):
    """What a check raises that has nothing to look at: its text says why."""


@dataclass(frozen=True)
class Outcome:
    """What came of a check.

    Attributes:
        verdict: ``ok``; ``FAILED``, also where a failure was expected and did not come;
            ``expected failure``; ``not checked``.
        sentence: what holds; what is true instead and what to do; or why.
        error: what the check raised.
    """

    verdict: Literal["ok", "FAILED", "expected failure", "not checked"]
    sentence: str
    error: Exception | None = None


def examine(check: Check, subject: Any, expected: str | None = None) -> Outcome:
    """Run a check.

    Args:
        check: the check.
        subject: what it looks at.
        expected: why it is known to fail, where it is.
    """
    try:
        check(subject)
    except NotChecked as reason:
        return Outcome("not checked", str(reason), reason)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        if expected is not None:
            return Outcome("expected failure", expected, error)
        told = "" if isinstance(error, ConformanceError) else f"{type(error).__name__}: "
        return Outcome("FAILED", told + " ".join(str(error).split()), error)
    if expected is not None:
        return Outcome(
            "FAILED",
            f"{check.__name__} holds, and was expected not to because {expected}: take it out of "
            "the expected failures.",
        )
    return Outcome("ok", sentence_of(check))


def sentence_of(check: Check) -> str:
    """Return what holds where a check passes."""
    return inspect.getdoc(check).splitlines()[0]  # type: ignore[union-attr]


def check_expected(expected: Iterable[str], known: Iterable[str]) -> None:
    """Refuse expected failures of checks that do not exist.

    Raises:
        ConformanceError: one that is not known, which would never be missed.
    """
    known = list(known)
    for name in expected:
        if name not in known:
            raise ConformanceError(
                f"a failure of {name!r} is expected, and there is no such check."
                f"{did_you_mean(name, known)} Checks: {enumerate_names(known)}."
            )


@contextlib.contextmanager
def after(check: str) -> Iterator[None]:
    """Leave what fails in the block to the check whose matter it is."""
    try:
        yield
    except NotChecked:
        raise
    except Exception as error:  # a plugin may raise anything
        raise NotChecked(f"{check} comes first, and fails.") from error
