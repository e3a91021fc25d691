"""Queries to try in a corpus of one's own: titles of its passages, or what their first sentences are about."""

import re
from collections.abc import Iterable, Iterator, Sequence

from indexing.records import Passage
from indexing.store.passages import PassageStore
from indexing.words.analyzer import Analyzer

MOST_WORDS = 6  # of a title that can be a query
READ = 240  # characters of a passage without a title
TRIED = 4  # passages looked at for each example
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？\n]")


def own_examples(passages: PassageStore | Sequence[Passage], analyzer: Analyzer, *, count: int) -> tuple[str, ...]:
    """Up to `count` different queries, from passages spread evenly over the corpus."""
    total, looked_at = len(passages), count * TRIED
    rows = dict.fromkeys(place * total // looked_at for place in range(looked_at)) if total else {}
    spread = [row for start in range(TRIED) for row in list(rows)[start::TRIED]]
    found: dict[str, str] = {}
    for query in _queries(passages[row] for row in spread):
        phrase = _phrase(query, analyzer)
        if phrase:
            found.setdefault(phrase.casefold(), phrase)
        if len(found) == count:
            break
    return tuple(found.values())


def _queries(passages: Iterable[Passage]) -> Iterator[str]:
    """Each passage's title, or its first sentence."""
    for passage in passages:
        yield passage.title.strip() or _first_sentence(passage.text[:READ])


def _first_sentence(text: str) -> str:
    end = _SENTENCE_END.search(text)
    return text[: end.start() if end else None].strip()


def _phrase(text: str, analyzer: Analyzer) -> str:
    """A short text as it is; of a longer one the longest run of words between stop words and signs."""
    if len(text.split()) <= MOST_WORDS:
        return text if analyzer.tokens(text) else ""
    runs: list[str] = []
    end = -1
    for token in analyzer.tokens(text):
        if token.start < end:  # a part of the word before
            continue
        word, between = text[token.start : token.end], text[max(end, 0) : token.start]
        if runs and between and not between.strip() and len(runs[-1].split()) < MOST_WORDS:
            runs[-1] += between + word
        else:
            runs.append(word)
        end = token.end
    return max(runs, key=lambda run: len(run.split()), default="")
