"""python -m search run: answer a file of queries and write a TREC run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from indexing.progress import Bars
from search.cli.options import add_pipeline_options, pipeline_settings

if TYPE_CHECKING:
    from indexing.records import QueryId, Ranking

TAG = "second-look"


def add(commands: Commands) -> None:
    """Add the command `run`."""
    command = commands.add_parser("run", help="answer a file of queries and write a TREC run")
    command.add_argument("queries", type=Path, help="file of 'id TAB text' lines")
    command.add_argument("output", type=Path, help="the run to write")
    add_pipeline_options(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    settings = pipeline_settings(options)
    if options.output.is_dir():
        raise SettingsError(f"{options.output} is a folder; give the name of the file to write.")
    from indexing.judged.queries import read_queries

    queries = read_queries(options.queries)
    from search.load import open_pipeline
    from search.trec import write_run

    pipeline = open_pipeline(options.index, reranker=options.reranker, root=options.root)
    run: dict[QueryId, Ranking] = {}
    with Bars("queries", total=len(queries)) as bars:
        for query in queries:
            run[query.id] = pipeline.search(query.text, settings).final
            bars("search", 1, len(queries))
    write_run(options.output, run, tag=TAG)
    print(f"{len(run):,} queries in {options.output}")
    return 0
