"""The figures of an index, and of an estimate."""

from app.views.widgets.figures import Figure, size_text, span_text
from indexing.building.estimate import Estimate
from indexing.manifest import Manifest


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
