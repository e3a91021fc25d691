"""Judged collections: queries, their judgments, the splits beside a corpus, and whether they fit its passages."""
