"""A bundle -> something with sample(): `onnx` without torch, `torch` with it."""
