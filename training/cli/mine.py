"""mine: mine hard negatives from an index, for training."""

import argparse
from pathlib import Path

from indexing.catalogue import current_build
from indexing.cli.numbers import real, whole
from indexing.cli.shell import Commands, add_old_spelling
from indexing.errors import SettingsError
from indexing.progress import Bars
from search.served import NO_RERANKER, reranker_path
from search.settings import FUSIONS
from training.cli.options import RERANKER_HELP, add_index
from training.mining.settings import NEGATIVE_FORMS, SAMPLING, MiningOptions, MiningSettings, NegativesLayout

RULES = ("per_query", "sampling", "relative_margin", "absolute_margin", "max_score", "min_score", "near_duplicate")


def add(commands: Commands) -> None:
    """Add the command."""
    mine = commands.add_parser("mine", help="mine hard negatives from an index, for training")
    mine.add_argument("--output", type=Path, required=True, help="folder to make")
    add_index(mine, "whose passages are mined")
    mine.add_argument("--split", help="judged split whose queries are mined (train)")
    mine.add_argument("--queries", type=Path, help="file of queries to mine in place of a split's, with --qrels")
    mine.add_argument("--qrels", type=Path, help="file of their judgments, of TREC's fields or MS MARCO's")
    mine.add_argument("--fusion", choices=FUSIONS, default="rrf", help="what ranks the candidates (%(default)s)")
    add_old_spelling(mine, "--source", new="--fusion", choices=FUSIONS)
    mine.add_argument("--ranks", type=whole(), nargs=2, metavar=("FROM", "TO"), default=MiningSettings.ranks)
    mine.add_argument(
        "--per-query", type=whole(), default=MiningSettings.per_query, help="negatives a query (%(default)s)"
    )
    mine.add_argument("--sampling", choices=SAMPLING, default=MiningSettings.sampling)
    mine.add_argument("--relative-margin", type=_margin, default=MiningSettings.relative_margin, help="or none")
    mine.add_argument("--absolute-margin", type=real())
    mine.add_argument("--max-score", type=real())
    mine.add_argument("--min-score", type=real())
    mine.add_argument("--near-duplicate", type=real(), default=MiningSettings.near_duplicate, help="Jaccard of terms")
    mine.add_argument("--minimum-grade", type=whole(), default=MiningSettings.minimum_grade, help="of a positive")
    mine.add_argument("--reranker", default=NO_RERANKER, help=f"scores the candidates anew: {RERANKER_HELP}")
    mine.add_argument("--form", choices=NEGATIVE_FORMS, action="append", help="may be repeated; all by default")
    mine.add_argument("--scores", action="store_true", help="write scores too")
    mine.add_argument("--seed", type=whole(0, 2**32 - 1), default=MiningSettings.seed)
    mine.add_argument("--protect", type=Path, action="append", default=[], help="file of queries never to mine")
    mine.set_defaults(run=_mine)


def _margin(text: str) -> float | None:
    return None if text == "none" else float(text)


def _mine(options: argparse.Namespace) -> int:
    rules = {name: getattr(options, name) for name in (*RULES, "minimum_grade", "seed")}
    settings = MiningSettings(ranks=tuple(options.ranks), **rules)
    what = _mining_options(options)
    current_build(options.index, root=options.root)
    reranker_path(options.reranker)
    from training.mining.mine import mine_negatives
    from training.mining.report import describe

    with Bars("queries") as bars:
        report = mine_negatives(options.index, options.output, settings, what, root=options.root, progress=bars)
    print(describe(report))
    print(f"Mined negatives: {options.output}")
    return 0


def _mining_options(options: argparse.Namespace) -> MiningOptions:
    """Whose negatives are mined. Raises SettingsError where that isn't named in one way alone."""
    if options.split is not None and (options.queries is not None or options.qrels is not None):
        raise SettingsError(f"--split {options.split} and files of judgments are two things; leave one of them out.")
    if (options.queries is None) != (options.qrels is None):
        alone = options.queries or options.qrels
        raise SettingsError(f"{alone} alone doesn't say what is judged; give both --queries and --qrels.")
    return MiningOptions(
        split=options.split or MiningOptions.split,
        queries=options.queries,
        qrels=options.qrels,
        fusion=options.fusion,
        reranker=options.reranker,
        protect=tuple(options.protect),
        layout=NegativesLayout(tuple(options.form or NEGATIVE_FORMS), scores=options.scores),
    )
