"""judgments import and export: from Quepid and OpenSearch, and to Quepid."""

import argparse
from pathlib import Path

from indexing.cli.shell import Commands
from indexing.errors import SettingsError

SPLITS = ("train", "dev", "test")


def add(actions: Commands) -> None:
    """Add the two actions."""
    bring = actions.add_parser("import", help="make queries and qrels of Quepid's CSV or OpenSearch's judgment list")
    bring.add_argument("file", type=Path, help="query,docid,rating with that header, or a judgment list's JSON")
    bring.add_argument("--output", type=Path, required=True, help="folder for queries.SPLIT.tsv and qrels.SPLIT.tsv")
    bring.add_argument("--queries", type=Path, help="file of queries, whose ids those with the same text keep")
    bring.add_argument("--split", choices=SPLITS, default="test", help="what they are for (%(default)s)")
    bring.set_defaults(run=_import)

    hand = actions.add_parser("export", help="write judgments as Quepid or OpenSearch import them")
    hand.add_argument("file", type=Path, help="a .csv of query,docid,rating, or a .json for OpenSearch")
    hand.add_argument("--queries", type=Path, help="file of queries, with --qrels")
    hand.add_argument("--qrels", type=Path, help="file of their judgments")
    hand.add_argument("--corpus", type=Path, help="folder of a judged corpus, in place of the two files")
    hand.add_argument("--split", choices=SPLITS, default="test", help="split of the corpus (%(default)s)")
    hand.set_defaults(run=_export)


def _import(options: argparse.Namespace) -> int:
    from training.judgments.quepid import import_judgments

    judged = import_judgments(options.file, options.output, queries=options.queries, split=options.split)
    count = sum(len(grades) for grades in judged.qrels.values())
    print(f"{count:,} judgments of {len(judged.queries):,} queries in {options.output}/qrels.{options.split}.tsv")
    return 0


def _export(options: argparse.Namespace) -> int:
    from indexing.judged.sets import judged_sets, read_judged
    from training.judgments.quepid import export_judgments

    files = options.queries, options.qrels
    if None in files if options.corpus is None else files != (None, None):
        raise SettingsError("Give both --queries and --qrels, or --corpus alone, to say which judgments are exported.")
    if options.file.is_dir():
        raise SettingsError(f"{options.file} is a folder; give the name of the file to write.")
    if options.corpus is None:
        judged = read_judged(options.queries, options.qrels, split=options.split)
    else:
        if not options.corpus.exists():
            raise SettingsError(f"Corpus {options.corpus} doesn't exist; give the folder of a judged corpus.")
        sets = judged_sets(options.corpus)
        if options.split not in sets:
            raise SettingsError(
                f"Corpus {options.corpus} has no judged {options.split} queries (there: {', '.join(sets) or 'none'}); "
                "give another --split."
            )
        judged = sets[options.split]
    print(f"{export_judgments(judged, options.file):,} judgments of {len(judged.queries):,} queries in {options.file}")
    return 0
