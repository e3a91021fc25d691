"""Grades by a language model at any OpenAI-compatible address, once it is known how far they agree with a user's."""
