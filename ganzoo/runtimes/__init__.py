"""Load a bundle's networks with onnxruntime (`onnx`, without torch) or with torch (`torch`)."""
