"""Collects the examples that a model is trained on."""
