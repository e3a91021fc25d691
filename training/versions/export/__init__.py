"""Exports a version to ONNX or OpenVINO and checks that it ranks as the original does."""
