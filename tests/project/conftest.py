"""Wheels of the core and its plugins."""

from pathlib import Path

import pytest
from filelock import FileLock

from helpers.paths import ROOT
from helpers.wheels import build

SOURCES = (ROOT, *sorted(file.parent for file in ROOT.glob("plugins/*/pyproject.toml")))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> list[Path]:
    """The wheels of the core and its plugins, built once for all test processes."""
    place = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # a folder that pytest-xdist's processes share
        place = place.parent
    names = place / "wheels.txt"
    with FileLock(place / "wheels.lock"):
        if not names.exists():
            names.write_text("\n".join(map(str, build(SOURCES, place / "wheels"))))
    return [Path(name) for name in names.read_text().splitlines()]
