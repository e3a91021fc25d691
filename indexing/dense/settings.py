"""Names of FAISS's presets, without importing FAISS."""

PRESETS = ("auto", "flat", "sq8", "pq-fastscan", "ivf-pq", "hnsw")
"""What `--dense` accepts besides `faiss.index_factory` strings; `auto` chooses one of the others by size."""
