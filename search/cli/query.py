"""python -m search query: answer one query, or each line of stdin, with every stage's list, moves and times."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from indexing.cli.numbers import whole
from indexing.cli.shell import FAILED, Commands, say
from indexing.errors import SettingsError
from search.cli.options import add_pipeline_options, pipeline_settings
from search.settings import PipelineSettings, normalized_query
from search.trace_html import moved_mark

if TYPE_CHECKING:
    from indexing.records import Ranking
    from search.pipeline import RetrieveAndRerank
    from search.trace import SearchTrace

STDIN = "-"
SNIPPET = 76  # characters of a passage in a terminal's line
WARM_UP = "this process's first search, which includes warm-up"


def add(commands: Commands) -> None:
    """Add the command `query`."""
    command = commands.add_parser("query", help="answer one query, or many after one start, with every stage's list")
    command.add_argument("query", help=f"the query; {STDIN} reads one from each line of stdin")
    command.add_argument("--top", type=whole(1), default=10, help="places printed of each list (%(default)s)")
    command.add_argument("--json", action="store_true", help="print one line of JSON for each query (docs/python.md)")
    add_pipeline_options(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    settings = pipeline_settings(options)
    single = options.query != STDIN
    query = normalized_query(options.query) if single else ""
    from search.load import open_pipeline

    pipeline = open_pipeline(options.index, reranker=options.reranker, root=options.root)
    if not single:
        return _answer_lines(pipeline, settings, options)
    _print_answer(pipeline.search(query, settings), options, note=WARM_UP)
    return 0


def _answer_lines(pipeline: "RetrieveAndRerank", settings: PipelineSettings, options: argparse.Namespace) -> int:
    """Give one answer to each line, so that answers can be matched with the lines that were sent."""
    status, note = 0, WARM_UP
    for query in _lines():
        try:
            trace = pipeline.search(query, settings)
        except SettingsError as error:
            _print_refusal(query, error, as_json=options.json)
            status = FAILED
        else:
            _print_answer(trace, options, note=note, heading=f"Query: {trace.query}")
            note = ""
    return status


def _lines() -> Iterator[str]:
    """The lines of stdin that aren't blank, each as soon as it arrives."""
    if sys.stdin.isatty():
        say("Type a query and press Enter; Ctrl-D ends.")
    for line in iter(sys.stdin.readline, ""):
        if line.strip():
            yield line.strip()


def _print_refusal(query: str, error: SettingsError, *, as_json: bool) -> None:
    if as_json:
        from search.trace import SCHEMA

        print(json.dumps({"schema": SCHEMA, "query": query, "error": str(error)}, ensure_ascii=False), flush=True)
    else:
        say(error)


def _print_answer(trace: "SearchTrace", options: argparse.Namespace, *, note: str, heading: str = "") -> None:
    if options.json:
        print(json.dumps(trace.to_dict(top=options.top), ensure_ascii=False), flush=True)
        return
    if heading:
        print(f"{heading}\n")
    for title, ranking in _lists(trace):
        _print_list(title, trace, ranking, top=options.top)
    if trace.calibration is not None and trace.best is not None and len(trace.fused):
        cut = f"a list is weak below {trace.calibration.cut:.0%}"
        print(f"The best passage is relevant with a probability of {trace.best:.0%}; {cut}.")
    for sentence in trace.told:
        print(sentence)
    if not len(trace.fused) and not trace.told:
        print("No passage matches; try other words.")
    times = "   ".join(f"{stage} {seconds * 1000:.1f} ms" for stage, seconds in trace.seconds.items())
    print(f"Time   {times}{f'   ({note})' if note else ''}", end="\n\n" if heading else "\n", flush=True)


def _lists(trace: "SearchTrace") -> Iterator[tuple[str, "Ranking"]]:
    """Every list with its title."""
    for name, ranking in trace.first_stage.items():
        yield f"First stage: {name}", ranking
    if len(trace.first_stage) > 1:
        yield "Fused", trace.fused
    if trace.reranked is not None:
        yield f"Re-ranked by {trace.versions.reranker}", trace.reranked


def _print_list(title: str, trace: "SearchTrace", ranking: "Ranking", *, top: int) -> None:
    """A list's first places; of the re-ranked one with moves, unless nothing in it seems to answer the query."""
    print(title)
    if not len(ranking):
        print("  no passage has a word of the query")
    is_reranked = ranking is trace.reranked
    moves = trace.moves() if is_reranked and trace.answers is not False else {}
    for rank, passage_id, score in ranking.top(top):
        mark = moved_mark(moves[passage_id]) if moves else ""
        passage = trace.passages.get(passage_id)
        text = passage.content if passage else ""
        snippet = text if len(text) <= SNIPPET else text[:SNIPPET] + "…"
        estimate = trace.estimate(passage_id) if is_reranked or trace.reranked is None else None
        chance = "" if estimate is None else f" {estimate.probability:>4.0%}"
        print(f"  {rank:>3} {mark:>4} {score:>9.4f}{chance}  {passage_id:>8}  {snippet}")
    print()
