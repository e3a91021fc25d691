"""The commands of `python -m indexing`."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from indexing.building import change, prune
from indexing.building.build import build
from indexing.building.estimate import estimate
from indexing.building.settings import BuildSettings
from indexing.catalogue import build_folders, current_build, verify
from indexing.cli.options import build_settings, corpus_of, workers
from indexing.corpus.corpus import Corpus
from indexing.corpus.count import count_passages
from indexing.corpus.hub import fetch, is_hub_corpus
from indexing.corpus.judged import JudgedSet, judged_sets, read_qrels, read_queries
from indexing.errors import CorpusError, SettingsError
from indexing.index import open_index, up_to_date
from indexing.manifest import FILE, Manifest
from indexing.progress import Bars, span
from indexing.records import PassageId
from indexing.tune import PairRecall, tune

SHOWN = 20  # bad lines that are printed; the manifest has more


def _build(options: argparse.Namespace) -> int:
    path = _corpus_path(options.corpus)
    if options.if_absent and (folder := up_to_date(options.name, corpus=path, root=options.root)):
        print(f"Index {options.name} is there: {folder}")
        return 0
    settings = build_settings(options)
    corpus = corpus_of(path, options)
    if options.estimate:
        return _estimate(corpus, settings)
    with Bars("passages", total=count_passages(path)) as bars:
        manifest = build(corpus, name=options.name, root=options.root, settings=settings, progress=bars)
    return _built(manifest)


def _estimate(corpus: Corpus, settings: BuildSettings) -> int:
    found = estimate(corpus, settings)
    peak = max(found.memory, key=lambda phase: found.memory[phase])
    print(f"{found.passages:,} passages, from a sample of {found.sampled:,}; FAISS {found.kind}")
    if found.reason:
        print(f"  auto chose it: {found.reason}")
    print(f"disk    {_size(sum(found.disk.values()))}: " + ", ".join(f"{p} {_size(v)}" for p, v in found.disk.items()))
    print(f"memory  {_size(found.memory[peak])} at the peak, in phase {peak}")
    print(
        f"time    {span(sum(found.seconds.values()))}: " + ", ".join(f"{p} {span(v)}" for p, v in found.seconds.items())
    )
    return 0


def _add(options: argparse.Namespace) -> int:
    with Bars("passages") as bars:
        manifest = change.add(
            corpus_of(_corpus_path(options.corpus), options),
            name=options.name,
            root=options.root,
            progress=bars,
            on_existing=options.on_existing,
            workers=workers(options.workers),
        )
    return _built(manifest)


def _delete(options: argparse.Namespace) -> int:
    names = list(options.ids)
    if options.file is not None:
        names += _ids(options.file)
    if not names:
        raise SettingsError("No passage is named; give ids, or a file with one in each line: --file gone.txt.")
    with Bars("passages") as bars:
        manifest = change.delete(
            dict.fromkeys(PassageId(name) for name in names), name=options.name, root=options.root, progress=bars
        )
    return _built(manifest)


def _ids(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} can't be read as UTF-8 text ({error}).") from error


def _built(manifest: Manifest) -> int:
    for fault in manifest.skipped[:SHOWN]:
        print(f"left out: {fault}")
    if manifest.skipped_count > SHOWN:
        print(f"left out: {manifest.skipped_count - SHOWN:,} more lines")
    print(
        f"Index {manifest.name}: {manifest.passages:,} passages, build {manifest.build}, {manifest.encoded:,} encoded"
    )
    print(f"dense: {_dense(manifest)}")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    folder = current_build(options.name, root=options.root)
    manifest = Manifest.load(folder)
    if options.json:
        print((folder / FILE).read_text(encoding="utf-8"), end="")
        return 0
    print(f"index       {manifest.name}, build {manifest.build} of {manifest.created}")
    print(f"corpus      {manifest.corpus}, {manifest.passages:,} passages, fingerprint {manifest.corpus_fingerprint}")
    if manifest.change:
        print(f"change      {manifest.change}")
    print(f"bm25        {manifest.bm25.backend}, k1={manifest.bm25.k1}, b={manifest.bm25.b}")
    weights = f"weights {manifest.bi_encoder_fingerprint}, passages in {manifest.precision}"
    print(f"bi-encoder  {manifest.bi_encoder}, {manifest.dim} dimensions, {weights}")
    print(f"dense       {_dense(manifest)}")
    if manifest.dense.reason:
        print(f"            {manifest.dense.preset}: {manifest.dense.reason}")
    print(f"tokens      {manifest.tokenizer or 'not stored'}")
    size = f"{_size(manifest.bytes)} in {len(manifest.files)} files"
    print(f"size        {size}, {manifest.bytes / manifest.passages:,.0f} bytes a passage")
    print("seconds     " + ", ".join(f"{phase} {value:.1f}" for phase, value in manifest.seconds.items()))
    print(f"left out    {manifest.skipped_count} lines of the corpus")
    print(f"builds      {', '.join(build_folders(folder.parent))}")
    return 0


def _dense(manifest: Manifest) -> str:
    quality = manifest.dense.quality
    return (
        f"FAISS {manifest.dense.kind}{' with ' + quality.parameters if quality.parameters else ''}, "
        f"recall@{quality.depth} {quality.recall:.4f} of exact search's on {quality.queries} {quality.queries_from}, "
        f"{quality.milliseconds:.2f} ms a query, {quality.bytes_per_vector:.0f} bytes a vector"
    )


def _verify(options: argparse.Namespace) -> int:
    folder = current_build(options.name, root=options.root)
    with Bars("bytes") as bars:
        faults = verify(folder, full=True, progress=bars)
    if options.json:
        print(json.dumps({"index": str(folder), "sound": not faults, "faults": faults}))
    else:
        print("\n".join(faults) or f"{folder}: every file is as its manifest says.")
    return 1 if faults else 0


def _tune(options: argparse.Namespace) -> int:
    if options.depth < 1:
        raise SettingsError(f"--depth is {options.depth}; give 1 candidate or more.")
    index = open_index(options.name, root=options.root)
    train, held_out = _judgments(options, Path(index.manifest.corpus))
    with Bars("queries") as bars:
        found = tune(
            index,
            train,
            held_out,
            minimum_grade=options.minimum_grade,
            depth=options.depth,
            progress=bars,
        )
    if options.json:
        print(json.dumps(asdict(found)))
        return 0
    print(f"recall@{found.depth} on {found.queries} queries that chose, and on {found.held_out_queries} held-out ones")
    rows = [("chosen", found.chosen), ("this index", found.current), *found.presets.items()]
    for label, row in rows:
        print(f"  {label:<12} k1={row.k1:<5} b={row.b:<5} {row.recall:.4f}   {_held_out(row)}")
    if (found.chosen.k1, found.chosen.b) != (found.current.k1, found.current.b):
        print(
            f"Use it: python -m indexing build --corpus {index.manifest.corpus} --name {options.name} "
            f"--k1 {found.chosen.k1} --b {found.chosen.b} (vectors are kept)"
        )
    return 0


def _held_out(row: PairRecall) -> str:
    return "" if row.held_out is None else f"{row.held_out:.4f}"


def _judgments(options: argparse.Namespace, corpus: Path) -> tuple[JudgedSet, JudgedSet | None]:
    """Judged queries to choose with, and those to report on: as given, else train and dev beside the corpus."""
    if (options.queries is None) != (options.qrels is None):
        raise SettingsError("--queries and --qrels go together; give both, or neither for those beside the corpus.")
    if options.queries is not None and options.qrels is not None:
        qrels = read_qrels(options.qrels)
        queries = tuple(query for query in read_queries(options.queries) if query.id in qrels)
        return JudgedSet("given", queries, qrels), None
    sets = judged_sets(corpus)
    if "train" not in sets:
        raise SettingsError(
            f"There are no training judgments beside {corpus}; give --queries queries.tsv and --qrels qrels.tsv."
        )
    return sets["train"], sets.get("dev")


def _gc(options: argparse.Namespace) -> int:
    rows = prune.listed(options.name, root=options.root, keep=options.keep)
    for row in rows:
        print(f"{row.state:<10} {_size(row.bytes):>10}  {row.folder}")
    if options.dry_run:
        return 0
    gone = prune.prune(options.name, root=options.root, keep=options.keep)
    print(f"{len(gone)} removed, {len(rows) - len(gone)} kept")
    return 0


def _corpus_path(given: str) -> Path:
    if not is_hub_corpus(given):
        return Path(given)
    with Bars("records") as bars:
        return fetch(given, progress=bars)


def _size(size: float) -> str:
    return f"{size / 1e9:,.2f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
