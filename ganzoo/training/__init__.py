"""The trainer: it turns a recipe into a run folder."""

from ganzoo.training.distributed import join
from ganzoo.training.monitors import Monitor
from ganzoo.training.options import RunOptions
from ganzoo.training.preparation import plan, prepare
from ganzoo.training.prepared import Prepared
from ganzoo.training.run import Run, resume, train, warn_of_random_layers
from ganzoo.training.tracking import TrackedRun, Tracker

__all__ = [
    "Monitor",
    "Prepared",
    "Run",
    "RunOptions",
    "TrackedRun",
    "Tracker",
    "join",
    "plan",
    "prepare",
    "resume",
    "train",
    "warn_of_random_layers",
]
