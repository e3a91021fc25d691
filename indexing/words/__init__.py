"""Words: how text becomes the terms that BM25 counts, by an index's language."""
