"""Versions of re-rankers: manifests and cards, comparison, promotion and rollback."""
