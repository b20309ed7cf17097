"""The Hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.hub_server import HubServer


@pytest.fixture(scope="module")
def server() -> Iterator[HubServer]:
    """A server for the tests of one file."""
    server = HubServer()
    yield server
    server.stop()
