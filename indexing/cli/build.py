"""build: make an index of a corpus and serve it from then on, or estimate what that takes."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from indexing.bm25.settings import BACKENDS, PRESETS, Bm25Settings
from indexing.building.settings import BuildSettings
from indexing.cli.numbers import real, whole
from indexing.cli.options import (
    add_corpus,
    add_index_option,
    add_json,
    add_workers,
    corpus_fields,
    index_name,
    open_corpus,
    worker_devices,
)
from indexing.cli.printed import print_build, print_json, size
from indexing.cli.shell import STOPPED, Commands, add_old_spelling, say
from indexing.corpus.fields import Fields
from indexing.corpus.hub_names import HUB_FORMS
from indexing.dense.settings import PRESETS as DENSE_PRESETS
from indexing.names import check_name
from indexing.store.token_forms import FORMS

if TYPE_CHECKING:
    from indexing.corpus.corpus import Corpus
    from indexing.manifest import Manifest


def add(commands: Commands) -> None:
    """Add the command."""
    build = commands.add_parser("build", help="make an index of a corpus and serve it from then on")
    add_corpus(build, f"a folder, a file, or a data set of the hub: {HUB_FORMS}")
    add_index_option(build)
    add_old_spelling(build, "--name", new="--index")
    build.add_argument(
        "--bi-encoder",
        default=BuildSettings.bi_encoder,
        help="name or path of a sentence-transformers model (%(default)s)",
    )
    build.add_argument("--bm25", choices=BACKENDS, default="bm25s", help="what computes BM25 (%(default)s)")
    build.add_argument("--bm25-preset", choices=tuple(PRESETS), default="trec-dl", help="k1 and b (%(default)s)")
    build.add_argument("--k1", type=real(0, 10), help="BM25's, 0 to 10 (the preset's)")
    build.add_argument("--b", type=real(0, 1), help="BM25's, 0 to 1 (the preset's)")
    build.add_argument(
        "--dense",
        default="auto",
        help=f"{', '.join(DENSE_PRESETS)}, or a FAISS index_factory string (%(default)s)",
    )
    build.add_argument(
        "--language",
        default=BuildSettings.language,
        help="of its stems and stop words: auto, none, english, german, french ... (%(default)s)",
    )
    _add_stored(build)
    build.add_argument(
        "--shard-size", type=whole(1), default=BuildSettings.shard_size, help="passages in one file (%(default)s)"
    )
    add_workers(build)
    build.add_argument(
        "--if-absent", action="store_true", help="do nothing if the index exists and its corpus's files are the same"
    )
    build.add_argument("--estimate", action="store_true", help="print what it will take, and build nothing")
    add_json(build)
    build.set_defaults(run=_build)


def _add_stored(build: argparse.ArgumentParser) -> None:
    """Add the options of what is stored for re-rankers."""
    build.add_argument("--tokenizer", default="", help="also store tokens for this re-ranker (hub name or path)")
    build.add_argument(
        "--token-vectors",
        nargs="?",
        choices=FORMS,
        const=FORMS[0],
        default="",
        help=f"also store the bi-encoder's vectors of every token, for late interaction ({FORMS[0]} where no form is "
        "given)",
    )


def _build(options: argparse.Namespace) -> int:
    name, settings = index_name(options), _settings(options)
    check_name(name)
    corpus_fields(options)  # refused here, before anything heavy is imported
    corpus = open_corpus(options)
    if options.estimate:
        return _estimate(corpus, settings, as_json=options.json)
    if options.if_absent and _exists(name, corpus, settings, options):
        return 0
    from indexing.building.build import build, describe_stop
    from indexing.corpus.count import count_passages
    from indexing.progress import Bars

    try:
        expected = count_passages(corpus.path)
        with Bars("passages", total=expected) as bars:
            manifest = build(corpus, name=name, root=options.root, settings=settings, progress=bars, expected=expected)
    except KeyboardInterrupt:
        say(describe_stop(options.root / name, settings))
        return STOPPED
    print_build(manifest, options.root / name, as_json=options.json)
    return 0


def _settings(options: argparse.Namespace) -> BuildSettings:
    k1, b = PRESETS[options.bm25_preset]
    return BuildSettings(
        bi_encoder=options.bi_encoder,
        bm25=Bm25Settings(
            k1=k1 if options.k1 is None else options.k1, b=b if options.b is None else options.b, backend=options.bm25
        ),
        dense=options.dense,
        language=options.language,
        tokenizer=options.tokenizer,
        shard_size=options.shard_size,
        token_vectors=options.token_vectors,
        workers=worker_devices(options.workers),
    )


def _exists(name: str, corpus: "Corpus", settings: BuildSettings, options: argparse.Namespace) -> bool:
    """Whether the index was built from its corpus as it is now, which is then printed; fields named anew build anew."""
    from indexing.index import up_to_date
    from indexing.manifest import Manifest

    folder = up_to_date(name, corpus=corpus.path, root=options.root) if corpus.fields == Fields() else None
    if folder is None:
        return False
    if other := _built_otherwise(Manifest.load(folder), settings):
        say(f"Index {name} was built with {', '.join(other)}; leave --if-absent out to change that.")
    if options.json:
        print_json({"index": name, "build": folder.name, "folder": str(folder), "encoded": 0})
    else:
        print(f"Index {name} exists already: {folder}")
    return True


def _built_otherwise(manifest: "Manifest", asked: BuildSettings) -> list[str]:
    """What a build has in place of settings that were asked for and aren't the usual ones."""
    usual = BuildSettings()
    settings = {
        "bi-encoder": (manifest.bi_encoder, asked.bi_encoder, usual.bi_encoder),
        "BM25's k1": (manifest.bm25.k1, asked.bm25.k1, usual.bm25.k1),
        "BM25's b": (manifest.bm25.b, asked.bm25.b, usual.bm25.b),
        "BM25 by": (manifest.bm25.backend, asked.bm25.backend, usual.bm25.backend),
        "dense": (manifest.dense.preset, asked.dense, usual.dense),
        "language": (manifest.language, asked.language, usual.language),
        "tokenizer": (manifest.tokenizer, asked.tokenizer, usual.tokenizer),
        "token vectors": (manifest.token_vectors, asked.token_vectors, usual.token_vectors),
    }
    return [
        f"{name} {has or 'none'} (asked for: {wanted})"
        for name, (has, wanted, default) in settings.items()
        if wanted not in (has, default)
    ]


def _estimate(corpus: "Corpus", settings: BuildSettings, *, as_json: bool) -> int:
    from indexing.building.estimate import estimate
    from indexing.progress import span

    figures = estimate(corpus, settings)
    if as_json:
        print_json(asdict(figures))
        return 0
    peak = max(figures.memory, key=lambda phase: figures.memory[phase])
    print(f"{figures.passages:,} passages, from a sample of {figures.sampled:,}; FAISS {figures.kind}")
    if figures.reason:
        print(f"  auto chose it: {figures.reason}")
    parts = ", ".join(f"{part} {size(count)}" for part, count in figures.disk.items())
    print(f"disk    {size(sum(figures.disk.values()))}: {parts}")
    print(f"memory  {size(figures.memory[peak])} at the peak, in phase {peak}")
    phases = ", ".join(f"{phase} {span(seconds)}" for phase, seconds in figures.seconds.items())
    print(f"time    {span(sum(figures.seconds.values()))}: {phases}")
    return 0
