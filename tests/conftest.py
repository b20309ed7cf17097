"""Real parts at tiny size: a network that was really trained, a bundle that was really exported."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ganzoo
import ganzoo.cards
from ganzoo.spec import Component, Recipe
from ganzoo.training import Prepared
from ganzoo.training.loop import run_ticks

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


def tiny(**changes: Any) -> Recipe:
    """A recipe that trains in a second."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "architecture": Component("dcgan", {"latent_dim": 8, "width": 4}),
        "loss": Component("nonsaturating"),
        "dataset": Component("digits"),
        "images": 64,
        "batch_size": 16,
        "log_every": 16,
        "sample_every": 0,
        "checkpoint_every": 32,
        "ema_halflife": 50,
    }
    return Recipe(**fields | changes)


def play(prepared: Prepared) -> None:
    """Train to the end, with nothing logged."""
    run_ticks(
        prepared.state,
        prepared.batches,
        record=lambda *a: None,
        watch=lambda *a: None,
        report=lambda: True,
    )


@pytest.fixture(autouse=True)
def _no_data_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the data of their own alone, whatever the user's environment says."""
    monkeypatch.delenv("GANZOO_DATA", raising=False)


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


def finish_card(bundle: Path) -> None:
    """Write what a card leaves to its author, as one who publishes it does."""
    card = bundle / "README.md"
    card.write_text(re.sub(r"^TODO: .*", "Ours says so.", card.read_text(), flags=re.MULTILINE))
    ganzoo.cards.write(bundle)


def write_idx(path: Path, array: np.ndarray) -> None:
    """The format of MNIST's files: magic number, sizes, bytes."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def fake_mnist(root: Path, n: int = 40, name: str = "MNIST") -> Path:
    """A folder like MNIST's or FashionMNIST's, of noise."""
    rng = np.random.default_rng(1)
    for prefix in ("train", "t10k"):
        write_idx(
            root / name / "raw" / f"{prefix}-images-idx3-ubyte", rng.integers(0, 256, (n, 28, 28))
        )
        write_idx(root / name / "raw" / f"{prefix}-labels-idx1-ubyte", rng.integers(0, 10, n))
    return root


def rehash(bundle: Path) -> None:
    """Vouch for a bundle's files as they are now, as one who tampers with it would."""
    files = sorted(p for p in bundle.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    lines = [
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(bundle).as_posix()}\n"
        for p in files
    ]
    (bundle / "SHA256SUMS").write_text("".join(lines))


def change_config(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit a bundle's config.json and vouch for it."""
    config = json.loads((bundle / "config.json").read_text())
    change(config)
    (bundle / "config.json").write_text(json.dumps(config))
    rehash(bundle)


def run_python(code: str, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter."""
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def run_cli(*args: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `ganzoo` as a user would, in a process of its own."""
    command = [str(options.pop("python", sys.executable)), "-m", "ganzoo", *map(str, args)]
    environment = os.environ | options.pop("env", {})
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=environment, **options
    )


def install(
    folder: Path, distribution: str, groups: dict[str, dict[str, str]], **files: str
) -> None:
    """Lay out an installed distribution: its metadata, entry points and modules."""
    info = folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    points = "".join(
        f"[ganzoo.{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items())
        for group, entries in groups.items()
    )
    (info / "entry_points.txt").write_text(points)
    for module, code in files.items():
        (folder / f"{module}.py").write_text(code)
