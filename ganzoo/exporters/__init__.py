"""Trained run -> bundle: safetensors, ONNX, parity, card."""

from ganzoo.exporters.from_run import export
from ganzoo.exporters.recording import record, record_seeds

__all__ = ["export", "record", "record_seeds"]
