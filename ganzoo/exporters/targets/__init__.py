"""Export a bundle for another program, such as a server or a browser. Imports no torch."""

from ganzoo.exporters.targets.target import TargetFiles

__all__ = ["TargetFiles"]
