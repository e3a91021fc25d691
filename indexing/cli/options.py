"""The command line of `python -m indexing`, and what its options mean."""

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from indexing import places
from indexing.bm25.settings import BACKENDS, PRESETS, Bm25Settings
from indexing.building.change import ON_EXISTING
from indexing.building.settings import BuildSettings
from indexing.corpus import hub
from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.dense.faiss_index import PRESETS as DENSE_PRESETS
from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER

Run = Callable[[argparse.Namespace], int]


def arguments(runs: Mapping[str, Run], *, description: str) -> argparse.ArgumentParser:
    """Every command and its options; `runs` has what each command does."""
    root = argparse.ArgumentParser(prog="python -m indexing", description=description)
    root.add_argument("--verbose", action="store_true", help="say more")
    commands = root.add_subparsers(required=True)
    make = commands.add_parser("build", help="make an index of a corpus and serve it from now on")
    _corpus_options(make, f"a folder, a file, or a data set of the hub: {hub.FORMS}")
    make.add_argument("--name", required=True, help="name of the index")
    make.add_argument("--bi-encoder", default=DEFAULT_BI_ENCODER, help="sentence-transformers name or path")
    make.add_argument("--bm25", choices=BACKENDS, default="bm25s")
    make.add_argument("--bm25-preset", choices=tuple(PRESETS), default="trec-dl", help="k1 and b (%(default)s)")
    make.add_argument("--k1", type=float, help="in place of the preset's")
    make.add_argument("--b", type=float, help="in place of the preset's")
    make.add_argument(
        "--dense", default="auto", help=f"{', '.join(DENSE_PRESETS)}, or a FAISS index_factory string (%(default)s)"
    )
    make.add_argument("--tokenizer", default="", help="also store tokens for this re-ranker (hub name or path)")
    make.add_argument("--shard-size", type=int, default=BuildSettings.shard_size, help="passages in one file")
    make.add_argument("--if-absent", action="store_true", help="do nothing where it is there and newer than its corpus")
    make.add_argument("--estimate", action="store_true", help="say what it will take, and build nothing")
    more = commands.add_parser("add", help="add passages: a new build that encodes only what is new")
    more.add_argument("name", help="name of the index")
    _corpus_options(more, "a folder or a file with the passages to add")
    more.add_argument("--on-existing", choices=ON_EXISTING, default="stop", help="an id is there, its text differs")
    less = commands.add_parser("delete", help="delete passages: a new build without them")
    less.add_argument("name", help="name of the index")
    less.add_argument("ids", nargs="*", metavar="ID", help="passages to delete")
    less.add_argument("--file", type=Path, help="a file with an id in each line")
    for name, text in (
        ("inspect", "print what an index is and was built from"),
        ("verify", "check every file of an index against its manifest"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("name", help="name of the index")
        command.add_argument("--json", action="store_true")
    choose = commands.add_parser("tune", help="choose BM25's k1 and b by recall@1000 on training queries")
    choose.add_argument("name", help="name of the index")
    choose.add_argument("--queries", type=Path, help="in place of the train queries beside the corpus")
    choose.add_argument("--qrels", type=Path, help="their judgments; half of the queries are held out")
    choose.add_argument("--depth", type=int, default=1000, help="candidates in which recall is measured (%(default)s)")
    choose.add_argument("--minimum-grade", type=int, default=1, help="least grade that is relevant (%(default)s)")
    choose.add_argument("--json", action="store_true")
    clear = commands.add_parser("gc", help="list an index's builds and remove the old ones")
    clear.add_argument("name", help="name of the index")
    clear.add_argument("--keep", type=int, default=2, help="builds to keep, the current one among them (%(default)s)")
    clear.add_argument("--dry-run", action="store_true", help="list only")
    for name, command in commands.choices.items():
        command.set_defaults(run=runs[name])
        command.add_argument("--root", type=Path, default=places.indexes(), help="folder of all indexes (%(default)s)")
    return root


def _corpus_options(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("--corpus", required=True, help=text)
    command.add_argument("--id-field", help="of JSONL and Parquet; detected where it isn't given")
    command.add_argument("--text-field", help="likewise")
    command.add_argument("--title-field", help="likewise")
    command.add_argument("--on-bad-line", choices=("stop", "skip"), default="stop")
    command.add_argument("--workers", default="", help="devices that encode, such as cuda:0,cuda:1 or cpu:2")


def corpus_of(path: Path, options: argparse.Namespace) -> Corpus:
    """The corpus at `path`, read as the options say."""
    fields = Fields(id=options.id_field, text=options.text_field, title=options.title_field)
    return Corpus(path, skip_bad_lines=options.on_bad_line == "skip", fields=fields)


def build_settings(options: argparse.Namespace) -> BuildSettings:
    """The settings of a build. Raises SettingsError where they can't be."""
    return BuildSettings(
        bi_encoder=options.bi_encoder,
        bm25=bm25_settings(options),
        dense=options.dense,
        tokenizer=options.tokenizer,
        shard_size=options.shard_size,
        workers=workers(options.workers),
    )


def bm25_settings(options: argparse.Namespace) -> Bm25Settings:
    """The preset's k1 and b, or those given."""
    k1, b = PRESETS[options.bm25_preset]
    return Bm25Settings(
        k1=k1 if options.k1 is None else options.k1, b=b if options.b is None else options.b, backend=options.bm25
    )


def workers(given: str) -> tuple[str, ...]:
    """`cuda:0,cuda:1` or `cpu:2` (so many processes on the CPU) as devices."""
    devices: list[str] = []
    for part in filter(None, given.split(",")):
        match = re.fullmatch(r"(cpu|cuda)(?::([0-9]+))?", part)
        if match is None:
            raise SettingsError(f"--workers {given!r} isn't understood; give cuda:0,cuda:1 or cpu:2.")
        devices += ["cpu"] * int(match[2] or 1) if match[1] == "cpu" else [part]
    return tuple(devices)
