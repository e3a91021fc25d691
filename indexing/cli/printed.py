"""How indexes are printed: for people in lines, for programs as JSON."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexing.manifest import Manifest

FAULTS = 20  # bad lines of a corpus that are printed; the manifest has more


def print_json(value: Any) -> None:
    """Print one JSON value on a line."""
    print(json.dumps(value, ensure_ascii=False))


def print_build(manifest: "Manifest", folder: Path, *, as_json: bool) -> None:
    """Print what a new build holds; `folder` is the index's."""
    if as_json:
        print_json(
            {
                "index": manifest.name,
                "build": manifest.build,
                "folder": str(folder / manifest.build),
                "passages": manifest.passages,
                "encoded": manifest.encoded,
                "left_out": manifest.skipped_count,
                "notes": list(manifest.notes),
                "change": manifest.change,
                "language": manifest.language,
                "languages": dict(manifest.languages),
                "dense": asdict(manifest.dense),
                "seconds": dict(manifest.seconds),
            }
        )
        return
    for fault in manifest.skipped[:FAULTS]:
        print(f"left out: {fault}")
    if manifest.skipped_count > FAULTS:
        print(f"left out: {manifest.skipped_count - FAULTS:,} more lines")
    print(
        f"Index {manifest.name}: {manifest.passages:,} passages, build {manifest.build}, {manifest.encoded:,} encoded"
    )
    print(f"language: {language_line(manifest)}")
    print(f"dense: {dense_line(manifest)}")


def language_line(manifest: "Manifest") -> str:
    """The language of an index's words, and how it was found."""
    if not manifest.language:
        return "english, of an index built before indexes had a language"
    return f"{manifest.language}, {manifest.language_reason}" if manifest.language_reason else manifest.language


def dense_line(manifest: "Manifest") -> str:
    """FAISS's index with its recall and its cost."""
    quality = manifest.dense.quality
    return (
        f"FAISS {manifest.dense.kind}{' with ' + quality.parameters if quality.parameters else ''}, "
        f"recall@{quality.depth} {quality.recall:.4f} of exact search's on {quality.queries} {quality.queries_from}, "
        f"{quality.milliseconds:.2f} ms a query, {quality.bytes_per_vector:.0f} bytes a vector"
    )


def size(count: float) -> str:
    """Bytes in megabytes or gigabytes."""
    return f"{count / 1e9:,.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
