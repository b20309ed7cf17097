"""The trainer: it turns a recipe into a run folder."""

from ganzoo.training.distributed import join
from ganzoo.training.monitors import Monitor
from ganzoo.training.options import RunOptions
from ganzoo.training.preparation import plan, prepare
from ganzoo.training.prepared import Prepared
from ganzoo.training.run import Run, resume, train, warn_of_random_layers
from ganzoo.training.timing import describe_duration, measure_recipe
from ganzoo.training.tracking import TrackedRun, Tracker

__all__ = [
    "Monitor",
    "Prepared",
    "Run",
    "RunOptions",
    "TrackedRun",
    "Tracker",
    "describe_duration",
    "join",
    "measure_recipe",
    "plan",
    "prepare",
    "resume",
    "train",
    "warn_of_random_layers",
]
