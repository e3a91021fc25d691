"""list, inspect: which indexes there are, and what one of them is and was built from."""

import argparse
from dataclasses import asdict

from indexing.cli.options import add_index, add_json, add_root, index_name
from indexing.cli.printed import dense_line, language_line, print_json, size
from indexing.cli.shell import Commands


def add(commands: Commands) -> None:
    """Add both commands."""
    listing = commands.add_parser("list", help="list the indexes with passages, builds, size and date")
    add_root(listing)
    add_json(listing)
    listing.set_defaults(run=_list)
    inspection = commands.add_parser("inspect", help="print what an index is and was built from")
    add_index(inspection)
    add_json(inspection)
    inspection.set_defaults(run=_inspect)


def _list(options: argparse.Namespace) -> int:
    from indexing.catalogue import summaries

    rows = summaries(options.root)
    if options.json:
        print_json([asdict(row) for row in rows])
        return 0
    if not rows:
        print(f"There is no index in {options.root}. Build one: python -m indexing build --corpus CORPUS --index NAME")
        return 0
    width = max(len(row.name) for row in rows)
    for row in rows:
        if row.fault:
            print(f"{row.name:<{width}}  {row.fault}")
            continue
        builds = f"{row.builds} build{'' if row.builds == 1 else 's'}"
        print(
            f"{row.name:<{width}}  {row.passages:>11,} passages  {builds:>9}  {size(row.bytes):>10}  "
            f"{row.created[:16]}  current {row.build}"
        )
    return 0


def _inspect(options: argparse.Namespace) -> int:
    name = index_name(options)
    from indexing.catalogue import build_folders, current_build
    from indexing.manifest import FILE, Manifest

    folder = current_build(name, root=options.root)
    manifest = Manifest.load(folder)
    if options.json:
        print((folder / FILE).read_text(encoding="utf-8"), end="")
        return 0
    print(f"index       {manifest.name}, build {manifest.build} of {manifest.created}")
    print(f"corpus      {manifest.corpus}, {manifest.passages:,} passages, fingerprint {manifest.corpus_fingerprint}")
    if manifest.change:
        print(f"change      {manifest.change}")
    print(f"language    {language_line(manifest)}")
    print(f"bm25        {manifest.bm25.backend}, k1={manifest.bm25.k1}, b={manifest.bm25.b}")
    weights = f"weights {manifest.bi_encoder_fingerprint}, passages in {manifest.precision}"
    print(f"bi-encoder  {manifest.bi_encoder}, {manifest.dim} dimensions, {weights}")
    print(f"dense       {dense_line(manifest)}")
    if manifest.dense.reason:
        print(f"            {manifest.dense.preset}: {manifest.dense.reason}")
    print(f"tokens      {manifest.tokenizer or 'not stored'}")
    print(f"vectors     of tokens: {manifest.token_vectors or 'not stored'}")
    files = f"{size(manifest.bytes)} in {len(manifest.files)} files"
    print(f"size        {files}, {manifest.bytes / manifest.passages:,.0f} bytes a passage")
    print("seconds     " + ", ".join(f"{phase} {value:.1f}" for phase, value in manifest.seconds.items()))
    print(
        f"left out    {manifest.skipped_count} lines of the corpus"
        + (" and of what was added" if manifest.change else "")
    )
    for note in manifest.notes:
        print(f"note        {note}")
    print(f"builds      {', '.join(build_folders(folder.parent))}")
    return 0
