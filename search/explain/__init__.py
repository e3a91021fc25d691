"""Explains a ranking: matched terms, BM25's parts, the re-ranker's words, the nearest sentence."""
