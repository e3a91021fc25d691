"""Scores that mean something: the probability that a passage is relevant, as judged queries tell it."""
