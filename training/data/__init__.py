"""Gathers the examples that a training learns from."""
