"""Chooses the language of a new index: the one that is given, or that of a sample of the corpus."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from indexing.corpus.corpus import Corpus
from indexing.words.detection import detect
from indexing.words.languages import AUTO

READ = 200_000  # passages from which the sample is taken, evenly spread
SAMPLE = 1_000


@dataclass(frozen=True)
class IndexLanguage:
    """The language of an index, as its manifest records it."""

    name: str
    """Of the analyzer; empty in indexes built before they had one."""
    reason: str = ""
    """How it was found, as the end of a sentence; empty if it was given."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Share of each language in the sample, most first."""


def choose_language(corpus: Corpus, language: str) -> IndexLanguage:
    """The language that the settings name, or for `auto` that of most sampled passages.

    Raises:
        CorpusError: the corpus can't be read.
    """
    read = replace(corpus, skip_bad_lines=True, skipped=[], skipped_count=0)  # the build itself refuses a bad line
    texts = list(_spread(passage.content for passage in islice(read, READ)))
    found = detect(texts)
    if language != AUTO:
        return IndexLanguage(language, "", found.shares)
    if not found.shares:
        return IndexLanguage(found.language, f"the default: {len(texts):,} sampled passages have too few words to tell")
    parts = ", ".join(f"{share:.0%} {name}" for name, share in list(found.shares.items())[:3])
    return IndexLanguage(found.language, f"by {len(texts):,} sampled passages: {parts}", found.shares)


def _spread(texts: Iterator[str]) -> Iterator[str]:
    """About SAMPLE texts or somewhat more, evenly spread, without keeping all."""
    kept: list[str] = []
    stride = 1
    for number, text in enumerate(texts):
        if number % stride == 0:
            kept.append(text)
            if len(kept) == 2 * SAMPLE:
                kept, stride = kept[::2], 2 * stride
    yield from kept if len(kept) <= SAMPLE else kept[:: -(-len(kept) // SAMPLE)]
