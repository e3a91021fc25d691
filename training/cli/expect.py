"""expect add, list, remove, check: pin "passage A above B for query q", and check whether it holds for a version."""

import argparse
import re
from pathlib import Path

from indexing.catalogue import current_build
from indexing.cli.shell import Commands
from indexing.errors import SettingsError
from training.cli.options import add_index, add_models
from training.versions import expectations, promoted
from training.versions.expectations import FILE, expected_passage
from training.versions.registry import find_version

NUMBER = re.compile(r"[0-9]{1,7}")  # a key has eight digits, so that no number is one
NONE = "No expectation is pinned in {path}; pin one with `python -m training expect add`."


def add(commands: Commands) -> None:
    """Add the command and its subcommands."""
    expect = commands.add_parser("expect", help="pin which of two passages should stand above the other, and check it")
    actions = expect.add_subparsers(required=True)
    pin = actions.add_parser("add", help="pin one; promote checks them all")
    pin.add_argument("--query", required=True)
    pin.add_argument("--above", required=True, metavar="PASSAGE", help="id of the one that should score higher")
    pin.add_argument("--below", required=True, metavar="PASSAGE", help="id of the other one")
    pin.set_defaults(run=_add)
    actions.add_parser("list", help="list all, with numbers and keys").set_defaults(run=_list)
    unpin = actions.add_parser("remove", help="unpin one")
    unpin.add_argument("which", metavar="N", help="its number in the list, or its key")
    unpin.set_defaults(run=_remove)
    check = actions.add_parser("check", help="score all with a version; exit status 1 if one doesn't hold")
    check.add_argument("version", nargs="?", help="NAME/VERSION or shipped; the served one by default")
    check.set_defaults(run=_check)
    for action in (pin, check):
        add_index(action, "whose passages are compared")
    for action in actions.choices.values():
        add_models(action)


def _add(options: argparse.Namespace) -> int:
    current_build(options.index, root=options.root)
    from indexing.index import open_index

    passages = open_index(options.index, root=options.root).passages
    above, below = (expected_passage(passage_id, passages) for passage_id in (options.above, options.below))
    new = expectations.add_expectation(
        options.query, above=above, below=below, by=promoted.person(), path=options.models / FILE
    )
    print(f"Pinned as {new.key}: {new.sentence()}")
    return 0


def _list(options: argparse.Namespace) -> int:
    every = expectations.read_expectations(options.models / FILE)
    if not every:
        print(NONE.format(path=options.models / FILE))
    for number, item in enumerate(every, start=1):
        print(f"{number:>3}  {item.key}  {item.at[:10]}  by {item.by}  {item.sentence()}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    path = options.models / FILE
    gone = expectations.remove_expectation(_key(options.which, path), path=path)
    print(f"Unpinned {gone.key}: {gone.sentence()}")
    return 0


def _key(which: str, path: Path) -> str:
    """The key of a number in the list; what is no number is a key."""
    if not NUMBER.fullmatch(which):
        return which
    every = expectations.read_expectations(path)
    if not 1 <= int(which) <= len(every):
        raise SettingsError(
            f"There is no expectation {which} in {path}, which holds {len(every)}; find its number with "
            "`python -m training expect list`."
        )
    return every[int(which) - 1].key


def _check(options: argparse.Namespace) -> int:
    version = find_version(options.version or promoted.current_promotion(options.models).promoted, options.models)
    every = expectations.read_expectations(options.models / FILE)
    if not every:
        print(NONE.format(path=options.models / FILE))
        return 0
    current_build(options.index, root=options.root)
    from indexing.index import open_index
    from search.rerank.cross_encoder import CrossEncoderReranker

    passages = open_index(options.index, root=options.root).passages
    found = expectations.check(every, CrossEncoderReranker(str(version.folder)), passages)
    for item in found:
        print(f"{'holds' if item.holds else 'fails'}  {item.sentence()}")
    held = sum(item.holds for item in found)
    print(f"{version.id}: {held} of {len(found)} expectations hold.")
    return 0 if held == len(found) else 1
