"""Readers of training data, one for each form that it comes in."""
