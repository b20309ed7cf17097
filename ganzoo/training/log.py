"""The log of a training: a progress line, and log.jsonl."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from ganzoo.bundle.json_lines import METRICS, TERMS, add_line, cut_back
from ganzoo.errors import NonFiniteLossError, printable
from ganzoo.games import WEIGHTED, Player
from ganzoo.system.bars import rewrites_lines
from ganzoo.training.distributed import ALONE, Group
from ganzoo.training.state import State

TABLES = (TERMS, METRICS)  # of every line


class Log:
    """Collects terms and metrics, which stay on the device until the next line is read.

    Args:
        path: log.jsonl. Lines beyond `images_seen`, left by an interrupted run, are removed.
        images: length of the run.
        images_seen: images seen at the start of the log.
        progress: whether to show the progress line.
        seconds: training time at the start of the log, `State.seconds`.
        group: processes whose numbers are averaged; the first one writes.
    """

    def __init__(
        self,
        path: Path,
        images: int,
        images_seen: int,
        progress: bool,
        seconds: float = 0.0,
        group: Group = ALONE,
    ) -> None:
        self.path = path
        self._group = group
        self._terms: list[tuple[str, str, Tensor]] = []
        self._metrics: list[tuple[str, str, Tensor]] = []
        self._images_seen = images_seen
        self._seconds = seconds
        if group.first:
            cut_back(path, images_seen, TABLES)
        self._bar = tqdm(
            total=images,
            initial=images_seen,
            unit=" images",
            unit_scale=True,
            disable=not (progress and group.first),
            mininterval=0.1 if rewrites_lines() else 10.0,
            dynamic_ncols=True,
        )

    def log_term(self, player: Player, term: str, value: Tensor) -> None:
        """Add a term of one update."""
        self._terms.append((player.name, term, value))

    def log_metric(self, player: Player, name: str, value: Tensor) -> None:
        """Add a metric of one update."""
        self._metrics.append((player.name, name, value))

    def read(self, state: State) -> dict[str, Any]:
        """Return the next line: averages since the last line, and the settings in force.

        A term with a weight has two entries: its value, and ``<name>_weighted``. ``totals`` are the
        sums of each player's terms with their weights, which the player minimises. A term that only
        some updates have, such as a lazy penalty, is 0 in the sums of the others.

        Every process of the group must call it.

        Raises:
            NonFiniteLossError: a term was NaN or infinite. The message names the first such term.
        """
        terms, metrics = self._averaged(self._terms), self._averaged(self._metrics)
        self._terms, self._metrics = [], []
        norms = {name: float(norm) for name, norm in state.gradient_norms.items()}
        state.gradient_norms.clear()
        for player, term, value in terms:
            if not math.isfinite(value):
                raise NonFiniteLossError(
                    f"the {player}'s term {term!r} became {value} between image "
                    f"{self._images_seen:,} and {state.images_seen:,}."
                )
        seconds = max(state.seconds - self._seconds, 1e-9)
        rate = (state.images_seen - self._images_seen) / seconds
        self._images_seen, self._seconds = state.images_seen, state.seconds
        return {
            "images": state.images_seen,
            "tick": state.tick,
            "seconds": round(state.seconds, 3),
            "images_per_second": round(rate, 1),
            "in_force": state.in_force(),
            "terms": _means(terms),
            "totals": _totals(terms),
            "metrics": _means(metrics),
            "learning_rates": {
                name: float(optimizer.param_groups[0]["lr"])
                for name, optimizer in state.optimizers.items()
            },
            # With fp16 loss scaling a gradient is sometimes infinite; that step is skipped.
            "gradient_norms": {name: norm for name, norm in norms.items() if math.isfinite(norm)},
        }

    def write(self, line: dict[str, Any], alerts: Iterable[str] = ()) -> None:
        """Add a line to the file, and show it in the progress line.

        Args:
            line: the result of `read`, with further entries.
            alerts: short warnings for the progress line.

        Raises:
            OutputError: the log cannot be written.
        """
        if not self._group.first:
            return
        add_line(self.path, line)
        values = line["totals"] | {
            name.split("/", 1)[1]: mean for name, mean in line["metrics"].items()
        }
        parts = [f"{name} {value:.3f}" for name, value in values.items()]
        postfix = "  ".join(parts + [f"! {alert}" for alert in alerts])
        self._bar.set_postfix_str(printable(postfix), False)
        self.count(line["images"])

    def count(self, images: int) -> None:
        """Show the number of images seen in the progress line, with the rate and the time left."""
        self._bar.update(images - self._bar.n)

    def print(self, text: str) -> None:
        """Write a line of text to standard error, above the progress line."""
        self._bar.write(printable(text), file=sys.stderr)

    def close(self) -> None:
        """End the progress line."""
        self._bar.close()

    def _averaged(self, values: list[tuple[str, str, Tensor]]) -> list[tuple[str, str, float]]:
        """Return the values averaged over the processes, with one transfer from the device."""
        if not values:
            return []
        numbers = self._group.average(torch.stack([value.double() for _, _, value in values]))
        return [
            (player, name, x) for (player, name, _), x in zip(values, numbers.tolist(), strict=True)
        ]


def _totals(values: list[tuple[str, str, float]]) -> dict[str, float]:
    """Return the mean over the updates of each player of the sum of its terms with their weights.

    Every update has the most frequent term.
    """
    counts = Counter((player, name) for player, name, _ in values)
    updates: dict[str, int] = {}
    for (player, _), count in counts.items():
        updates[player] = max(count, updates.get(player, 0))
    sums = dict.fromkeys(updates, 0.0)
    for player, name, value in values:
        if (player, f"{name}{WEIGHTED}") not in counts:
            sums[player] += value
    return {player: total / updates[player] for player, total in sums.items()}


def _means(values: list[tuple[str, str, float]]) -> dict[str, float]:
    collected: dict[str, list[float]] = {}
    for player, name, value in values:
        collected.setdefault(f"{player}/{name}", []).append(value)
    return {key: sum(numbers) / len(numbers) for key, numbers in collected.items()}
