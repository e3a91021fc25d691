"""The options that every command of `python -m search` has: the index, the re-ranker, and how a query is answered."""

import argparse
import sys

from indexing import places
from indexing.catalogue import current_build
from indexing.cli.numbers import real, whole
from indexing.cli.options import add_no_verify, path
from indexing.cli.shell import add_old_spelling, add_verbose
from search.served import DEFAULT_RERANKER, reranker_path
from search.settings import DEEPEST, FUSIONS, MIXES, PipelineSettings


def add_pipeline_options(command: argparse.ArgumentParser) -> None:
    """Add these options to a command."""
    usual = PipelineSettings()
    command.add_argument("--index", metavar="NAME", default="sample", help="name of the index (%(default)s)")
    command.add_argument("--root", type=path, default=places.indexes(), help="folder of all indexes (%(default)s)")
    add_no_verify(command)
    command.add_argument(
        "--reranker",
        default=DEFAULT_RERANKER,
        help="NAME/VERSION, 'shipped', hub name or path of a CrossEncoder, or 'late': late interaction by the index's "
        "bi-encoder; 'none' to go without (%(default)s: the promoted version, else the shipped one)",
    )
    command.add_argument(
        "--depth", type=whole(1, DEEPEST), default=usual.depth, help="candidates kept by the first stage (%(default)s)"
    )
    command.add_argument(
        "--rerank-depth", type=whole(0, DEEPEST), help=f"candidates re-ranked, at most --depth ({usual.rerank_depth})"
    )
    command.add_argument(
        "--rerank-order",
        choices=MIXES,
        default=usual.rerank_order,
        help="score of the first stage that chooses them (%(default)s)",
    )
    add_old_spelling(command, "--rerank-k", new="--rerank-depth", type=whole(0, DEEPEST))
    command.add_argument("--fusion", choices=FUSIONS, default=usual.fusion, help="(%(default)s)")
    command.add_argument("--rrf-k", type=whole(0, 1_000_000), default=usual.rrf_k, help="constant of rrf (%(default)s)")
    command.add_argument(
        "--bm25-weight", type=real(0, 1), default=usual.bm25_weight, help="BM25's share in weighted (%(default)s)"
    )
    command.add_argument("--k1", type=real(0, 10), help="BM25's, 0 to 10 (the index's own)")
    command.add_argument("--b", type=real(0, 1), help="BM25's, 0 to 1 (the index's own)")
    command.add_argument(
        "--rerank-weight",
        type=real(0, 1),
        default=usual.rerank_weight,
        help="re-ranker's share of the score (%(default)s)",
    )
    command.add_argument(
        "--rerank-mix",
        choices=MIXES,
        default=usual.rerank_mix,
        help="what the rest of the score comes from (%(default)s)",
    )
    add_verbose(command)


def pipeline_settings(options: argparse.Namespace) -> PipelineSettings:
    """The settings of the options, after a check that the index and the re-ranker which they name exist.

    Nothing heavy is imported, so that a mistyped option is reported at once.

    Raises:
        SettingsError: an option is out of its range.
        IndexingError, ModelError: there is no such index or version.
    """
    usual = PipelineSettings()
    requested = usual.rerank_depth if options.rerank_depth is None else options.rerank_depth
    settings = PipelineSettings(
        depth=options.depth,
        rerank_depth=min(requested, options.depth),
        fusion=options.fusion,
        rrf_k=options.rrf_k,
        bm25_weight=options.bm25_weight,
        k1=options.k1,
        b=options.b,
        rerank_weight=options.rerank_weight,
        rerank_order=options.rerank_order,
        rerank_mix=options.rerank_mix,
    )
    current_build(options.index, root=options.root)
    reranker_path(options.reranker)
    if options.rerank_depth is not None and settings.rerank_depth < options.rerank_depth:
        print(
            f"--rerank-depth is {options.rerank_depth:,}, but the first stage keeps {options.depth:,} candidates, so "
            f"{settings.rerank_depth:,} are re-ranked; give --depth {options.rerank_depth} for all.",
            file=sys.stderr,
        )
    return settings
