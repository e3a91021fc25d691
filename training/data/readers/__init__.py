"""Readers of training data, one for each form."""
