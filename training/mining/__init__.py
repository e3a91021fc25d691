"""Mines hard negatives from the served index."""
