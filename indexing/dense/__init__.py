"""Dense retrieval: the bi-encoder, vectors on disk, FAISS, and its recall."""
