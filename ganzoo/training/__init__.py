"""The generic trainer: recipe in, run folder out."""

from ganzoo.training.distributed import join
from ganzoo.training.preparation import Prepared, plan, prepare
from ganzoo.training.run import Run, resume, train

__all__ = ["Prepared", "Run", "join", "plan", "prepare", "resume", "train"]
