"""Fixtures of the plugin's tests."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_data_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the user's data folder from the environment."""
    monkeypatch.delenv("GANZOO_DATA", raising=False)
