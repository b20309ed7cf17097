"""A plugin under test: a registered name, and its object."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from ganzoo.registry import Registry
from ganzoo.registry.entries import Entry
from ganzoo.testing.checks import Check, prerequisite


class CheckedPlugin:
    """A registered object that is checked.

    Args:
        name: its registered name.
        distribution: the distribution that registers it, if several register the name.

    Attributes:
        address: its name, or ``distribution:name``.
        registry: its registry.
        checks: the checks that it must pass.
    """

    registry: ClassVar[Registry[Any]]
    checks: ClassVar[tuple[Check, ...]]

    def __init__(self, name: str, distribution: str | None = None) -> None:
        self.name = name
        self.address = f"{distribution}:{name}" if distribution else name

    @property
    def label(self) -> str:
        """Its kind and its name, for messages."""
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
        """The registered object.

        Raises:
            NotChecked: it does not load.
        """
        with prerequisite("loads"):
            return self.registry.load(self.entry)

    @property
    def line(self) -> str:
        """The line of pyproject.toml that registers it."""
        return f'{self.registry.group}: {self.entry.name} = "{self.entry.target}"'
