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


class Log:
    """Keeps terms on the device between reports, and reads them only when they are reported.

    Args:
        path: of log.jsonl; lines beyond `images_seen`, left by a run that was cut off, are dropped.
        images: of the whole run.
        images_seen: where the log starts.
        progress: whether to show the progress line.
    """

    def __init__(self, path: Path, images: int, images_seen: int, progress: bool) -> None:
        self.path = path
        self._recorded: list[tuple[str, str, Tensor]] = []
        self._images_seen = images_seen
        self._since = time.perf_counter()
        self._keep_until(images_seen)
        self._bar = tqdm(
            total=images,
            initial=images_seen,
            unit=" images",
            unit_scale=True,
            disable=not progress,
            mininterval=0.1 if sys.stderr.isatty() else 10.0,
            dynamic_ncols=True,
        )

    def record(self, player: Player, term: str, value: Tensor) -> None:
        """Add one update's term."""
        self._recorded.append((player.name, term, value))

    def report(self, tick: int, images_seen: int, seconds: float) -> None:
        """Write the averages since the last report.

        Raises:
            NonFiniteLossError: a term was NaN or infinite; names the first one that was.
            OutputError: the log cannot be written.
        """
        values: list[float] = []
        if self._recorded:  # one transfer from the device for all of them
            values = torch.stack([value.double() for _, _, value in self._recorded]).tolist()
        collected: dict[tuple[str, str], list[float]] = {}
        for (player, term, _), value in zip(self._recorded, values, strict=True):
            if not math.isfinite(value):
                raise NonFiniteLossError(
                    f"the {player}'s term {term!r} became {value} between image "
                    f"{self._images_seen:,} and {images_seen:,}."
                )
            collected.setdefault((player, term), []).append(value)
        means = {key: sum(of_term) / len(of_term) for key, of_term in collected.items()}
        now = time.perf_counter()
        rate = (images_seen - self._images_seen) / max(now - self._since, 1e-9)
        line: dict[str, Any] = {
            "images": images_seen,
            "tick": tick,
            "seconds": round(seconds, 3),
            "images_per_second": round(rate, 1),
            "terms": {f"{player}/{term}": mean for (player, term), mean in means.items()},
        }
        with reporting_output(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        totals: dict[str, float] = {}
        for (player, _), mean in means.items():
            totals[player] = totals.get(player, 0.0) + mean
        self._bar.set_postfix_str("  ".join(f"{p} {v:.3f}" for p, v in totals.items()), False)
        self._bar.update(images_seen - self._bar.n)
        self._recorded = []
        self._images_seen, self._since = images_seen, now

    def close(self) -> None:
        """End the progress line."""
        self._bar.close()

    def _keep_until(self, images_seen: int) -> None:
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [x for x in lines if x.endswith("\n") and json.loads(x)["images"] <= images_seen]
        write_file(self.path, "".join(kept))
