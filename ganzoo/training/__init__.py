"""The generic trainer: recipe in, run folder out."""

from ganzoo.training.run import Run, plan, resume, train

__all__ = ["Run", "plan", "resume", "train"]
