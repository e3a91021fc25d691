"""nano-beir: measure a re-ranker on NanoBEIR by sentence-transformers' evaluator."""

import argparse

from indexing import atomic
from indexing.cli.options import check_at_least
from indexing.cli.printed import print_json
from indexing.cli.shell import Commands
from indexing.corpus.hub_names import NANO_BEIR
from indexing.errors import SettingsError
from search.served import DEFAULT_RERANKER, NO_RERANKER, late_bi_encoder, reranker_path
from training.cli.options import RERANKER_HELP, add_json, add_rerank_depth, json_file
from training.evaluation.settings import NANO_BEIR_SETS


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "nano-beir", help="measure a re-ranker on NanoBEIR by sentence-transformers' evaluator"
    )
    command.add_argument("--reranker", default=DEFAULT_RERANKER, help=RERANKER_HELP)
    command.add_argument(
        "--sets",
        nargs="+",
        choices=sorted(NANO_BEIR_SETS),
        default=list(NANO_BEIR_SETS),
        metavar="SET",
        help=f"some of {', '.join(NANO_BEIR_SETS)} (all)",
    )
    command.add_argument("--source", default=NANO_BEIR, help="data set on the hub, or a folder in its layout")
    add_rerank_depth(command, 100, old="--rerank-k")
    command.add_argument("--as-retrieved", action="store_true", help="don't re-rank the positives that BM25 missed")
    add_json(command)
    command.set_defaults(run=_nano_beir)


def _nano_beir(options: argparse.Namespace) -> int:
    file = json_file(options)
    check_at_least("--rerank-depth", options.rerank_depth, least=1, what="passage")
    if options.reranker == NO_RERANKER:
        raise SettingsError("nano-beir measures a re-ranker; --reranker none has none.")
    if late_bi_encoder(options.reranker) is not None:
        raise SettingsError("nano-beir measures cross-encoders; measure late interaction with `evaluate`.")
    path = reranker_path(options.reranker)
    from training.evaluation.nano_beir import evaluate_nano_beir, nano_beir_json, nano_beir_table

    result = evaluate_nano_beir(
        path,
        source=options.source,
        sets=options.sets,
        rerank_k=options.rerank_depth,
        always_rerank_positives=not options.as_retrieved,
        show_progress=True,
    )
    if file is not None:
        atomic.write_json(file, nano_beir_json(result))
    if options.json is True:
        print_json(nano_beir_json(result))
    else:
        print(nano_beir_table(result))
    return 0
