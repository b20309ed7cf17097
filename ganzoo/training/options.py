"""The options of a run. None of them changes what is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from ganzoo.errors import RecipeError
from ganzoo.spec.durations import parse_duration

OnOff = Literal["on", "off"]
AutoOnOff = Literal["auto", "on", "off"]


# The only declaration of these options. The command line reads names, types, defaults and help from
# it. `train` and `resume` repeat the names, because Python cannot take a signature from a class;
# their defaults are attributes of this class, and their docstrings refer to it.
@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How this process runs a training.

    Attributes:
        data: folder or file of the dataset. By default a new run uses the environment variable
            GANZOO_DATA, and a resumed run the folder that it was trained on.
        cache: where to cache the decoded images, which the next start reads instead of decoding
            the files again: a folder; on for '.ganzoo-cache' beside the run's folder; off; or auto,
            which is on for images that fit into memory and take 5 seconds or longer to decode.
        device: cpu or cuda; by default cuda if there is a GPU.
        max_time: stop and save after this time in this process, such as 3h, 90m or 1h30m.
        progress: show a progress line on standard error.
        monitors: detect trainings that fail, and warn on standard error and in the log.
        tensorboard: write the run's folder 'tensorboard'; auto writes it if tensorboard is
            installed.
        trackers: also log the run to these ('ganzoo list --kind trackers').
        checkpoint_minutes: minutes between two checkpoints, beside those of the recipe's
            `checkpoint_every`; 0 means only the recipe's.

    Raises:
        RecipeError: `max_time` is not a duration, or `checkpoint_minutes` is negative.
    """

    data: Path | None = None
    cache: str = "auto"
    device: str | None = None
    max_time: str | None = None
    progress: bool = True
    monitors: OnOff = "on"
    tensorboard: AutoOnOff = "auto"
    trackers: tuple[str, ...] = ()
    checkpoint_minutes: float = 10.0

    def __post_init__(self) -> None:
        _ = self.seconds
        if not self.cache:
            raise RecipeError("--cache is empty. Use a folder, on, off or auto.")
        if not 0 <= self.checkpoint_minutes < math.inf:
            raise RecipeError(
                f"--checkpoint-minutes is {self.checkpoint_minutes:g}. Use a number of minutes, or "
                "0 for no checkpoints by time."
            )

    @classmethod
    def of(
        cls,
        data: str | Path | None,
        cache: str | Path,
        device: str | torch.device | None,
        max_time: str | None,
        progress: bool,
        monitors: OnOff,
        tensorboard: AutoOnOff,
        trackers: Sequence[str],
        checkpoint_minutes: float,
    ) -> RunOptions:
        """Return the options that the arguments of `train` or `resume` state."""
        return cls(
            data=Path(data) if data else None,
            cache=str(cache),
            device=str(device) if device else None,
            max_time=max_time,
            progress=progress,
            monitors=monitors,
            tensorboard=tensorboard,
            trackers=tuple(trackers),
            checkpoint_minutes=checkpoint_minutes,
        )

    @property
    def seconds(self) -> float:
        """The time limit in seconds; infinite without `max_time`."""
        return parse_duration(self.max_time) if self.max_time else math.inf
