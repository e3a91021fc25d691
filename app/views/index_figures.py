"""Sizes, spans of time and labelled figures, as the page of indexes words them."""

from collections.abc import Sequence
from html import escape

from indexing.estimate import Estimate
from indexing.manifest import Manifest

Figure = tuple[str, str, str]
"""What it is, its value, and what more there is to say of it."""


def size_text(size: float) -> str:
    """Bytes in words."""
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size / 1e3:,.0f} kB"


def span_text(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def figures_html(figures: Sequence[Figure]) -> str:
    """One line of figures."""
    shown = (
        f'<span class="sl-figure" title="{escape(told)}"><small>{escape(name)}</small><b>{escape(value)}</b></span>'
        for name, value, told in figures
    )
    return f'<div class="sl-figures">{"".join(shown)}</div>'


def manifest_figures(manifest: Manifest) -> list[Figure]:
    """What one build is and what it is worth."""
    quality = manifest.dense.quality
    bm25 = manifest.bm25
    searched = f" with {quality.parameters}" if quality.parameters else ""
    measured = f"measured against exact search on {quality.queries:,} {quality.queries_from}"
    encoder = f"{manifest.bi_encoder}, {manifest.dim} dimensions, passages in {manifest.precision}"
    phases = ", ".join(f"{phase} {span_text(value)}" for phase, value in manifest.seconds.items())
    return [
        ("Built from", manifest.corpus, manifest.change),
        ("Passages", f"{manifest.passages:,}", f"corpus fingerprint {manifest.corpus_fingerprint}"),
        ("On disk", size_text(manifest.bytes), f"{manifest.bytes / manifest.passages:,.0f} bytes a passage"),
        ("Dense", f"FAISS {manifest.dense.kind}{searched}", manifest.dense.reason),
        (f"Recall@{quality.depth}", f"{quality.recall:.4f}", measured),
        ("Dense search", f"{quality.milliseconds:.2f} ms", "median of one query at a time, when it was built"),
        ("BM25", f"k1 {bm25.k1:g}, b {bm25.b:g}", bm25.backend),
        ("Bi-encoder", manifest.bi_encoder.rstrip("/").split("/")[-1], encoder),
        ("Built", manifest.created[:16].replace("T", " ") + " UTC", f"build {manifest.build}"),
        ("Build time", span_text(sum(manifest.seconds.values())), phases),
    ]


def estimate_figures(found: Estimate) -> list[Figure]:
    """What a build will take."""
    peak = max(found.memory, key=lambda phase: found.memory[phase])
    disk = ", ".join(f"{part} {size_text(value)}" for part, value in found.disk.items())
    spent = ", ".join(f"{phase} {span_text(value)}" for phase, value in found.seconds.items())
    return [
        ("Passages", f"{found.passages:,}", f"from a sample of {found.sampled:,}"),
        ("Time", span_text(sum(found.seconds.values())), spent),
        ("Disk", size_text(sum(found.disk.values())), disk),
        ("Memory", size_text(found.memory[peak]), f"at the peak, in phase {peak}"),
        ("Dense", f"FAISS {found.kind}", found.reason),
    ]
