"""BM25: the analyzer, the formula, postings, and the index that answers queries."""
