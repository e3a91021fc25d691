"""Judged collections: queries, their judgments, and whether these fit the passages they are about."""
