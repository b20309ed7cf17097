"""Fixtures of the plugin's tests."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_data_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the data of their own alone, whatever the user's environment says."""
    monkeypatch.delenv("GANZOO_DATA", raising=False)
