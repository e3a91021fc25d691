"""evaluate, nano-beir: say what each stage is worth on judged queries."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from indexing import atomic
from indexing.corpus.hub_names import NANO_BEIR
from indexing.errors import SettingsError
from search.served import DEFAULT_RERANKER, reranker_path
from search.settings import PipelineSettings
from training.cli.options import Commands, add_root
from training.evaluation.settings import (
    BINARY,
    GRADED,
    NANO_BEIR_SETS,
    ORDER_MEASURES,
    EvaluationRequest,
    EvaluationSettings,
)

if TYPE_CHECKING:
    from training.evaluation.evaluate import Evaluation


def add(commands: Commands) -> None:
    """Add both commands."""
    evaluate = commands.add_parser("evaluate", help="measure BM25, dense, fused, re-ranked and its mixtures")
    evaluate.add_argument("--index", default="sample")
    evaluate.add_argument("--split", default="test")
    evaluate.add_argument("--depth", type=int, default=100)
    evaluate.add_argument("--reranker", default=DEFAULT_RERANKER, help="NAME/VERSION, shipped, path or hub name")
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
    evaluate.add_argument("--measure", choices=ORDER_MEASURES, default=ORDER_MEASURES[0])
    evaluate.add_argument(
        "--minimum-grade",
        type=int,
        help=f"least grade that MRR, MAP and recall count as relevant ({GRADED}, or {BINARY} for binary judgments)",
    )
    evaluate.add_argument(
        "--missed", action="store_true", help="also re-rank the judged positives that the first stage missed"
    )
    evaluate.add_argument("--output", type=Path, help="folder for reports, values by query, TREC runs and qrels")
    evaluate.add_argument("--json", type=Path, help="also write the figures here")
    add_root(evaluate)
    evaluate.set_defaults(run=_evaluate)
    nano = commands.add_parser("nano-beir", help="measure a re-ranker on NanoBEIR by sentence-transformers' evaluator")
    nano.add_argument("--reranker", default=DEFAULT_RERANKER, help="NAME/VERSION, shipped, path or hub name")
    nano.add_argument("--sets", nargs="+", choices=sorted(NANO_BEIR_SETS), default=list(NANO_BEIR_SETS), metavar="SET")
    nano.add_argument("--source", default=NANO_BEIR, help="data set on the hub, or a folder in its layout")
    nano.add_argument("--rerank-k", type=int, default=100, help="passages of BM25's list that are re-ranked")
    nano.add_argument("--as-retrieved", action="store_true", help="don't re-rank the positives that BM25 missed")
    nano.add_argument("--json", type=Path, help="also write the figures here")
    nano.set_defaults(run=_nano_beir)


def _named_path(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r} isn't NAME=PATH")
    return name, Path(path)


def _check_places(options: argparse.Namespace) -> None:
    """Raise SettingsError where what is measured couldn't be written afterwards."""
    folders = {"--output": options.output, "--json": options.json and options.json.parent}
    for name, folder in folders.items():
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SettingsError(f"{name} can't be written to {folder} ({error.strerror}); give another.") from error
    if options.json is not None and options.json.is_dir():
        raise SettingsError(f"--json {options.json} is a folder; give a file.")


def _evaluate(options: argparse.Namespace) -> int:
    _check_places(options)
    PipelineSettings(depth=options.depth, rerank_depth=options.depth)  # refuses what searching would, at once
    from indexing.progress import Bars
    from search.load import open_pipeline
    from training.evaluation import report
    from training.evaluation.evaluate import evaluate_stages
    from training.evaluation.files import file_names

    pipeline = open_pipeline(options.index, reranker=options.reranker, root=options.root)
    settings = EvaluationSettings(
        measure=options.measure, minimum_grade=options.minimum_grade, baseline=options.baseline
    )
    request = EvaluationRequest(
        split=options.split,
        depth=options.depth,
        trec=options.trec,
        runs=dict(options.run_file),
        missed=options.missed,
        settings=settings,
    )
    with Bars("queries") as bars:
        found = evaluate_stages(pipeline, request, progress=bars)
    for part in found.reports:
        print(f"\n{report.markdown(part)}")
    print(f"\nRe-ranker: {found.reranker}. {_share(found)}")
    if options.json is not None:
        atomic.write_json(options.json, found.as_json())
    if options.output is not None:
        names = file_names(part.title for part in found.reports)
        for part, name in zip(found.reports, names, strict=True):
            report.write(options.output / name, part)
        print(f"Values by query, runs and qrels: {options.output}")
    return 0


def _share(found: "Evaluation") -> str:
    if found.shares is None:
        return "Without dev queries it is mixed with nothing."
    return (
        f"Its share, chosen on the dev split: {found.shares['fused']} where it is mixed with the first stage, "
        f"{found.shares['dense']} with dense."
    )


def _nano_beir(options: argparse.Namespace) -> int:
    from training.evaluation import nano_beir

    found = nano_beir.evaluate_nano_beir(
        reranker_path(options.reranker),
        source=options.source,
        sets=options.sets,
        rerank_k=options.rerank_k,
        always_rerank_positives=not options.as_retrieved,
        show_progress=True,
    )
    print(nano_beir.table(found))
    if options.json is not None:
        atomic.write_json(options.json, nano_beir.as_json(found))
    return 0
