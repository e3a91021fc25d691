"""Answers a query from an index: retrieve, fuse, re-rank, explain."""
