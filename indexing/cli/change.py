"""add, delete: a new build of an index with more passages, or without some; only what is new is encoded."""

import argparse
from dataclasses import replace
from pathlib import Path

from indexing.building.settings import ON_EXISTING
from indexing.cli.options import (
    add_corpus,
    add_index,
    add_index_option,
    add_json,
    add_workers,
    corpus_fields,
    existing_index,
    existing_path,
    open_corpus,
    worker_devices,
)
from indexing.cli.printed import print_build
from indexing.cli.shell import Commands
from indexing.errors import CorpusError, SettingsError
from indexing.whitespace import bare


def add(commands: Commands) -> None:
    """Add both commands."""
    addition = commands.add_parser("add", help="add passages: a new build that encodes only what is new")
    add_index(addition)
    add_corpus(addition, "a folder or a file with the passages to add")
    addition.add_argument(
        "--on-existing",
        choices=ON_EXISTING,
        default="stop",
        help="what to do with a passage whose id the index holds with another text (%(default)s)",
    )
    add_workers(addition)
    add_json(addition)
    addition.set_defaults(run=_add)
    deletion = commands.add_parser("delete", help="delete passages: a new build without them")
    add_index_option(deletion)
    deletion.add_argument(
        "names", nargs="*", metavar="NAME_OR_ID", help="the index, unless --index names it, and passages to delete"
    )
    deletion.add_argument("--file", type=existing_path, help="a file with the id of a passage in each line")
    add_json(deletion)
    deletion.set_defaults(run=_delete)


def _add(options: argparse.Namespace) -> int:
    workers = worker_devices(options.workers)
    corpus_fields(options)  # refused here, before anything heavy is imported
    name = existing_index(options)
    from indexing.building.change import add_passages
    from indexing.progress import Bars

    with Bars("passages") as bars:
        corpus = open_corpus(options)
        manifest = add_passages(
            corpus,
            name=name,
            root=options.root,
            progress=bars,
            on_existing=options.on_existing,
            workers=workers,
        )
    added = replace(manifest, skipped=tuple(corpus.skipped), skipped_count=corpus.skipped_count, notes=corpus.notes)
    print_build(added, options.root / name, as_json=options.json)
    return 0


def _delete(options: argparse.Namespace) -> int:
    ids = list(options.names)
    if options.index is None and ids:
        options.index = ids.pop(0)
    if options.file is not None:
        ids += _ids_of(options.file)
    if not ids:
        raise SettingsError("No passage is named; give ids, or a file with one in each line: --file ids.txt.")
    name = existing_index(options)
    from indexing.building.change import delete_passages
    from indexing.progress import Bars
    from indexing.records import PassageId

    with Bars("passages") as bars:
        manifest = delete_passages(dict.fromkeys(map(PassageId, ids)), name=name, root=options.root, progress=bars)
    print_build(replace(manifest, skipped=(), skipped_count=0, notes=()), options.root / name, as_json=options.json)
    return 0


def _ids_of(path: Path) -> list[str]:
    try:
        return [key for line in path.read_text(encoding="utf-8-sig").split("\n") if (key := bare(line))]
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} isn't UTF-8 text ({error}); save it as UTF-8.") from error
