"""Exports a version to ONNX or OpenVINO and holds it to the original's rankings."""
