"""Shared fixtures: a trained run and an exported bundle of tiny size."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings

import ganzoo
from ganzoo.data.workers import count_cores
from ganzoo.testing import imports
from helpers import processes
from helpers.imports import run_watch
from helpers.operators import share_operators
from helpers.recipes import tiny

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
# A job in a shell's background ignores Ctrl-C, and so would every process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


# `make test` tries 25 examples of a property that states no number, `make test-all` 100. They take
# as long as the machine takes.
for profile, examples in (("default", 100), ("quick", 25)):
    settings.register_profile(
        profile,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("default")

# Files with few slow tests start first, so that none of them runs alone at the end.
BEGUN_FIRST = (
    *("test_from_wheels", "test_distributed", "test_interruptions", "test_toys", "test_docs"),
    *("test_demo_page", "test_readme"),
)


# Checks of our plugins that only `make test-all` runs: see README.md.
SLOW_CHECKS = {
    "test_it[converts]",
    *(
        f"test_it[architecture {n}: exports]"
        for n in ("biggan-deep", "cyclegan", "fastgan", "stylegan2", "stylegan3")
    ),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run a process more than there are cores: some wait for a browser, a server or a time."""
    return count_cores() + 1


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start the fork server that the workers share."""
    node.workerinput["fork_server"] = processes.fork_server()


def pytest_configure(config: pytest.Config) -> None:
    """Use the fork server of the process that started this worker."""
    processes.shared_server = getattr(config, "workerinput", {}).get("fork_server")
    imports.run_watch = run_watch


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, and leave the slowest checks of plugins to test-all."""
    items.sort(key=lambda item: item.path.stem not in BEGUN_FIRST)
    for item in items:
        if item.name in SLOW_CHECKS:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Exempt the imported modules and the tests from garbage collection, which they slow down."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_data_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the user's data folder from the environment."""
    monkeypatch.delenv("GANZOO_DATA", raising=False)


@pytest.fixture(autouse=True)
def _one_table_of_operators() -> None:
    """Let the exports of all tests share the table of ONNX operators."""
    share_operators()


@pytest.fixture(autouse=True)
def _no_modules_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget modules that a test wrote and imported."""
    before = set(sys.modules)
    yield
    written = str(tmp_path_factory.getbasetemp())
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(written):
            del sys.modules[name]


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Collect no garbage during a test that reaches the limit of recursion.

    Finalizers of garbage that other tests left would fail at that depth.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run. Copy it before changing it."""
    path = tmp_path_factory.mktemp("runs") / "tiny"
    return ganzoo.train(tiny(), out=path, progress=False).path


@pytest.fixture(scope="session")
def tiny_bundle(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported bundle. Copy it before changing it."""
    return ganzoo.export(tiny_run, tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy of the exported bundle that a test may damage."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
