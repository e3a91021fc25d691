"""python -m search query|run: answer one query and show every stage, or a file of queries as a TREC run."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from indexing import places
from indexing.corpus.judged import read_queries
from indexing.errors import SecondLookError, SettingsError
from indexing.records import QueryId, Ranking
from search.load import DEFAULT_RERANKER, open_pipeline
from search.settings import FUSIONS, MIXES, PipelineSettings
from search.trace import SearchTrace
from search.trec import write_run

SNIPPET = 76  # characters of a passage in a terminal's line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give back the exit status."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        status: int = options.run(options, _settings(options))
    except (SecondLookError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return status


def _query(options: argparse.Namespace, settings: PipelineSettings) -> int:
    if options.top < 1:
        raise SettingsError(f"--top is {options.top}; give 1 place or more.")
    pipeline = open_pipeline(options.index, reranker=options.reranker, root=options.root)
    pipeline.search(options.query, settings)  # the first search loads and compiles; the second is timed
    trace = pipeline.search(options.query, settings)
    reranker = pipeline.reranker.name if pipeline.reranker else None
    if options.json:
        print(json.dumps(trace.to_dict(top=options.top), ensure_ascii=False))
    else:
        _print_trace(trace, reranker=reranker, top=options.top)
    return 0


def _print_trace(trace: SearchTrace, *, reranker: str | None, top: int) -> None:
    for name, ranking in trace.first_stage.items():
        _print_list(f"First stage: {name}", trace, ranking, top)
    if len(trace.first_stage) > 1:
        _print_list("Fused", trace, trace.fused, top)
    if trace.reranked is not None:
        _print_list(f"Re-ranked by {reranker}", trace, trace.reranked, top, moves=trace.moves())
    if not len(trace.fused):
        print("No passage matches; try other words.")
    print("Time   " + "   ".join(f"{stage} {seconds * 1000:.1f} ms" for stage, seconds in trace.seconds.items()))


def _print_list(
    title: str, trace: SearchTrace, ranking: Ranking, top: int, *, moves: dict[Any, int] | None = None
) -> None:
    print(title)
    for rank, passage_id, score in ranking.top(top):
        moved = moves[passage_id] if moves else 0
        mark = f"{'▲' if moved > 0 else '▼'}{abs(moved)}" if moved else "·" if moves else ""
        passage = trace.passages.get(passage_id)
        text = passage.content if passage else ""
        snippet = text if len(text) <= SNIPPET else text[:SNIPPET] + "…"
        print(f"  {rank:>3} {mark:>4} {score:>9.4f}  {passage_id:>8}  {snippet}")
    print()


def _run(options: argparse.Namespace, settings: PipelineSettings) -> int:
    queries = read_queries(options.queries)
    pipeline = open_pipeline(options.index, reranker=options.reranker, root=options.root)
    run: dict[QueryId, Ranking] = {}
    for query in tqdm(queries, desc="search", unit=" queries", dynamic_ncols=True):
        run[query.id] = pipeline.search(query.text, settings).final
    write_run(options.output, run, tag="second-look")
    print(f"{len(run):,} queries in {options.output}")
    return 0


def _settings(options: argparse.Namespace) -> PipelineSettings:
    return PipelineSettings(
        depth=options.depth,
        rerank_depth=min(options.rerank_depth, options.depth),
        fusion=options.fusion,
        rrf_k=options.rrf_k,
        bm25_weight=options.bm25_weight,
        k1=options.k1,
        b=options.b,
        rerank_weight=options.rerank_weight,
        rerank_mix=options.rerank_mix,
    )


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    root = argparse.ArgumentParser(prog="python -m search", description=__doc__)
    commands = root.add_subparsers(required=True)
    query = commands.add_parser("query", help="answer one query, with every stage's list, moves and times")
    query.add_argument("query")
    query.add_argument("--top", type=int, default=10, help="places shown of each list (%(default)s)")
    query.add_argument("--json", action="store_true", help="print JSON for programs")
    query.set_defaults(run=_query)
    run = commands.add_parser("run", help="answer a file of queries and write a TREC run")
    run.add_argument("queries", type=Path, help="file of 'id TAB text' lines")
    run.add_argument("output", type=Path, help="the run to write")
    run.set_defaults(run=_run)
    defaults = PipelineSettings()
    for command in commands.choices.values():
        command.add_argument("--index", default="sample", help="name of the index (%(default)s)")
        command.add_argument("--root", type=Path, default=places.indexes(), help="folder of all indexes (%(default)s)")
        command.add_argument(
            "--reranker",
            default=DEFAULT_RERANKER,
            help="NAME/VERSION, 'shipped', or hub name or path of a CrossEncoder; 'none' to go without",
        )
        command.add_argument("--depth", type=int, default=defaults.depth, help="first-stage depth (%(default)s)")
        command.add_argument("--rerank-depth", type=int, default=defaults.rerank_depth, help="(%(default)s)")
        command.add_argument("--fusion", choices=FUSIONS, default=defaults.fusion, help="(%(default)s)")
        command.add_argument("--rrf-k", type=int, default=defaults.rrf_k, help="(%(default)s)")
        command.add_argument("--bm25-weight", type=float, default=defaults.bm25_weight, help="(%(default)s)")
        command.add_argument("--k1", type=float, help="BM25's, 0 to 10 (the index's own)")
        command.add_argument("--b", type=float, help="BM25's, 0 to 1 (the index's own)")
        command.add_argument(
            "--rerank-weight", type=float, default=defaults.rerank_weight, help="re-ranker's share (%(default)s)"
        )
        command.add_argument(
            "--rerank-mix", choices=MIXES, default=defaults.rerank_mix, help="what has the rest (%(default)s)"
        )
    return root


if __name__ == "__main__":
    sys.exit(main())
