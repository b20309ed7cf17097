"""Trained run -> bundle: safetensors, ONNX, parity, card."""

from ganzoo.exporters.from_run import export

__all__ = ["export"]
