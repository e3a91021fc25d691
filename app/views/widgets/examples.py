"""The example queries of the bundled collection: dev queries, each with what makes it hard.

Test queries are no examples: whoever looks at their lists while choosing has no test of the choice any more.
"""

from typing import Literal, NamedTuple

Kind = Literal["win", "tie", "loss"]
KIND_WORDS: dict[Kind, str] = {"win": "", "tie": "re-ranking changes nothing", "loss": "re-ranking loses"}


class Example(NamedTuple):
    """A query to try."""

    query: str
    caption: str
    """What makes it hard."""
    kind: Kind | None = None
    """What re-ranking does to it with what ships; None where nobody checked."""

    @property
    def about(self) -> str:
        """The caption, and what re-ranking does where that is known and no win."""
        words = KIND_WORDS[self.kind] if self.kind is not None else ""
        return f"{self.caption}; {words}" if words else self.caption


EXAMPLES = (
    Example("how many days are you contageous with the flu", "misspelling", "win"),
    Example("which oscars did the titanic movie get", "another meaning", "win"),
    Example("who owns the jacksonville jaguars", "look-alike", "tie"),
    Example("what is the difference between merge and rebase", "other words", "loss"),
)
