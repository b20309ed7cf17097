"""Checks that every plugin must pass, under pytest or by the command ``ganzoo check``.

    from ganzoo.testing import ArchitectureSuite

    class TestSagan(ArchitectureSuite):
        name = "sagan"

A check is a function that takes a `CheckedPlugin`. The first line of its docstring says what holds
if it passes; if it fails, it raises a `ganzoo.errors.ConformanceError` for the author. Only the
suites need pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.testing.suites import (
        ArchitectureSuite,
        DatasetSuite,
        ImporterSuite,
        LossSuite,
        PluginSuite,
    )

__all__ = ["ArchitectureSuite", "DatasetSuite", "ImporterSuite", "LossSuite", "PluginSuite"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'ganzoo.testing' has no attribute {name!r}")
    try:
        from ganzoo.testing import suites
    except ModuleNotFoundError as error:
        from ganzoo.errors import MissingExtraError, missing_extra

        if error.name != "pytest":
            raise missing_extra(f"ganzoo.testing.{name}", error) from error
        raise MissingExtraError(
            f"ganzoo.testing.{name} needs pytest, which is not installed. pip install pytest, or "
            "use the command: ganzoo check DISTRIBUTION"
        ) from error
    return getattr(suites, name)
