"""prepare, mine: make what is trained on."""

import argparse
from pathlib import Path

from indexing import places
from indexing.corpus.judged import JudgedSet
from indexing.errors import SettingsError
from indexing.index import Index, judged_split, open_corpus_folder
from indexing.progress import Bars
from search.load import open_pipeline, open_reranker
from search.served import NO_RERANKER
from search.settings import FUSIONS
from training.cli.options import Commands, add_root
from training.data.prepare import prepare
from training.judgments.judged_set import absent, judged_files
from training.judgments.protection import Protection
from training.mining.files import FORMS, Layout
from training.mining.mine import mine_to
from training.mining.report import describe
from training.mining.settings import SAMPLING, MiningSettings


def add(commands: Commands) -> None:
    """Add both commands."""
    lay = commands.add_parser("prepare", help="lay judged collections out under data/corpora/, to be indexed")
    lay.add_argument("--judged", type=Path, required=True, help="folder with one sub-folder a collection")
    lay.set_defaults(run=_prepare)
    mine = commands.add_parser("mine", help="mine hard negatives from an index, for training")
    mine.add_argument("--output", type=Path, required=True, help="folder to make")
    mine.add_argument("--index", default="sample")
    mine.add_argument("--split", help="judged split whose queries are mined (train)")
    mine.add_argument("--queries", type=Path, help="file of queries to mine in place of a split's, with --qrels")
    mine.add_argument("--qrels", type=Path, help="file of their judgments, of TREC's fields or MS MARCO's")
    mine.add_argument("--source", choices=FUSIONS, default="rrf", help="what ranks the candidates (%(default)s)")
    mine.add_argument("--ranks", type=int, nargs=2, metavar=("FROM", "TO"), default=MiningSettings.ranks)
    mine.add_argument("--per-query", type=int, default=MiningSettings.per_query, help="negatives a query (%(default)s)")
    mine.add_argument("--sampling", choices=SAMPLING, default=MiningSettings.sampling)
    mine.add_argument("--relative-margin", type=_margin, default=MiningSettings.relative_margin, help="or none")
    mine.add_argument("--absolute-margin", type=float)
    mine.add_argument("--max-score", type=float)
    mine.add_argument("--min-score", type=float)
    mine.add_argument("--near-duplicate", type=float, default=MiningSettings.near_duplicate, help="Jaccard of terms")
    mine.add_argument("--minimum-grade", type=int, default=MiningSettings.minimum_grade, help="of a positive")
    mine.add_argument(
        "--reranker", default=NO_RERANKER, help="re-scores the candidates: NAME/VERSION, shipped, path or hub name"
    )
    mine.add_argument("--form", choices=tuple(FORMS), action="append", help="may be repeated; all by default")
    mine.add_argument("--scores", action="store_true", help="write scores too")
    mine.add_argument("--seed", type=int, default=MiningSettings.seed)
    mine.add_argument("--protect", type=Path, action="append", default=[], help="file of queries never to mine")
    add_root(mine)
    mine.set_defaults(run=_mine)


def _margin(text: str) -> float | None:
    return None if text == "none" else float(text)


def _prepare(options: argparse.Namespace) -> int:
    for name, path in prepare(options.judged, places.corpora()).items():
        print(f"{name:<14} {path}")
    return 0


def _judged(options: argparse.Namespace, index: Index) -> JudgedSet:
    """What is mined. Raises SettingsError where it isn't named in one way alone."""
    if options.queries is None and options.qrels is None:
        return judged_split(index, options.split or "train")
    if options.split is not None:
        raise SettingsError(f"--split {options.split} and files of judgments are two things; leave one of them out.")
    if options.queries is None or options.qrels is None:
        given = options.queries or options.qrels
        raise SettingsError(f"{given} alone doesn't say what is judged; give both --queries and --qrels.")
    return judged_files(options.queries, options.qrels)


def _mine(options: argparse.Namespace) -> int:
    pipeline = open_pipeline(options.index, reranker=NO_RERANKER, root=options.root)
    judged = _judged(options, pipeline.index)
    folders = [path for path in (places.sample(), open_corpus_folder(pipeline.index)) if path.is_dir()]
    names = ("per_query", "sampling", "relative_margin", "absolute_margin", "max_score", "min_score", "near_duplicate")
    chosen = {name: getattr(options, name) for name in (*names, "minimum_grade", "seed")}
    with Bars("queries") as bars:
        found = mine_to(
            options.output,
            pipeline,
            judged,
            MiningSettings(ranks=tuple(options.ranks), **chosen),
            source=options.source,
            reranker=open_reranker(options.reranker),
            layout=Layout(tuple(options.form or FORMS), scores=options.scores),
            protection=Protection.read(options.protect, folders),
            progress=bars,
        )
    print(describe(found))
    if lacking := absent(judged, pipeline.index):
        print(f"Judged passages that the index lacks: {lacking:,}")
    print(f"Mined negatives: {options.output}")
    return 0
