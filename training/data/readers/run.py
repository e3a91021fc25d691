"""A run as a teacher: groups of the passages that it ranks, with its scores turned into logits."""

from collections.abc import Iterator

from indexing.errors import SettingsError, TrainingError
from indexing.index import Index, open_corpus_folder
from indexing.judged.queries import read_queries
from indexing.records import Ranking, Run
from search.trec import read_run
from training.example import NO_PASSAGE, NO_QUERY, SAME_SCORES, Example, OnSkip, ignore
from training.mining.groups import GroupSettings, TrainingGroup, logit_groups, run_of_logits
from training.source import Source


def run_groups(
    run: Run, index: Index, settings: GroupSettings, *, repeats: int = 1, on_skip: OnSkip = ignore
) -> Iterator[TrainingGroup]:
    """Groups of each query, made lazily from the passages that the index holds; ranks count only these.

    `on_skip` gets a reason for each passage that the index lacks, and for each query that yields no group.
    """
    for query_id, ranking in run.items():
        indexed = Ranking.sort((passage, score) for _, passage, score in ranking if passage in index.passages)
        for _ in range(len(ranking) - len(indexed)):
            on_skip(NO_PASSAGE)
        groups = logit_groups(run_of_logits({query_id: indexed}), settings, repeats=repeats) if indexed else []
        if not groups:
            on_skip(SAME_SCORES)
        yield from groups


def run_examples(source: Source, *, index: Index, settings: GroupSettings, on_skip: OnSkip) -> Iterator[Example]:
    """An example, with logits as scores and without labels, for each query of a run whose text is known.

    Query texts come from the source's queries, or else from queries.train.tsv in the folder of the index's corpus. The
    run is held in memory; passages are read lazily. `on_skip` gets a reason for each query or passage that is missing.

    Raises:
        SettingsError: neither the source nor the corpus has queries.
        CorpusError: a line of the run or the queries can't be read.
        TrainingError: no query has a text, or none has two passages in the index with different scores.
    """
    name = index.manifest.name
    texts_path = source.queries or open_corpus_folder(index) / "queries.train.tsv"
    if not texts_path.is_file():
        raise SettingsError(f"Index {name} has no {texts_path} to read the run's queries from; add ,queries=FILE.")
    run, texts = read_run(source.path), {query.id: query.text for query in read_queries(texts_path)}
    known = {query_id: ranking for query_id, ranking in run.items() if query_id in texts}
    if not known:
        raise TrainingError(
            f"None of the {len(run):,} queries of run {source.path} has a text in {texts_path}; name the file of its "
            "queries with ,queries=FILE."
        )
    for _ in range(len(run) - len(known)):
        on_skip(NO_QUERY)
    empty = True
    for group in run_groups(known, index, settings, on_skip=on_skip):
        empty = False
        passages = tuple(index.passages.by_id(passage_id).content for passage_id in group.passage_ids)
        yield Example(source.label(), texts[group.query_id], passages, scores=group.targets, query_id=group.query_id)
    if empty:
        raise TrainingError(
            f"Run {source.path} has no two passages of index {name} with different scores for any of {len(known):,} "
            "queries; name the index whose passages it ranks."
        )
