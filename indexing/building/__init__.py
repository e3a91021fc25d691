"""Builds an index: shard by shard, resumable, published whole."""
