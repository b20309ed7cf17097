"""What is checked: a registered name, and what is behind it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from ganzoo.registry import Registry
from ganzoo.registry.entries import Entry
from ganzoo.testing.checks import Check, after


class CheckedPlugin:
    """One registered thing.

    Args:
        name: its registered name.
        distribution: who registers it, where that must be said.

    Attributes:
        address: its name, with the distribution's where that is said.
        registry: what registry it is of.
        checks: what it must keep.
    """

    registry: ClassVar[Registry[Any]]
    checks: ClassVar[tuple[Check, ...]]

    def __init__(self, name: str, distribution: str | None = None) -> None:
        self.name = name
        self.address = f"{distribution}:{name}" if distribution else name

    @property
    def label(self) -> str:
        """What it is called in a sentence: its kind and its name."""
        return f"{self.registry.kind} {self.name}"

    @cached_property
    def entry(self) -> Entry:
        """Its registration.

        Raises:
            NameSyntaxError, UnknownNameError, AmbiguousNameError, ...: as `Registry.entry`.
        """
        return self.registry.entry(self.address)

    @cached_property
    def thing(self) -> Any:
        """What is registered.

        Raises:
            NotChecked: it does not load.
        """
        with after("loads"):
            return self.registry.load(self.entry)

    @property
    def line(self) -> str:
        """The line of a pyproject.toml that registers it."""
        return f'{self.registry.group}: {self.entry.name} = "{self.entry.target}"'
