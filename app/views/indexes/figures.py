"""The figures of an index and of an estimate."""

from pathlib import Path

from app.views.widgets.figures import Figure, duration_text, size_text
from indexing.building.figures import Estimate
from indexing.building.pace import build_pace
from indexing.corpus.preview import Preview
from indexing.manifest import Manifest

FEW_SECONDS = 10  # of a build, of which loading the models takes as many


def manifest_figures(manifest: Manifest) -> list[Figure]:
    """What one build contains and how it performs."""
    quality = manifest.dense.quality
    bm25 = manifest.bm25
    searched = f" with {quality.parameters}" if quality.parameters else ""
    measured = f"measured against exact search on {quality.queries:,} {quality.queries_from}"
    encoder = f"{manifest.bi_encoder}, {manifest.dim} dimensions, passages in {manifest.precision}"
    phases = ", ".join(f"{phase} {duration_text(value)}" for phase, value in manifest.seconds.items())
    return [
        Figure("Built from", manifest.corpus, manifest.change),
        Figure("Passages", f"{manifest.passages:,}", f"corpus fingerprint {manifest.corpus_fingerprint}"),
        Figure("On disk", size_text(manifest.bytes), f"{manifest.bytes / manifest.passages:,.0f} bytes per passage"),
        Figure("Dense", f"FAISS {manifest.dense.kind}{searched}", manifest.dense.reason),
        Figure(f"Recall@{quality.depth}", f"{quality.recall:.4f}", measured),
        Figure(
            "Dense search", f"{quality.milliseconds:.2f} ms", "median over single queries, measured during the build"
        ),
        Figure("Language", manifest.language or "english", manifest.language_reason),
        Figure("BM25", f"k1 {bm25.k1:g}, b {bm25.b:g}", bm25.backend),
        Figure("Bi-encoder", manifest.bi_encoder.rstrip("/").split("/")[-1], encoder),
        Figure("Built", manifest.created[:16].replace("T", " ") + " UTC", f"build {manifest.build}"),
        Figure("Build time", duration_text(sum(manifest.seconds.values())), phases),
    ]


def estimate_figures(estimate: Estimate) -> list[Figure]:
    """What a build is expected to take."""
    peak = max(estimate.memory, key=lambda phase: estimate.memory[phase])
    disk = ", ".join(f"{part} {size_text(value)}" for part, value in estimate.disk.items())
    times = ", ".join(f"{phase} {duration_text(value)}" for phase, value in estimate.seconds.items())
    return [
        Figure("Passages", f"{estimate.passages:,}", f"from a sample of {estimate.sampled:,}"),
        Figure("Time", duration_text(sum(estimate.seconds.values())), times),
        Figure("Disk", size_text(sum(estimate.disk.values())), disk),
        Figure("Memory", size_text(estimate.memory[peak]), f"at its peak, in phase {peak}"),
        Figure("Dense", f"FAISS {estimate.kind}", estimate.reason),
    ]


def quick_estimate(preview: Preview, bi_encoder: str, *, root: Path) -> str:
    """About how many passages a corpus has and what a build of it takes here, by the largest one that was built."""
    count = f"{preview.passages:,}" if preview.whole else f"About {int(float(f'{preview.passages:.2g}')):,}"
    passages = f"{count} passage{'' if preview.passages == 1 else 's'}"
    pace = build_pace(bi_encoder, root=root)
    if pace is None:
        return f"{passages}. Nothing was built here yet by this bi-encoder that would tell how long it takes."
    seconds = pace.seconds * preview.text_bytes
    time = "a few seconds" if seconds < FEW_SECONDS else f"about {duration_text(seconds)}"
    return f"{passages}: {time} and {size_text(pace.bytes * preview.passages)}, at the pace of index {pace.index}."
