"""A run's scores as a teacher: groups of the passages that it ranks, with logits in place of its own scale."""

from collections.abc import Iterator
from pathlib import Path

from indexing.corpus.judged import read_queries
from indexing.errors import SettingsError, TrainingError
from indexing.index import Index, open_corpus_folder
from indexing.records import Ranking, Run
from search.trec import read_run
from training.data.readers.passage_lists import Entry, PassageList
from training.example import NO_PASSAGE, NO_QUERY, Skipped
from training.mining.groups import GroupSettings, TrainingGroup, logit_groups, run_of_logits

ALIKE = "query without 2 passages of different scores in the run"


def run_groups(
    run: Run, index: Index, settings: GroupSettings, *, repeats: int = 1, skipped: Skipped = lambda _: None
) -> Iterator[TrainingGroup]:
    """Groups of each query as they are taken, of those passages that the index holds; ranks are among these.

    `skipped` is told of each passage that the index lacks, and of each query that makes no group.
    """
    for query_id, ranking in run.items():
        held = Ranking.sort((passage, score) for _, passage, score in ranking if passage in index.passages)
        for _ in range(len(ranking) - len(held)):
            skipped(NO_PASSAGE)
        groups = logit_groups(run_of_logits({query_id: held}), settings, repeats=repeats) if held else []
        if not groups:
            skipped(ALIKE)
        yield from groups


def run_lists(
    path: Path, *, index: Index, queries: Path | None, settings: GroupSettings, skipped: Skipped
) -> Iterator[PassageList]:
    """A list for each query of the run in `path` that has a text, with raw logits as scores and nothing judged.

    Texts of queries come from `queries`, or else from queries.train.tsv beside the index's corpus. The run is held in
    memory; passages are read as lists are taken. `skipped` is told of what run or index lack.

    Raises:
        SettingsError: no queries were given, and there are none beside the corpus.
        CorpusError: a line of run or queries can't be read.
        TrainingError: no query has a text, or none of them two passages in the index that the run scores apart.
    """
    name = index.manifest.name
    texts_path = queries or open_corpus_folder(index) / "queries.train.tsv"
    if not texts_path.is_file():
        raise SettingsError(f"Index {name} has no {texts_path} to read the run's queries from; add ,queries=FILE.")
    run, texts = read_run(path), {query.id: query.text for query in read_queries(texts_path)}
    known = {query_id: ranking for query_id, ranking in run.items() if query_id in texts}
    if not known:
        raise TrainingError(
            f"None of the {len(run):,} queries of run {path} has a text in {texts_path}; give the queries that it "
            "ran on with ,queries=FILE."
        )
    for _ in range(len(run) - len(known)):
        skipped(NO_QUERY)
    empty = True
    for group in run_groups(known, index, settings, skipped=skipped):
        empty = False
        contents = [index.passages.by_id(passage_id).content for passage_id in group.passage_ids]
        entries = [Entry(text, 0, target) for text, target in zip(contents, group.targets, strict=True)]
        yield PassageList(texts[group.query_id], entries, group.query_id)
    if empty:
        raise TrainingError(
            f"Run {path} ranks no two passages of index {name} by different scores for any of {len(known):,} queries; "
            "give the index whose passages it ranks."
        )
