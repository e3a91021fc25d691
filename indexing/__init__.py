"""Turns a corpus into one immutable, checksummed index: passages, BM25, vectors, FAISS."""
