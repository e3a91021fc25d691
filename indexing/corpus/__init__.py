"""Reads a corpus: finds its files, reads passages, queries and judgments, fetches it from the hub."""
