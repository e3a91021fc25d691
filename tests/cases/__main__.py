"""python -m tests.cases FOLDER: check each case of a folder by its name; --made checks inputs that are made here."""

import os

os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")  # before libraries load

import argparse
import importlib
import pkgutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import tests.cases
from indexing import places, precision
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.index import open_index
from search.pipeline import RetrieveAndRerank
from search.rerank.cross_encoder import CrossEncoderReranker
from search.served import SHIPPED
from tests.cases.case import Case, Check, Checks
from tests.support.loaded_once import load_once

FRAMEWORK = {"case", "__main__", "test_cases"}
WARM = ("search.load", "training.evaluation.evaluate", "training.cli.evaluate")


def all_checks() -> dict[str, Check]:
    """Every check by the name of its case; each module has a `CHECKS`."""
    found: dict[str, Check] = {}
    for module in pkgutil.iter_modules(tests.cases.__path__):
        if module.name not in FRAMEWORK:
            checks: Checks = importlib.import_module(f"tests.cases.{module.name}").CHECKS
            assert not found.keys() & checks.checks.keys()
            found |= checks.checks
    return found


def failure(check: Check | None, folder: Path, home: Path) -> str:
    """Check one case; what went wrong, or an empty string."""
    if check is None:
        return "no check"
    try:
        check.check(Case(folder, home))
    except AssertionError as error:
        return str(error) or "an assertion without a text"
    except Exception as error:  # of the check itself, such as JSON without a field
        return f"{type(error).__name__}: {error}"
    return ""


def given(folder: Path, checks: dict[str, Check]) -> Iterator[tuple[str, Check | None, Path]]:
    """The cases that lie in a folder."""
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        yield path.name, checks.get(path.name), path


def made(folder: Path, checks: dict[str, Check]) -> Iterator[tuple[str, Check | None, Path]]:
    """The cases whose input is made here."""
    for name, check in sorted(checks.items()):
        place = folder / name
        place.mkdir()
        check.make(place)
        yield name, check, place


def warm_up(folder: Path) -> None:
    """Load and compile once what every forked command would else load and compile for itself."""
    for module in WARM:
        importlib.import_module(module)
    precision.fastest_dtype("cpu")
    (folder / "collection.tsv").write_text("1\tBees make honey.\n", encoding="utf-8")
    manifest = build(Corpus(folder), name="warm", root=folder / "indexes", settings=BuildSettings())
    encoder = load_once(BiEncoder)
    encoder.encode_passages(["bees"])  # in another number format than a query
    reranker = load_once(CrossEncoderReranker, str(places.shipped_reranker()), called=SHIPPED)
    RetrieveAndRerank(open_index(manifest.name, root=folder / "indexes"), encoder, reranker).search("bees")


def main() -> int:
    """Check what the options name; 1 if a case failed or has no check."""
    parser = argparse.ArgumentParser(prog="python -m tests.cases", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="the folder of the cases' folders")
    parser.add_argument("--made", action="store_true", help="check inputs that are made here instead")
    parser.add_argument("--only", default="", help="only cases whose name holds this text")
    options = parser.parse_args()
    if options.made == bool(options.folder):
        parser.error("give a folder of cases, or --made")
    if options.folder and not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="second-look-cases-") as place:
        root, checks = Path(place), all_checks()
        (root / "made").mkdir()
        (root / "warm").mkdir()
        warm_up(root / "warm")
        cases = made(root / "made", checks) if options.made else given(options.folder, checks)
        for name, check, folder in cases:
            if options.only not in name:
                continue
            begun = time.perf_counter()
            home = Path(tempfile.mkdtemp(dir=root, prefix="home-"))
            fault = failure(check, folder, home)
            failed += bool(fault)
            seconds = time.perf_counter() - begun
            print(
                f"{'FAILED' if fault else 'passed'}  {name} ({seconds:.1f} s){': ' + fault if fault else ''}",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
