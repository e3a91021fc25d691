"""Questions that passages ask themselves, with what is left of each passage: queries where nobody gave any."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from indexing.records import Passage, PassageId

QUESTION = re.compile(
    r"(?:(?<=[.!?:\"”] )|^)"
    r"((?:who|what|when|where|why|which|how|is|are|can|does|do|did|was|were|should|will)\b[^.!?\n]{12,110}\?)",
    re.IGNORECASE,
)
WORDS = (4, 16)  # of a question that reads like a query
LEFT_WORDS = 15  # fewer words beside the question answer nothing


@dataclass(frozen=True, slots=True)
class PassageQuestion:
    """A question and the passage it was cut from."""

    passage_id: PassageId
    question: str
    rest: str
    """The passage without the question."""


def passage_questions(passages: Iterable[Passage]) -> Iterator[PassageQuestion]:
    """The first fitting question of each passage that asks one and says more than it; no question comes twice."""
    seen = set()
    for passage in passages:
        for found in QUESTION.finditer(passage.content):
            question = " ".join(found[1].split())
            rest = f"{passage.content[: found.start(1)]} {passage.content[found.end(1) :]}".strip()
            fits = WORDS[0] <= len(question.split()) <= WORDS[1] and len(rest.split()) >= LEFT_WORDS
            if fits and question.lower() not in seen:
                seen.add(question.lower())
                yield PassageQuestion(passage.id, question, " ".join(rest.split()))
                break
