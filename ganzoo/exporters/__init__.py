"""Trained run -> bundle: safetensors, ONNX, parity, card."""

from ganzoo.exporters.from_run import export
from ganzoo.exporters.proving import prove
from ganzoo.exporters.recording import record, record_seeds

__all__ = ["export", "prove", "record", "record_seeds"]
