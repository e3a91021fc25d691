"""evaluate: measure each stage on judged queries: BM25, dense, fused, re-ranked and its mixtures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from indexing import atomic, places
from indexing.catalogue import current_build
from indexing.cli.numbers import whole
from indexing.cli.options import check_at_least
from indexing.cli.printed import print_json
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from search.served import DEFAULT_RERANKER, NO_RERANKER, reranker_fingerprint, reranker_path
from search.served_settings import settings_in_force
from search.settings import PipelineSettings
from training.cli.options import (
    RERANKER_HELP,
    add_html,
    add_index,
    add_json,
    add_runs,
    check_html,
    json_file,
    make_folder,
    today,
)
from training.evaluation.settings import (
    BINARY,
    GRADED,
    MAIN_MEASURE,
    ORDER_MEASURES,
    EvaluationRequest,
    EvaluationSettings,
)

if TYPE_CHECKING:
    from training.evaluation.evaluate import Evaluation


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("evaluate", help="measure BM25, dense, fused, re-ranked and its mixtures")
    add_index(command, "whose judged queries are answered")
    command.add_argument("--split", default="test", help="judged split (%(default)s)")
    command.add_argument(
        "--depth", type=whole(), default=100, help="candidates kept by the first stage; all are re-ranked (%(default)s)"
    )
    command.add_argument("--reranker", default=DEFAULT_RERANKER, help=RERANKER_HELP)
    command.add_argument("--trec", type=Path, help="folder of a TREC DL year: re-rank its runs/bm25.trec")
    add_runs(command, "another system's TREC run, set beside ours; may be repeated", kind="PATH")
    command.add_argument("--baseline", default="BM25", help="system that all others are tested against (%(default)s)")
    command.add_argument("--measure", choices=ORDER_MEASURES, default=MAIN_MEASURE, help="(%(default)s)")
    command.add_argument(
        "--minimum-grade",
        type=whole(),
        help=f"least grade that MRR, MAP and recall count as relevant ({GRADED}, or {BINARY} for binary judgments)",
    )
    command.add_argument(
        "--missed", action="store_true", help="also re-rank the judged positives that the first stage missed"
    )
    command.add_argument("--output", type=Path, help="folder for reports, values by query, TREC runs and qrels")
    add_html(command)
    add_json(command)
    command.set_defaults(run=_evaluate)


def _check(options: argparse.Namespace) -> None:
    """Raise SettingsError or CorpusError for what can be seen to be wrong before anything is loaded."""
    PipelineSettings(depth=options.depth, rerank_depth=options.depth)
    if options.minimum_grade is not None:
        check_at_least("--minimum-grade", options.minimum_grade, least=1, what="(grade 0 is not relevant)")
    if options.reranker == NO_RERANKER:
        raise SettingsError("evaluate compares stages and needs a re-ranker; --reranker none has none.")
    if options.output is not None:
        make_folder("--output", options.output)
    check_html(options)
    for name, path in options.run_files:
        if not path.is_file():
            raise SettingsError(f"--run {name}={path}: there is no such file; give a TREC run.")
    reranker_path(options.reranker)
    current_build(options.index, root=options.root)


def _request(options: argparse.Namespace) -> EvaluationRequest:
    return EvaluationRequest(
        split=options.split,
        depth=options.depth,
        trec=options.trec,
        runs=dict(options.run_files),
        served=settings_in_force(options.index, root=options.root).settings_for(options.reranker),
        missed=options.missed,
        settings=EvaluationSettings(
            measure=options.measure, minimum_grade=options.minimum_grade, baseline=options.baseline
        ),
    )


def _evaluate(options: argparse.Namespace) -> int:
    file = json_file(options)
    _check(options)
    from indexing.index import open_index
    from indexing.progress import Bars
    from search.load import pipeline_on
    from search.trec import check_run_ids
    from training.evaluation.evaluate import evaluate_stages
    from training.evaluation.inputs import read_inputs
    from training.evaluation.kept import KeptSearches

    request = _request(options)
    index = open_index(options.index, root=options.root)
    inputs = read_inputs(index, request)
    if options.output is not None:  # it gets runs, which can't hold every id
        check_run_ids((query.id for query in inputs.judged.judged.queries), index)
    keep = KeptSearches(places.runs() / "evaluate", reranker_fingerprint(reranker_path(options.reranker)))
    pipeline = pipeline_on(index, reranker=options.reranker)
    with Bars("queries") as bars:
        evaluation = evaluate_stages(pipeline, request, inputs=inputs, keep=keep, progress=bars)
    _give(evaluation, options, file)
    keep.forget()
    return 0


def _give(evaluation: "Evaluation", options: argparse.Namespace, file: Path | None) -> None:
    """Write and print what the options ask for."""
    from indexing.notes import log_note
    from training.evaluation.files import file_names
    from training.evaluation.report import write_report

    if options.output is not None:
        names = file_names(part.title for part in evaluation.reports)
        for part, name in zip(evaluation.reports, names, strict=True):
            write_report(options.output / name, part)
    if options.html is not None:
        from training.evaluation.html.evaluation import evaluation_html

        atomic.write_text(options.html, evaluation_html(evaluation, at=today()))
    if file is not None:
        atomic.write_json(file, evaluation.as_json())
    if options.json is not True:
        _print(evaluation, options.output)
        return
    for sentence in dict.fromkeys(sentence for part in evaluation.reports for sentence in part.notes):
        log_note(sentence)
    print_json(evaluation.as_json())


def _print(evaluation: "Evaluation", output: Path | None) -> None:
    from training.evaluation.report import markdown

    for part in evaluation.reports:
        print(f"\n{markdown(part)}")
    print(f"\nRe-ranker: {evaluation.reranker}. {_shares(evaluation)}")
    if output is not None:
        print(f"Values by query, runs and qrels: {output}")


def _shares(evaluation: "Evaluation") -> str:
    if evaluation.shares is None:
        return "Without dev queries no share is chosen, so it isn't mixed."
    words = {"fused": "when it is mixed with the first stage", "dense": "with dense", "late": "with late interaction"}
    shares = ", ".join(f"{share} {words[mix]}" for mix, share in evaluation.shares.items())
    return f"Its share, chosen on the dev split: {shares}."
