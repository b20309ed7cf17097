"""A registration: what is known of a registered object before it is imported."""

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
    """One registration, known without importing it.

    Attributes:
        name: the registered name.
        distribution: normalised name of the distribution that registers it, None for this process.
        version: that distribution's version.
        target: ``module:attribute``.
        extras: extras of the distribution that it says it needs.
        trouble: what keeps it from being used and what to type, as the rest of a sentence about
            it; empty where its metadata says nothing against it.
    """

    name: str
    distribution: str | None
    version: str | None
    target: str
    extras: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def address(self) -> str:
        """The name that is never ambiguous between distributions."""
        return f"{self.distribution}:{self.name}" if self.distribution else self.name

    @property
    def provider(self) -> str:
        """The distribution and its version."""
        return f"{self.distribution} {self.version}" if self.distribution else "this process"

    @property
    def requirement(self) -> tuple[str, ...]:
        """PEP 508 requirement of the distribution, none for an object of this process."""
        if self.distribution is None or self.version is None:
            return ()
        public = self.version.partition("+")[0]  # a local version cannot be a lower bound
        return (f"{self.distribution}>={public}",)


def entry_of(point: metadata.EntryPoint, distribution: Distribution) -> Entry:
    """Read an entry point of a distribution, importing nothing."""
    match, trouble = _VALUE.fullmatch(point.value), distribution.trouble
    target, extras = match.groups(default="") if match else (point.value, "")
    if not match:
        trouble = (
            trouble
            or f"is registered as {target!r}, not as module:attribute: its author must mend that"
        )
    if not is_registrable(point.name):
        trouble = trouble or (
            "has a name that is not lower-case words joined by '-', '.' or '_': its author must "
            "mend that"
        )
    return Entry(
        point.name,
        distribution.name,
        distribution.version,
        re.sub(r"\s", "", target),
        tuple(extra.strip() for extra in extras.split(",") if extra.strip()),
        trouble,
    )
