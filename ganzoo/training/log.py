"""What a training says: a progress line for people, log.jsonl for programs."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from ganzoo.errors import NonFiniteLossError
from ganzoo.files import reporting_output, write_file
from ganzoo.games import Player
from ganzoo.training.group import ALONE, Group


class Log:
    """Keeps terms on the device between reports, and reads them only when they are reported.

    Args:
        path: of log.jsonl; lines beyond `images_seen`, left by a run that was cut off, are dropped.
        images: of the whole run.
        images_seen: where the log starts.
        progress: whether to show the progress line.
        group: processes whose numbers are averaged; the first one writes.
    """

    def __init__(
        self, path: Path, images: int, images_seen: int, progress: bool, group: Group = ALONE
    ) -> None:
        self.path = path
        self._group = group
        self._recorded: list[tuple[str, str, Tensor]] = []
        self._watched: list[tuple[str, str, Tensor]] = []
        self._images_seen = images_seen
        self._since = time.perf_counter()
        if group.first:
            self._keep_until(images_seen)
        self._bar = tqdm(
            total=images,
            initial=images_seen,
            unit=" images",
            unit_scale=True,
            disable=not (progress and group.first),
            mininterval=0.1 if sys.stderr.isatty() else 10.0,
            dynamic_ncols=True,
        )

    def record(self, player: Player, term: str, value: Tensor) -> None:
        """Add one update's term."""
        self._recorded.append((player.name, term, value))

    def watch(self, player: Player, name: str, value: Tensor) -> None:
        """Add what one update wants logged beside its terms."""
        self._watched.append((player.name, name, value))

    def report(self, tick: int, images_seen: int, seconds: float, in_force: dict[str, Any]) -> None:
        """Write the averages since the last report.

        Raises:
            NonFiniteLossError: a term was NaN or infinite; names the first one that was.
            OutputError: the log cannot be written.
        """
        recorded, others = self._read(self._recorded), self._read(self._watched)
        self._recorded, self._watched = [], []
        for player, term, value in recorded:
            if not math.isfinite(value):
                raise NonFiniteLossError(
                    f"the {player}'s term {term!r} became {value} between image "
                    f"{self._images_seen:,} and {images_seen:,}."
                )
        means, watched = _averages(recorded), _averages(others)
        now = time.perf_counter()
        rate = (images_seen - self._images_seen) / max(now - self._since, 1e-9)
        line: dict[str, Any] = {
            "images": images_seen,
            "tick": tick,
            "seconds": round(seconds, 3),
            "images_per_second": round(rate, 1),
            "in_force": in_force,
            "terms": {f"{player}/{term}": mean for (player, term), mean in means.items()},
            "watched": {f"{player}/{name}": mean for (player, name), mean in watched.items()},
        }
        self._images_seen, self._since = images_seen, now
        if not self._group.first:
            return
        with reporting_output(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        totals: dict[str, float] = {}
        for (player, _), mean in means.items():
            totals[player] = totals.get(player, 0.0) + mean
        shown = totals | {name: mean for (_, name), mean in watched.items()}
        self._bar.set_postfix_str("  ".join(f"{k} {v:.3f}" for k, v in shown.items()), False)
        self._bar.update(images_seen - self._bar.n)

    def close(self) -> None:
        """End the progress line."""
        self._bar.close()

    def _read(self, values: list[tuple[str, str, Tensor]]) -> list[tuple[str, str, float]]:
        """The values as numbers of the whole batch, by one transfer from the device for all."""
        if not values:
            return []
        numbers = self._group.average(torch.stack([value.double() for _, _, value in values]))
        return [
            (player, name, x) for (player, name, _), x in zip(values, numbers.tolist(), strict=True)
        ]

    def _keep_until(self, images_seen: int) -> None:
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [x for x in lines if x.endswith("\n") and json.loads(x)["images"] <= images_seen]
        write_file(self.path, "".join(kept))


def _averages(values: list[tuple[str, str, float]]) -> dict[tuple[str, str], float]:
    collected: dict[tuple[str, str], list[float]] = {}
    for player, name, value in values:
        collected.setdefault((player, name), []).append(value)
    return {key: sum(numbers) / len(numbers) for key, numbers in collected.items()}
