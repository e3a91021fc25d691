"""How a passage is shown: its card, its ranks, its grade, and the explanation of its rank."""
