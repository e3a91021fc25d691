"""Reads a corpus: finds its files, reads passages, fetches it from the hub."""
