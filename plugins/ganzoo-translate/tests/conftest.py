"""Fixtures of the plugin's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from translate_helpers import SIDE, paint_all

from ganzoo import Recipe
from ganzoo.training import prepare
from ganzoo.training.loop import run_ticks


@pytest.fixture(autouse=True)
def _no_data_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the user's data folder from the environment."""
    monkeypatch.delenv("GANZOO_DATA", raising=False)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of seven pairs, side by side in one image file each."""
    folder = tmp_path_factory.mktemp("pairs")
    return paint_all(folder, [f"{k}.png" for k in range(7)], width=2 * SIDE, height=SIDE)


@pytest.fixture(scope="session")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of seven images of A and five of B."""
    folder = tmp_path_factory.mktemp("domains")
    paint_all(folder / "A", [f"{k}.png" for k in range(7)])
    paint_all(folder / "B", [f"{k}.png" for k in range(5)])
    return folder


@pytest.fixture(scope="session")
def data_for(pairs: Path, domains: Path) -> Callable[[Recipe], Path]:
    """Return the folder of data of a tiny recipe."""
    return lambda recipe: domains if recipe.dataset.name == "unpaired" else pairs


@pytest.fixture
def play(data_for: Callable[[Recipe], Path]) -> Callable[[Recipe], Any]:
    """Train a recipe without writing files; return the prepared training and all terms."""

    def run(recipe: Recipe) -> tuple[Any, list[tuple[str, str, float]]]:
        prepared = prepare(recipe, data=data_for(recipe), device="cpu")
        terms: list[tuple[str, str, float]] = []
        run_ticks(
            prepared.state,
            prepared.batches,
            log_term=lambda player, term, value: terms.append((player.name, term, float(value))),
            log_metric=lambda *metric: None,
            report=lambda: True,
        )
        return prepared, terms

    return run
