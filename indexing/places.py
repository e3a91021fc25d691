"""Where things lie on this disk."""

from pathlib import Path

INDEXES = Path("data/indexes")
SHIPPED_RERANKER = Path("data/reranker")
MODELS = Path("data/models")
SAMPLE = Path("data/sample")
"""The bundled collection, whose dev and test queries no command trains on."""
