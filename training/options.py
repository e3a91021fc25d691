"""The command line of `python -m training`."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from indexing import hub
from indexing.index import ROOT
from search.load import DEFAULT_RERANKER, MODELS, NO_RERANKER
from search.pipeline import FUSIONS
from training import nano_beir
from training.measures import NAMES
from training.mine import SAMPLING, MiningSettings
from training.mined_files import FORMS
from training.promote import DEPTH
from training.recipes import RECIPES

Run = Callable[[argparse.Namespace], int]


def arguments(runs: Mapping[str, Run], *, description: str) -> argparse.ArgumentParser:
    """Every command and its options; `runs` has what each command does."""
    root = argparse.ArgumentParser(prog="python -m training", description=description)
    commands = root.add_subparsers(required=True)
    lay = commands.add_parser("prepare", help="lay judged collections out under data/corpora/, to be indexed")
    lay.add_argument("--judged", type=Path, required=True, help="folder with one sub-folder a collection")
    train = commands.add_parser("train", help="train a re-ranker by a recipe")
    train.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    train.add_argument("--output", type=Path, required=True, help="folder to make")
    train.add_argument(
        "--protect", type=Path, action="append", default=[], help="file of queries never to train on; may be repeated"
    )
    evaluate = commands.add_parser("evaluate", help="measure BM25, dense, fused, re-ranked and interpolated")
    evaluate.add_argument("--index", default="sample")
    evaluate.add_argument("--split", default="test")
    evaluate.add_argument("--depth", type=int, default=100)
    evaluate.add_argument("--reranker", default=DEFAULT_RERANKER)
    evaluate.add_argument("--trec", type=Path, help="folder of a TREC DL year: re-rank its runs/bm25.trec")
    evaluate.add_argument(
        "--run",
        dest="run_file",
        metavar="NAME=PATH",
        type=_named_path,
        action="append",
        default=[],
        help="another system's TREC run, set beside ours; may be repeated",
    )
    evaluate.add_argument("--baseline", default="BM25", help="system that all others are tested against (%(default)s)")
    evaluate.add_argument("--measure", choices=[name for name in NAMES if name != "Judged@10"], default=NAMES[0])
    evaluate.add_argument(
        "--minimum-grade",
        type=int,
        default=2,
        help="least grade that MRR, MAP and recall count as relevant (%(default)s; MS MARCO's own judgments are all 1)",
    )
    evaluate.add_argument(
        "--missed", action="store_true", help="also re-rank the judged positives that the first stage missed"
    )
    evaluate.add_argument("--output", type=Path, help="folder for reports, values by query, TREC runs and qrels")
    evaluate.add_argument("--json", type=Path, help="also write the figures here")
    nano = commands.add_parser("nano-beir", help="measure a re-ranker on NanoBEIR by sentence-transformers' evaluator")
    nano.add_argument("--reranker", default=DEFAULT_RERANKER)
    nano.add_argument("--sets", nargs="+", choices=sorted(nano_beir.SETS), default=list(nano_beir.SETS), metavar="SET")
    nano.add_argument("--source", default=hub.NANO_BEIR, help="data set on the hub, or a folder in its layout")
    nano.add_argument("--rerank-k", type=int, default=100, help="passages of BM25's list that are re-ranked")
    nano.add_argument("--as-retrieved", action="store_true", help="don't re-rank the positives that BM25 missed")
    nano.add_argument("--json", type=Path, help="also write the figures here")
    promote = _model_commands(commands)
    for command in (train, evaluate, promote, _mine_command(commands)):
        command.add_argument("--root", type=Path, default=ROOT, help="folder of all indexes (%(default)s)")
    for name, command in commands.choices.items():
        command.set_defaults(run=runs[name])
    return root


def _mine_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    mine = commands.add_parser("mine", help="mine hard negatives from an index, for training")
    mine.add_argument("--output", type=Path, required=True, help="folder to make")
    mine.add_argument("--index", default="sample")
    mine.add_argument("--split", default="train", help="judged split whose queries are mined (%(default)s)")
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
    mine.add_argument("--reranker", default=NO_RERANKER, help="cross-encoder that scores the candidates again")
    mine.add_argument("--form", choices=tuple(FORMS), action="append", help="may be repeated; all by default")
    mine.add_argument("--scores", action="store_true", help="write scores too")
    mine.add_argument("--seed", type=int, default=MiningSettings.seed)
    mine.add_argument("--protect", type=Path, action="append", default=[], help="file of queries never to mine")
    return mine


def _model_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Of the versions under data/models; gives back `promote`, which needs an index."""
    models = commands.add_parser("models", help="list the versions of re-rankers")
    models.add_argument("--history", action="store_true", help="list promotions and rollbacks")
    promote = commands.add_parser("promote", help="serve a version, if it isn't worse than the one that is served")
    promote.add_argument("version", help="NAME/VERSION below the folder of models, or shipped")
    promote.add_argument("--index", default="sample", help="whose dev queries decide (%(default)s)")
    promote.add_argument("--depth", type=int, default=DEPTH, help="passages re-ranked for each (%(default)s)")
    promote.add_argument("--force", action="store_true", help="in spite of the verdict, with a --reason")
    back = commands.add_parser("rollback", help="serve the version before again")
    for command in (promote, back):
        command.add_argument("--reason", default="", help="is recorded")
    for command in (models, promote, back):
        command.add_argument("--models", type=Path, default=MODELS, help="folder of all models (%(default)s)")
    return promote


def _margin(text: str) -> float | None:
    return None if text == "none" else float(text)


def _named_path(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r} isn't NAME=PATH")
    return name, Path(path)
