"""What every plugin must keep, as checks that run under pytest or as ``ganzoo check``.

    from ganzoo.testing import ArchitectureSuite

    class TestSagan(ArchitectureSuite):
        name = "sagan"

A check is a function of the thing it looks at: its name is the function's, what holds is the first
line of its docstring, and what does not is a `ganzoo.errors.ConformanceError` to the author. The
suites alone need pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.testing.suites import ArchitectureSuite, DatasetSuite, LossSuite, PluginSuite

__all__ = ["ArchitectureSuite", "DatasetSuite", "LossSuite", "PluginSuite"]


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
