"""Turns judgments into a cross-encoder: mine, train, evaluate."""
