"""What a trained re-ranker is: its manifest, and its model card for people."""

import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.manifest import library_versions
from training.gather import Example
from training.recipes import Recipe

NOTICE = (
    "MS MARCO's passages and queries are made available for non-commercial research purposes only "
    "(https://microsoft.github.io/msmarco/). These weights were trained on some of them: use them likewise."
)


def code_revision() -> str:
    """The commit that the program runs from; empty outside of a checkout."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def manifest(
    recipe: Recipe,
    name: str,
    stages: Mapping[str, Sequence[Example]],
    *,
    losses: Mapping[str, float],
    minutes: float,
    revision: str,
) -> dict[str, Any]:
    """Everything that decided a training, as plain data. `revision` is the code's when it began."""
    return {
        "schema_version": 1,
        "recipe": name,
        "settings": asdict(recipe),
        "examples": {stage: dict(Counter(item.source for item in items)) for stage, items in stages.items()},
        "pairs": sum(len(item.passages) for items in stages.values() for item in items),
        "final_loss": dict(losses),
        "minutes": round(minutes, 1),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_revision": revision,
        "libraries": library_versions(),
    }


def write(folder: Path, values: Mapping[str, Any], *, command: str) -> None:
    """Write manifest.json and README.md beside the weights."""
    lines = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: text-ranking",
        f"base_model: {values['settings']['base']}",
        "tags: [cross-encoder, reranker]",
        "---",
        "",
        "# A re-ranker trained by Second Look",
        "",
        f"A cross-encoder started from {values['settings']['base']}. Score (query, passage) pairs with",
        "`sentence_transformers.CrossEncoder` and rank by the raw logit.",
        "",
        f"Made by `{command}`, recipe `{values['recipe']}`, seed {values['settings']['seed']}, "
        f"{values['pairs']:,} pairs in {values['minutes']} minutes. Settings: manifest.json.",
        "",
        "| stage | source | groups |",
        "|---|---|---:|",
    ]
    for stage, sources in values["examples"].items():
        lines += [f"| {stage} | {source} | {count:,} |" for source, count in sources.items()]
    lines += ["", "`make evaluate` prints what it is worth.", "", NOTICE, ""]
    atomic.write_text(folder / "README.md", "\n".join(lines))
    atomic.write_json(folder / "manifest.json", values)
