"""Fixtures of the plugin's tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_data_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the user's data folder from the environment."""
    monkeypatch.delenv("GANZOO_DATA", raising=False)
