"""python -m search rerank: re-rank the TREC run of any engine."""

import argparse
import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from indexing.catalogue import current_build
from indexing.cli.numbers import whole
from indexing.cli.options import existing_path, path
from indexing.cli.shell import Commands, add_verbose
from indexing.errors import SettingsError
from indexing.progress import Bars
from search.cli.options import RERANKING, add_index, add_reranker, add_reranking
from search.cli.run import check_output
from search.served import DEFAULT_RERANKER, NO_RERANKER, reranker_fingerprint, reranker_path
from search.served_settings import ServedSettings, settings_in_force
from search.settings import DEEPEST, PipelineSettings

if TYPE_CHECKING:
    from indexing.index import Index
    from indexing.records import PassageId, Query, Ranking, Run

TAG = "second-look-reranked"
GIVEN = ("depth", "rerank_depth", *RERANKING)


def add(commands: Commands) -> None:
    """Add the command `rerank`."""
    command = commands.add_parser("rerank", help="re-rank a TREC run of any engine; a stopped one goes on where it was")
    command.add_argument("--run", type=path, required=True, dest="run_file", help="the run, as TREC's or JSON")
    command.add_argument("--queries", type=existing_path, required=True, help="the texts of its queries")
    command.add_argument("--output", type=path, required=True, help="the run to write")
    add_index(command)
    command.add_argument("--corpus", type=existing_path, help="take the texts from this corpus, not from the index")
    add_reranker(command)
    command.add_argument("--depth", type=whole(1, DEEPEST), help="places of each list that are looked at")
    add_reranking(command)
    add_verbose(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    check_output(options.output, options.queries)
    check_output(options.output, options.run_file, what="the run to re-rank")
    served = ServedSettings()
    if options.corpus is None:
        current_build(options.index, root=options.root)
        served = settings_in_force(options.index, root=options.root)
    name, settings = _usual(options, served)
    path = reranker_path(name)
    from indexing.judged.queries import read_queries
    from search.answers import write_answers
    from search.queries import searchable_queries
    from search.trec import read_run

    queries = searchable_queries(read_queries(options.queries))
    run = read_run(options.run_file)
    lists = _Lists(options, run, queries)
    identity = lists.identity(settings, fingerprint=reranker_fingerprint(path))
    with Bars("queries", total=len(lists.queries)) as bars:
        written = write_answers(
            options.output, lists.queries, identity, lambda: lists.open(name, settings), tag=TAG, progress=bars
        )
    print(f"{len(written):,} queries in {options.output}")
    return 0


def _usual(options: argparse.Namespace, served: ServedSettings) -> tuple[str, PipelineSettings]:
    """The re-ranker's name and the settings: what is given, then the index's served default. Raises SettingsError."""
    from search.rerank.other_run import rerank_settings

    name = options.reranker or (DEFAULT_RERANKER if served.reranker == NO_RERANKER else served.reranker)
    if name == NO_RERANKER or options.rerank_depth == 0:
        raise SettingsError("Nothing would be re-ranked; give a --reranker and a --rerank-depth of 1 or more.")
    given = {field: getattr(options, field) for field in GIVEN if getattr(options, field) is not None}
    return name, rerank_settings(served.settings_for(name), given)


class _Lists:
    """The lists that are re-ranked, and where their texts come from: an index, or a corpus."""

    def __init__(self, options: argparse.Namespace, run: "Run", queries: "Sequence[Query]") -> None:
        from indexing.index import open_index
        from search.rerank.other_run import check_lists, texts_of

        self._run = run
        self._index: Index | None = None
        self._texts: dict[PassageId, str] = {}
        if options.corpus is None:
            self._index = open_index(options.index, root=options.root)
        else:
            wanted = {name for query in queries if query.id in run for name in run[query.id].passage_ids}
            self._texts = texts_of(options.corpus, wanted)
        known = self._texts if self._index is None else self._index.passages
        source = f"index {options.index}" if self._index is not None else str(options.corpus)
        self.queries = check_lists(run, queries, known, source=source, path=options.run_file)

    def identity(self, settings: PipelineSettings, *, fingerprint: str) -> dict[str, object]:
        """All that determines the answers, as plain JSON."""
        from indexing.provenance import package_version
        from search.answers import queries_fingerprint, settings_identity

        lists = [
            (query.id, self._run[query.id].passage_ids, self._run[query.id].scores.tolist()) for query in self.queries
        ]
        content = repr((lists, sorted(self._texts.items())))
        return {
            "build": "" if self._index is None else self._index.manifest.build,
            "lists": hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16],
            "queries": queries_fingerprint(self.queries),
            "re-ranker": fingerprint,
            "program": package_version(),
            **settings_identity(settings),
        }

    def open(self, name: str, settings: PipelineSettings) -> "Callable[[Query], Ranking]":
        """Load the models."""
        from indexing.dense.encoder import BiEncoder
        from search.load import open_reranker, pipeline_on
        from search.rerank.other_run import by_index, by_texts

        if self._index is not None:
            rerank = by_index(pipeline_on(self._index, reranker=name), settings)
        else:
            encoder = BiEncoder() if settings.needs & {"dense", "late"} else None
            reranker = open_reranker(name, encoder=encoder)
            if reranker is None:
                raise SettingsError(f"Re-ranker {name!r} reads nothing; give another.")
            rerank = by_texts(self._texts, reranker, encoder, settings)
        return lambda query: rerank(query, self._run[query.id])
