"""judgments measure-judge and judge: how far a language model agrees with your grades, and then its own grades."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from indexing import places
from indexing.cli.numbers import real, whole
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from training.cli.options import add_index

if TYPE_CHECKING:
    from indexing.index import Index
    from training.judgments.by_model.measured import ModelAgreement
    from training.judgments.by_model.own_grades import OwnGrade


def add(actions: Commands) -> None:
    """Add the two actions."""
    measure = actions.add_parser("measure-judge", help="ask a language model for grades that you gave, and compare")
    measure.add_argument("folder", type=Path, help="folder for its answers and agreement.json")
    measure.add_argument(
        "--address", required=True, help="OpenAI-compatible: https, or this machine, as http://127.0.0.1:8080/v1"
    )
    measure.add_argument("--model", required=True, help="its name on the server")
    add_index(measure, "whose passages you graded")
    measure.add_argument("--rater", default="", help="whose grades of the Teach page, where several graded")
    measure.add_argument("--queries", type=Path, help="file of queries, with --qrels, in place of the Teach page's")
    measure.add_argument("--qrels", type=Path, help="file of your grades of them, 0 to 3")
    measure.add_argument(
        "--pairs", type=whole(least=30), default=60, help="grades to measure it on, 30 or more (%(default)s)"
    )
    _add_request(measure)
    measure.set_defaults(run=_measure)

    judge = actions.add_parser("judge", help="let a measured model grade the first passages of a run")
    judge.add_argument("folder", type=Path, help="folder of `measure-judge`, with agreement.json")
    judge.add_argument("--run", dest="run_file", type=Path, required=True, help="TREC run whose passages it grades")
    judge.add_argument("--queries", type=Path, required=True, help="file of the run's queries")
    add_index(judge, "that holds the passages")
    judge.add_argument("--depth", type=whole(least=1), default=10, help="passages of each query (%(default)s)")
    judge.add_argument("--output", type=Path, help="folder for the judgments (the folder itself)")
    _add_request(judge)
    judge.set_defaults(run=_judge)


def _add_request(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--timeout", type=real(above=0, most=3600), default=60.0, help="seconds for one answer (%(default)s)"
    )
    command.add_argument(
        "--any-address", action="store_true", help="allow http to other machines, which others can read on the way"
    )


def _measure(options: argparse.Namespace) -> int:
    if (options.queries is None) != (options.qrels is None):
        raise SettingsError("Give both --queries and --qrels, or neither for the grades of the Teach page.")
    if options.rater and options.qrels is not None:
        raise SettingsError("--rater is of the Teach page's grades; leave it out with --qrels.")
    from indexing.index import open_index
    from indexing.progress import Bars
    from training.judgments.by_model.chat import ModelAddress
    from training.judgments.by_model.grader import open_grader
    from training.judgments.by_model.measured import measure_agreement, write_agreement
    from training.judgments.by_model.own_grades import draw

    address = ModelAddress(
        url=options.address, model=options.model, timeout=options.timeout, anywhere=options.any_address
    )
    own = draw(_own_grades(options, open_index(options.index, root=options.root)), options.pairs)
    with open_grader(options.folder, address) as grader, Bars("pairs") as bars:
        agreement = measure_agreement(grader, own, address, progress=bars)
    write_agreement(options.folder, agreement)
    _print(agreement)
    return 0


def _own_grades(options: argparse.Namespace, index: "Index") -> "list[OwnGrade]":
    from indexing.judged.sets import read_judged
    from training.judgments.by_model.own_grades import grades_in_files, grades_in_store

    if options.qrels is None:
        return grades_in_store(places.feedback(), index, rater=options.rater)
    return grades_in_files(read_judged(options.queries, options.qrels, split="own"), index)


def _print(agreement: "ModelAgreement") -> None:
    print(f"{agreement.sentence()}.")
    print("\nyour grade   0    1    2    3  of the model")
    for grade, row in enumerate(agreement.table):
        print(f"{grade:10}" + "".join(f"{count:5}" for count in row))
    if agreement.doubtful:
        print("\nSo few pairs don't show that it agrees better than chance; grade more, or don't use its grades.")


def _judge(options: argparse.Namespace) -> int:
    from indexing.index import open_index
    from indexing.judged.queries import read_queries
    from indexing.progress import Bars
    from search.trec import read_run
    from training.judgments.by_model.chat import ModelAddress
    from training.judgments.by_model.grader import open_grader
    from training.judgments.by_model.judge import check_free, counts, judge, run_pairs, write_judgments
    from training.judgments.by_model.measured import read_agreement

    output = options.output or options.folder
    agreement = read_agreement(options.folder)
    check_free(output)
    address = ModelAddress(
        url=agreement.address, model=agreement.model, timeout=options.timeout, anywhere=options.any_address
    )
    queries = read_queries(options.queries)
    index = open_index(options.index, root=options.root)
    pairs = run_pairs(queries, read_run(options.run_file), index, depth=options.depth)
    _print(agreement)
    with open_grader(options.folder, address) as grader, Bars("pairs") as bars:
        qrels = judge(grader, pairs, progress=bars)
    write_judgments(output, qrels, queries, agreement)
    grades = ", ".join(f"{count:,} of grade {grade}" for grade, count in sorted(counts(qrels).items()))
    print(f"\nJudgments by {agreement.model} in {output}/qrels.model.tsv: {grades}")
    return 0
