"""The generic trainer: recipe in, run folder out."""

from ganzoo.training.run import Prepared, Run, plan, prepare, resume, train

__all__ = ["Prepared", "Run", "plan", "prepare", "resume", "train"]
