"""The options that every command of `python -m search` has: the index, the re-ranker, and how a query is answered."""

import argparse

from indexing import places
from indexing.catalogue import current_build
from indexing.cli.numbers import real, whole
from indexing.cli.options import add_no_verify, path
from indexing.cli.shell import add_old_spelling, add_verbose, say
from search.served import DEFAULT_RERANKER, NO_RERANKER, reranker_path
from search.served_settings import OWN_DEFAULT, settings_in_force
from search.settings import DEEPEST, FUSIONS, MIXES, PipelineSettings

RERANKING = ("rerank_weight", "rerank_order", "rerank_mix")
"""Options that ask for a re-ranker, where none is served by default."""
OPTIONS = ("depth", "rerank_depth", "fusion", "rrf_k", "bm25_weight", "k1", "b", *RERANKING)
"""The options that are fields of the settings."""


def add_pipeline_options(command: argparse.ArgumentParser) -> None:
    """Add these options to a command."""
    usual = OWN_DEFAULT
    add_index(command)
    add_reranker(command)
    command.add_argument("--depth", type=whole(1, DEEPEST), help=f"candidates kept by the first stage ({usual.depth})")
    add_reranking(command)
    add_old_spelling(command, "--rerank-k", new="--rerank-depth", type=whole(0, DEEPEST))
    command.add_argument("--fusion", choices=FUSIONS, help=f"({usual.fusion})")
    command.add_argument("--rrf-k", type=whole(0, 1_000_000), help=f"constant of rrf ({usual.rrf_k})")
    command.add_argument("--bm25-weight", type=real(0, 1), help=f"BM25's share in weighted ({usual.bm25_weight})")
    command.add_argument("--k1", type=real(0, 10), help="BM25's, 0 to 10 (the index's own)")
    command.add_argument("--b", type=real(0, 1), help="BM25's, 0 to 1 (the index's own)")
    add_verbose(command)


def add_index(command: argparse.ArgumentParser) -> None:
    """Add what names an index."""
    command.add_argument("--index", metavar="NAME", default="sample", help="name of the index (%(default)s)")
    command.add_argument("--root", type=path, default=places.indexes(), help="folder of all indexes (%(default)s)")
    add_no_verify(command)


def add_reranker(command: argparse.ArgumentParser) -> None:
    """Add what names a re-ranker."""
    command.add_argument(
        "--reranker",
        help="NAME/VERSION, 'shipped', hub name or path of a CrossEncoder, or 'late': late interaction by the index's "
        "bi-encoder; 'none' to go without (what was decided for the index, else the promoted version, else the shipped "
        "one)",
    )


def add_reranking(command: argparse.ArgumentParser) -> None:
    """Add what is re-ranked, and what the re-ranker's score is mixed with."""
    usual = OWN_DEFAULT
    command.add_argument(
        "--rerank-depth", type=whole(0, DEEPEST), help=f"candidates re-ranked, at most --depth ({usual.rerank_depth})"
    )
    command.add_argument(
        "--rerank-order",
        choices=MIXES,
        help=f"score of the first stage that chooses them ({usual.rerank_order})",
    )
    command.add_argument(
        "--rerank-weight",
        type=real(0, 1),
        help=f"re-ranker's share of the score ({usual.rerank_weight}; 1 where a --reranker is named)",
    )
    command.add_argument(
        "--rerank-mix",
        choices=MIXES,
        help=f"what the rest of the score comes from ({usual.rerank_mix})",
    )


def pipeline_settings(options: argparse.Namespace) -> PipelineSettings:
    """The settings of the options, after a check that the index and the re-ranker which they name exist.

    What isn't given is the index's served default, the re-ranker too, whose name is then set in `options`. Nothing
    heavy is imported, so that a mistyped option is reported at once.

    Raises:
        SettingsError: an option is out of its range.
        IndexingError, ModelError: there is no such index or version.
    """
    current_build(options.index, root=options.root)
    usual = _usual(options)
    given = {name: getattr(options, name) for name in OPTIONS if getattr(options, name) is not None}
    depth = given.get("depth", usual.depth)
    rerank_depth = given.get("rerank_depth", usual.rerank_depth)
    settings = usual.changed({**given, "depth": depth, "rerank_depth": min(rerank_depth, depth)})
    reranker_path(options.reranker)
    if options.rerank_depth is not None and settings.rerank_depth < options.rerank_depth:
        say(
            f"--rerank-depth is {options.rerank_depth:,}, but the first stage keeps {depth:,} candidates, so "
            f"{settings.rerank_depth:,} are re-ranked; give --depth {options.rerank_depth} for all."
        )
    return settings


def _usual(options: argparse.Namespace) -> PipelineSettings:
    """The settings where no option says otherwise; sets the re-ranker's name where none was given."""
    served = settings_in_force(options.index, root=options.root)
    asked = options.rerank_depth or any(getattr(options, name) is not None for name in RERANKING)
    if options.reranker is None and served.reranker == NO_RERANKER and asked:
        options.reranker = DEFAULT_RERANKER
    if options.reranker is None and served.at:
        for sentence in served.notes(options.index, root=options.root):
            say(sentence)
    usual = served.settings_for(options.reranker)
    options.reranker = options.reranker or served.reranker
    return usual
