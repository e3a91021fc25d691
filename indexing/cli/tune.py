"""tune: choose BM25's k1 and b by recall on training queries."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from indexing.cli.numbers import whole
from indexing.cli.options import add_index, add_json, existing_index, existing_path
from indexing.cli.printed import print_json
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from indexing.notes import silent_note

if TYPE_CHECKING:
    from indexing.judged.sets import JudgedSet
    from indexing.tune import Bm25Tuning, PairRecall

DEPTH = 1000


def add(commands: Commands) -> None:
    """Add the command."""
    tuning = commands.add_parser("tune", help="choose BM25's k1 and b by recall on training queries")
    add_index(tuning)
    tuning.add_argument(
        "--queries", type=existing_path, help="a file to use in place of the train queries beside the corpus"
    )
    tuning.add_argument("--qrels", type=existing_path, help="their judgments; half of the queries are held out")
    tuning.add_argument(
        "--depth",
        type=whole(1, 10_000),
        default=DEPTH,
        help="candidates in which relevant passages count (%(default)s)",
    )
    tuning.add_argument(
        "--minimum-grade", type=whole(1), help="least grade that is relevant (2 where there are grades above 1, else 1)"
    )
    add_json(tuning)
    tuning.set_defaults(run=_tune)


def _tune(options: argparse.Namespace) -> int:
    if (options.queries is None) != (options.qrels is None):
        raise SettingsError("--queries and --qrels go together; give both, or neither for those beside the corpus.")
    name = existing_index(options)
    from indexing.index import open_corpus_folder, open_index
    from indexing.judged.qrels import default_minimum_grade
    from indexing.notes import log_note
    from indexing.progress import Bars
    from indexing.tune import tune

    index = open_index(name, root=options.root)
    train, held_out = _judgments(options, open_corpus_folder(index), index=name)
    grade = default_minimum_grade(train.qrels) if options.minimum_grade is None else options.minimum_grade
    with Bars("queries") as bars:
        tuning = tune(index, train, held_out, minimum_grade=grade, depth=options.depth, progress=bars)
    for sentence in tuning.notes:
        log_note(sentence)
    if options.json:
        print_json(asdict(tuning))
    else:
        _print(tuning, corpus=index.manifest.corpus, name=name)
    return 0


def _judgments(options: argparse.Namespace, corpus: Path, *, index: str) -> "tuple[JudgedSet, JudgedSet | None]":
    """Judged queries to choose with, and held-out ones: those of the files, else train and dev beside the corpus."""
    from indexing.judged.sets import judged_sets, pick_split, read_judged

    if options.queries is not None and options.qrels is not None:
        split = str(options.queries)
        judged = read_judged(options.queries, options.qrels, split=split, note=silent_note)
        return pick_split({split: judged}, split, index=index, advice="give files with the same ids"), None
    sets = judged_sets(corpus, note=silent_note)
    if "train" not in sets:
        raise SettingsError(
            f"There are no training judgments beside {corpus}; give --queries queries.tsv and --qrels qrels.tsv."
        )
    return sets["train"], sets.get("dev")


def _print(tuning: "Bm25Tuning", *, corpus: str, name: str) -> None:
    print(
        f"recall@{tuning.depth} of grades from {tuning.minimum_grade}, on {tuning.queries} queries that chose, and on "
        f"{tuning.held_out_queries} held-out ones"
    )
    rows = [("chosen", tuning.chosen), ("this index", tuning.current), *tuning.presets.items()]
    for label, row in rows:
        print(f"  {label:<12} k1={row.k1:<5} b={row.b:<5} {row.recall:.4f}   {_held_out(row)}")
    if (tuning.chosen.k1, tuning.chosen.b) != (tuning.current.k1, tuning.current.b):
        print(
            f"Use it: python -m indexing build --corpus {corpus} --index {name} "
            f"--k1 {tuning.chosen.k1} --b {tuning.chosen.b} (vectors are reused)"
        )


def _held_out(row: "PairRecall") -> str:
    return "" if row.held_out is None else f"{row.held_out:.4f}"
