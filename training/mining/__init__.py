"""Mines hard negatives from an index, with the first stage that search uses."""
