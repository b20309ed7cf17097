"""Export targets: a model as another program serves it. Imports no torch."""

from ganzoo.exporters.targets.target import TargetFiles

__all__ = ["TargetFiles"]
