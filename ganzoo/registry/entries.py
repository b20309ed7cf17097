"""Registrations: names of objects and where to import them from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata

from ganzoo.registry.distributions import Distribution
from ganzoo.registry.names import is_registrable

# An object and, in brackets, extras: https://packaging.python.org/specifications/entry-points/
_VALUE = re.compile(r"([\w.]+\s*:\s*[\w.]+)\s*(?:\[(.*)\]\s*)?")


@dataclass(frozen=True)
class Entry:
    """One registration, read without importing the object.

    Attributes:
        name: the registered name.
        distribution: normalised name of the distribution that registers it; None for this
            process.
        version: version of that distribution.
        target: ``module:attribute``.
        extras: extras of the distribution that the entry point requires.
        trouble: why it cannot be used and what to type: the end of a sentence, empty if usable.
    """

    name: str
    distribution: str | None
    version: str | None
    target: str
    extras: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def address(self) -> str:
        """The unambiguous name: ``distribution:name``."""
        return f"{self.distribution}:{self.name}" if self.distribution else self.name

    @property
    def provider(self) -> str:
        """The distribution and its version."""
        return f"{self.distribution} {self.version}" if self.distribution else "this process"

    @property
    def requirement(self) -> tuple[str, ...]:
        """The PEP 508 requirement on the distribution; empty for an object of this process."""
        if self.distribution is None or self.version is None:
            return ()
        public = self.version.partition("+")[0]  # a local version cannot be a lower bound
        return (f"{self.distribution}>={public}",)


def entry_of(point: metadata.EntryPoint, distribution: Distribution) -> Entry:
    """Return the entry of an entry point, without importing anything."""
    match, trouble = _VALUE.fullmatch(point.value), distribution.trouble
    target, extras = match.groups(default="") if match else (point.value, "")
    if not match:
        trouble = (
            trouble
            or f"is registered as {target!r}, not as module:attribute: report this to its author"
        )
    if not is_registrable(point.name):
        trouble = trouble or (
            "has a name that is not lower-case words joined by '-', '.' or '_': report this to its "
            "author"
        )
    return Entry(
        point.name,
        distribution.name,
        distribution.version,
        re.sub(r"\s", "", target),
        tuple(extra.strip() for extra in extras.split(",") if extra.strip()),
        trouble,
    )
