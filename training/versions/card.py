"""The model card of a version, for people."""

import re
from collections.abc import Mapping
from typing import Any

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
NOTICE = (
    "MS MARCO's passages and queries are made available for non-commercial research purposes only "
    "(https://microsoft.github.io/msmarco/). These weights were trained on some of them: use them likewise."
)


def text(values: Mapping[str, Any], *, command: str) -> str:
    """The model card, in the hub's form."""
    base, parent = values["base_model"], values["parent"]
    lines = ["---", "library_name: sentence-transformers", "pipeline_tag: text-ranking"]
    lines += [f"base_model: {base}"] if HUB_NAME.fullmatch(base) else []  # the hub refuses a card with another name
    lines += ["license: other", "license_name: ms-marco-non-commercial"] if values["ms_marco"] else []
    lines += ["tags: [cross-encoder, reranker]", "---", "", "# A re-ranker trained by Second Look", ""]
    started = base if values.get("averaged_lineages") else parent
    lines += [
        f"A cross-encoder started from {started}. Score (query, passage) pairs with",
        "`sentence_transformers.CrossEncoder` and rank by the raw logit.",
        "",
        f"Made by `{command}`, {_trained(values)}, code {values['code_revision'] or 'unknown'}. "
        "Settings: manifest.json.",
    ]
    if values["examples"]:
        lines += ["", "| stage | source | groups |", "|---|---|---:|"]
    for stage, sources in values["examples"].items():
        lines += [f"| {stage} | {source} | {count:,} |" for source, count in sources.items()]
    if values["data"]:
        lines += ["", "| index | build | passages |", "|---|---|---:|"]
        lines += [f"| {row['index']} | {row['build']} | {row['passages']:,} |" for row in values["data"]]
    lines += ["", *_metric_lines(values["metrics"])]
    if values.get("averaged_lineages"):
        lines += ["Lineages:", "", *(f"- {' → '.join(names)}" for names in values["averaged_lineages"]), ""]
    elif len(values["lineage"]) > 1:
        lines += [f"Lineage: {' → '.join(values['lineage'])}.", ""]
    return "\n".join([*lines, *([NOTICE, ""] if values["ms_marco"] else [])])


def told(values: Mapping[str, Any]) -> str:
    """One line of what a training gathered and used, and of what was left out by its reason."""
    used = sum(count for counts in values["examples"].values() for count in counts.values())
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in values["dropped"].items())
    return f"Gathered {used:,} examples, trained on {values['pairs']:,} pairs; left out: {left_out or 'none'}."


def _trained(values: Mapping[str, Any]) -> str:
    if "averaged" in values["settings"]:
        *others, last = values["settings"]["averaged"]
        share = values["settings"]["share"]
        return f"the mean of the weights of {', '.join(others)} and {last}, the last one's share {share:.3g}"
    amount = f"{values['pairs']:,} pairs in {values['minutes']} minutes"
    return f"recipe `{values['recipe']}`, seed {values['seed']}, {amount}"


def _metric_lines(metrics: Mapping[str, Any]) -> list[str]:
    if not metrics:
        return ["`make evaluate` prints what it is worth.", ""]
    names = sorted({name for figures in metrics.values() for name in figures})
    lines = ["| measured on | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for judged, figures in metrics.items():
        cells = [f"{figures[name]:.4f}" if name in figures else "" for name in names]
        lines.append(f"| {judged} | " + " | ".join(cells) + " |")
    return [*lines, ""]
