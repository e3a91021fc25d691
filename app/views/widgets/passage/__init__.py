"""How a passage is shown: its card, its ranks, its grade, and why it ranks where it does."""
