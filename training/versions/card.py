"""Writes a version's model card for human readers."""

import re

from training.versions.manifest import VersionManifest

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
NOTICE = (
    "MS MARCO's passages and queries are made available for non-commercial research purposes only "
    "(https://microsoft.github.io/msmarco/). These weights were trained on some of them: use them likewise."
)


def model_card(manifest: VersionManifest, *, command: str) -> str:
    """The model card in the hub's format: README.md, with metadata in a header."""
    return "\n".join([*_header(manifest), *_body(manifest, command), *([NOTICE, ""] if manifest.ms_marco else [])])


def summary(manifest: VersionManifest) -> str:
    """One line: the examples that a training gathered, the pairs it used, and the examples left out, by reason."""
    used = sum(count for counts in manifest.examples.values() for count in counts.values())
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in manifest.dropped.items())
    return f"Gathered {used:,} examples, trained on {manifest.pairs:,} pairs; left out: {left_out or 'none'}."


def _header(manifest: VersionManifest) -> list[str]:
    base = manifest.base_model
    lines = ["---", "library_name: sentence-transformers", "pipeline_tag: text-ranking"]
    lines += [f"base_model: {base}"] if HUB_NAME.fullmatch(base) else []  # the hub refuses a card with another name
    lines += ["license: other", "license_name: ms-marco-non-commercial"] if manifest.ms_marco else []
    return [*lines, "tags: [cross-encoder, reranker]", "---", ""]


def _body(manifest: VersionManifest, command: str) -> list[str]:
    started = manifest.base_model if manifest.averaged_lineages else manifest.parent
    lines = [
        "# A re-ranker trained by Second Look",
        "",
        f"A cross-encoder started from {started}. Score (query, passage) pairs with",
        "`sentence_transformers.CrossEncoder` and rank by the raw logit.",
        "",
        f"Made by `{command}`, {_training(manifest)}, code {manifest.code_revision or 'unknown'}. "
        "Settings: manifest.json.",
    ]
    if manifest.examples:
        lines += ["", "| stage | source | groups |", "|---|---|---:|"]
    for stage, sources in manifest.examples.items():
        lines += [f"| {stage} | {source} | {count:,} |" for source, count in sources.items()]
    if manifest.data:
        lines += ["", "| index | build | passages |", "|---|---|---:|"]
        lines += [f"| {build.index} | {build.build} | {build.passages:,} |" for build in manifest.data]
    return [*lines, "", *_metrics(manifest), *_lineages(manifest)]


def _training(manifest: VersionManifest) -> str:
    if "averaged" in manifest.settings:
        *others, last = manifest.settings["averaged"]
        share = manifest.settings["share"]
        return f"the mean of the weights of {', '.join(others)} and {last}, the last one's share {share:.3g}"
    amount = f"{manifest.pairs:,} pairs in {manifest.minutes} minutes"
    return f"recipe `{manifest.recipe}`, seed {manifest.seed}, {amount}"


def _metrics(manifest: VersionManifest) -> list[str]:
    if not manifest.metrics:
        return ["`make evaluate` measures it.", ""]
    names = sorted({name for figures in manifest.metrics.values() for name in figures})
    lines = ["| measured on | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for judged, figures in manifest.metrics.items():
        cells = [f"{figures[name]:.4f}" if name in figures else "" for name in names]
        known = manifest.measured_on.get(judged)
        about = judged if known is None else f"{judged} ({known.words()})"
        lines.append(f"| {about} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _lineages(manifest: VersionManifest) -> list[str]:
    if manifest.averaged_lineages:
        return ["Lineages:", "", *(f"- {' → '.join(names)}" for names in manifest.averaged_lineages), ""]
    return [f"Lineage: {' → '.join(manifest.lineage)}.", ""] if len(manifest.lineage) > 1 else []
