"""Checkpoints of other projects, read without executing anything of them."""

from ganzoo.importers.checkpoint import Checkpoint
from ganzoo.importers.containers import open_checkpoint
from ganzoo.importers.values import Name, StoredTensor

__all__ = ["Checkpoint", "Name", "StoredTensor", "open_checkpoint"]
