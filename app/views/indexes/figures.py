"""The figures of an index and of an estimate."""

from app.views.widgets.figures import Figure, duration_text, size_text
from app.views.widgets.terms import meaning
from indexing.building.figures import Estimate
from indexing.building.pace import BuildPace
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
        Figure(
            "Built", manifest.created[:16].replace("T", " ") + " UTC", f"{meaning('Build')} This is {manifest.build}."
        ),
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


def passages_text(preview: Preview) -> str:
    """How many passages a corpus has: the number if all were read, else about how many."""
    count = f"{preview.passages:,}" if preview.whole else f"About {int(float(f'{preview.passages:.2g}')):,}"
    return f"{count} passage{'' if preview.passages == 1 else 's'}"


def pace_text(preview: Preview, pace: BuildPace) -> str:
    """About what a build of a corpus takes here, at the pace of one that was built."""
    takes = _takes(pace.seconds * preview.text_bytes, pace.bytes * preview.passages)
    return f"{passages_text(preview)}: {takes}, at the pace of index {pace.index}."


def measured_text(preview: Preview, estimate: Estimate) -> str:
    """About what a build of a corpus takes here, by a few of its passages that were encoded."""
    takes = _takes(sum(estimate.seconds.values()), sum(estimate.disk.values()))
    by = "this one" if estimate.sampled == 1 else f"{estimate.sampled} of them"
    return f"{passages_text(preview)}: {takes}, by encoding {by} here just now."


def _takes(seconds: float, size: float) -> str:
    time = "a few seconds" if seconds < FEW_SECONDS else f"about {duration_text(seconds)}"
    return f"{time} and about {size_text(size)}"
