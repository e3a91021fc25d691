"""python -m indexing build|inspect|verify: make an index, look at it, check it."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from indexing.bm25 import BACKENDS, Bm25Settings
from indexing.build import BuildSettings, build
from indexing.corpus import Corpus
from indexing.encoder import DEFAULT_BI_ENCODER
from indexing.errors import SecondLookError
from indexing.hub import HUB_CORPORA, fetch
from indexing.index import ROOT, build_folders, current_build, up_to_date, verify
from indexing.manifest import Manifest


class Bars:
    """One progress bar for each phase of a build."""

    def __init__(self) -> None:
        self._bars: dict[str, tqdm[None]] = {}
        self._read = 0

    def __call__(self, phase: str, passages: int) -> None:
        """Show that so many more passages are done in a phase."""
        if phase == "read":
            self._read += passages
        if phase not in self._bars:
            self._bars[phase] = tqdm(desc=f"{phase:>7}", unit=" passages", dynamic_ncols=True, mininterval=0.5)
        bar = self._bars[phase]
        if phase != "read":
            bar.total = self._read
        bar.update(passages)
        bar.refresh()

    def close(self) -> None:
        """Leave each bar on its line."""
        for bar in self._bars.values():
            bar.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give back the exit status."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s")
    try:
        status: int = options.run(options)
    except (SecondLookError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing half-made was left.", file=sys.stderr)
        return 130
    return status


def _build(options: argparse.Namespace) -> int:
    path = fetch(options.corpus) if options.corpus in HUB_CORPORA else Path(options.corpus)
    if options.if_absent and (folder := up_to_date(options.name, corpus=path, root=options.root)):
        print(f"Index {options.name} is there: {folder}")
        return 0
    bars = Bars()
    try:
        manifest = build(
            Corpus(path, skip_bad_lines=options.on_bad_line == "skip"),
            name=options.name,
            root=options.root,
            settings=BuildSettings(
                bi_encoder=options.bi_encoder,
                bm25=Bm25Settings(k1=options.k1, b=options.b, backend=options.bm25),
                dense=options.dense,
                shard_size=options.shard_size,
            ),
            progress=bars,
        )
    finally:
        bars.close()
    for fault in manifest.skipped[:20]:
        print(f"left out: {fault}")
    print(f"Index {options.name}: {manifest.passages:,} passages, build {manifest.build}")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    folder = current_build(options.name, root=options.root)
    manifest = Manifest.load(folder)
    total = sum(row["bytes"] for row in manifest.files.values())
    if options.json:
        print((folder / "manifest.json").read_text(encoding="utf-8"), end="")
        return 0
    print(f"index       {manifest.name}, build {manifest.build} of {manifest.created}")
    print(f"corpus      {manifest.corpus}, {manifest.passages:,} passages, fingerprint {manifest.corpus_fingerprint}")
    print(f"bm25        {manifest.bm25.backend}, k1={manifest.bm25.k1}, b={manifest.bm25.b}")
    print(f"bi-encoder  {manifest.bi_encoder}, {manifest.dim} dimensions, weights {manifest.bi_encoder_fingerprint}")
    print(f"dense       FAISS {manifest.dense}")
    size = f"{total / 1e6:,.1f} MB in {len(manifest.files)} files"
    print(f"size        {size}, {total / manifest.passages:,.0f} bytes a passage")
    print("seconds     " + ", ".join(f"{phase} {value:.1f}" for phase, value in manifest.seconds.items()))
    print(f"left out    {len(manifest.skipped)} lines of the corpus")
    print(f"builds      {', '.join(build_folders(folder.parent))}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    folder = current_build(options.name, root=options.root)
    faults = verify(folder, full=True)
    if options.json:
        print(json.dumps({"index": str(folder), "sound": not faults, "faults": faults}))
    else:
        print("\n".join(faults) or f"{folder}: every file is as its manifest says.")
    return 1 if faults else 0


def parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    root = argparse.ArgumentParser(prog="python -m indexing", description=__doc__)
    root.add_argument("--verbose", action="store_true", help="say more")
    commands = root.add_subparsers(required=True)
    make = commands.add_parser("build", help="make an index of a corpus and serve it from now on")
    make.add_argument("--corpus", required=True, help=f"folder, file, or one of {', '.join(HUB_CORPORA)}")
    make.add_argument("--name", required=True, help="name of the index")
    make.add_argument("--bi-encoder", default=DEFAULT_BI_ENCODER, help="sentence-transformers name or path")
    make.add_argument("--bm25", choices=BACKENDS, default="bm25s")
    make.add_argument("--k1", type=float, default=Bm25Settings.k1)
    make.add_argument("--b", type=float, default=Bm25Settings.b)
    make.add_argument("--dense", default="flat", help="flat, sq8, hnsw or a FAISS index_factory string")
    make.add_argument("--shard-size", type=int, default=BuildSettings.shard_size, help="passages in one file")
    make.add_argument("--on-bad-line", choices=("stop", "skip"), default="stop")
    make.add_argument("--if-absent", action="store_true", help="do nothing where it is there and newer than its corpus")
    make.set_defaults(run=_build)
    for name, run, text in (
        ("inspect", _inspect, "print what an index is and was built from"),
        ("verify", _verify, "check every file of an index against its manifest"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("name", help="name of the index")
        command.add_argument("--json", action="store_true")
        command.set_defaults(run=run)
    for command in commands.choices.values():
        command.add_argument("--root", type=Path, default=ROOT, help="folder of all indexes (%(default)s)")
    return root


if __name__ == "__main__":
    sys.exit(main())
