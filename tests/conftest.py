"""Real parts at tiny size: a network that was really trained, a bundle that was really exported."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import ganzoo
from helpers.recipes import tiny

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
# A job in a shell's background ignores Ctrl-C, and so would every process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Files of few tests that take long: begun last, one would keep a single process busy at the end.
BEGUN_FIRST = (
    *("test_from_wheels", "test_distributed", "test_interruptions", "test_toys", "test_docs"),
    *("test_demo_page", "test_readme"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.path.stem not in BEGUN_FIRST)


@pytest.fixture(autouse=True)
def _no_data_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the data of their own alone, whatever the user's environment says."""
    monkeypatch.delenv("GANZOO_DATA", raising=False)


@pytest.fixture(autouse=True)
def _no_modules_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Modules that a test wrote and imported do not stay for the next test."""
    before = set(sys.modules)
    yield
    written = str(tmp_path_factory.getbasetemp())
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(written):
            del sys.modules[name]


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run. Copy it before changing anything in it."""
    path = tmp_path_factory.mktemp("runs") / "tiny"
    return ganzoo.train(tiny(), out=path, progress=False).path


@pytest.fixture(scope="session")
def tiny_bundle(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported bundle. Copy it before changing anything in it."""
    return ganzoo.export(tiny_run, tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy of the exported bundle that a test may damage."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
