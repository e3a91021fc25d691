"""Adds hard negatives of our own index to examples that have judged passages."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from indexing.progress import Progress, silent
from search.pipeline import RetrieveAndRerank
from search.settings import QUERY_CHARACTERS, PipelineSettings
from training.example import Example
from training.mining.near_duplicates import NearDuplicates
from training.mining.settings import MiningSettings


def enlarged(
    examples: Iterable[Example],
    pipeline: RetrieveAndRerank,
    settings: MiningSettings,
    *,
    progress: Progress = silent,
) -> Iterator[Example]:
    """Each example with the first `per_query` fused passages of the ranks, graded 0, that it doesn't hold yet.

    Left out is what reads like a relevant passage of the example. Margins don't apply: the texts of an example have
    no score in this index. Examples with a teacher's scores, or of an unsearchable query, stay as they are.
    """
    first, last = settings.ranks
    asked = PipelineSettings(depth=max(last, PipelineSettings().depth), rerank_depth=0)
    for example in examples:
        progress("mine", 1, 0)
        if example.labels is None or example.scores is not None or len(example.query) > QUERY_CHARACTERS:
            yield example
            continue
        relevant = [text for text, label in zip(example.passages, example.labels, strict=True) if label > 0]
        known, held = NearDuplicates(relevant, share=settings.near_duplicate), set(example.passages)
        trace = pipeline.search(example.query, asked)
        texts = [trace.passages[entry.passage_id].content for entry in trace.fused if first <= entry.rank <= last]
        fresh = [text for text in dict.fromkeys(texts) if text not in held and not known.match(text)]
        more = tuple(fresh[: settings.per_query])
        yield replace(example, passages=(*example.passages, *more), labels=(*example.labels, *([0.0] * len(more))))
