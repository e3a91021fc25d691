"""python -m search run: answer a file of queries and write a TREC run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from indexing.cli.options import existing_path, path
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from indexing.progress import Bars
from search.cli.options import add_pipeline_options, pipeline_settings
from search.served import reranker_fingerprint, reranker_path

if TYPE_CHECKING:
    from indexing.index import Index
    from search.answers import Answer
    from search.settings import PipelineSettings

TAG = "second-look"


def add(commands: Commands) -> None:
    """Add the command `run`."""
    command = commands.add_parser(
        "run", help="answer a file of queries and write a TREC run; a stopped one goes on where it was"
    )
    command.add_argument("queries", type=existing_path, help="file of 'id TAB text' lines, or JSONL with _id and text")
    command.add_argument("output", type=path, help="the run to write")
    add_pipeline_options(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    settings = pipeline_settings(options)
    check_output(options.output, options.queries)
    from indexing.judged.queries import read_queries
    from search.queries import searchable_queries

    queries = searchable_queries(read_queries(options.queries))
    if not queries:
        raise SettingsError(f"{options.queries} has no queries; give a file of 'id TAB text' lines.")
    from indexing.index import open_index
    from search.answers import run_identity, write_answers
    from search.retrieve import check_bm25
    from search.trec import check_run_ids

    index = open_index(options.index, root=options.root)
    check_run_ids((query.id for query in queries), index)
    check_bm25(index, k1=settings.k1, b=settings.b)
    reranker = reranker_path(options.reranker) if settings.rerank_depth else ""
    identity = run_identity(index.manifest, queries, settings, reranker=reranker_fingerprint(reranker))
    with Bars("queries", total=len(queries)) as bars:
        run = write_answers(
            options.output, queries, identity, lambda: _open(index, reranker, settings), tag=TAG, progress=bars
        )
    print(f"{len(run):,} queries in {options.output}")
    return 0


def check_output(output: Path, queries: Path, *, what: str = "the file of queries") -> None:
    """Refuse an output that isn't a plain file, or is a file that is read. Raises SettingsError."""
    if output.is_dir():
        raise SettingsError(f"{output} is a folder; give the name of the file to write.")
    if output.exists() and not output.is_file():
        raise SettingsError(f"{output} isn't a plain file; give the name of one to write.")
    if output.exists() and queries.exists() and output.samefile(queries):
        raise SettingsError(f"{output} is {what} itself; give another name for the run.")


def _open(index: "Index", reranker: str, settings: "PipelineSettings") -> "Answer":
    from search.answers import final_lists
    from search.load import pipeline_on
    from search.served import NO_RERANKER

    return final_lists(pipeline_on(index, reranker=reranker or NO_RERANKER), settings)
