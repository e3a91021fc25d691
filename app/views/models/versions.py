"""The versions of re-rankers: a table, where each came from, and one of them in full."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from app.views.widgets.notices import hint, note, problem
from app.views.widgets.pickers import pick
from indexing import places
from indexing.errors import first_line
from search.served import SHIPPED
from training.versions.promoted import Promotion
from training.versions.registry import Version

STYLE = """
<style>
ul.sl-tree, .sl-tree ul { list-style: none; margin: 0; padding: 0; }
.sl-tree ul { margin: .15rem 0 0 .35rem; padding-left: 1rem; border-left: 2px solid var(--sl-line); }
.sl-tree li { margin: 0 !important; padding: .22rem 0; font-size: .92rem; overflow-wrap: anywhere; }
.sl-tree .sl-other { color: var(--sl-quiet); }
</style>
"""
WIDTHS = {"state": 100, "measured": 200}  # pixels of columns that are empty for most versions
MAIN_MEASURE = "nDCG@10"
Tree = dict[str, "Tree"]
"""Names of models, each with those that were started from it."""


def show_versions(found: Sequence[Version], at: Promotion) -> None:
    """The table, the tree, and the version that is chosen."""
    st.dataframe(
        version_columns(found, at),
        hide_index=True,
        key="models_versions",
        column_config={
            "state": st.column_config.TextColumn(width=WIDTHS["state"]),
            "MB": st.column_config.NumberColumn(format="%.1f"),
            "measured": st.column_config.TextColumn(width=WIDTHS["measured"]),
        },
    )
    for item in found:
        if item.fault:
            problem(f"{item.id} is damaged: {item.fault}. Train it anew, or remove {item.folder}.")
    if all(item.id == SHIPPED for item in found):
        hint(
            "There is no version beside the one that comes with the program. Train one: "
            "python -m training train --recipe lambda --data index:sample --dev sample --minutes 2"
        )
    st.html('<h3 class="sl-heading">Lineage <small>what was started from what</small></h3>')
    st.html(f"{STYLE}{tree_html(lineage_tree(found), {item.id: state(item, at) for item in found})}")
    _details(found)


def version_columns(found: Sequence[Version], at: Promotion) -> dict[str, list[Any]]:
    """The table's columns, one row a version."""
    return {
        "version": [item.id for item in found],
        "state": [state(item, at) for item in found],
        "created": [str(item.manifest.get("created", ""))[:16].replace("T", " ") for item in found],
        "recipe": [str(item.manifest.get("recipe", "")) for item in found],
        "from": [lineage(item)[-2] if len(lineage(item)) > 1 else "" for item in found],
        "MB": [item.bytes / 1e6 for item in found],
        "measured": [main_metric(item.manifest) for item in found],
    }


def state(version: Version, at: Promotion) -> str:
    """`promoted`, `before` (what a rollback serves again), `damaged`, several of them or none."""
    marks = ["promoted"] if version.id == at.promoted else ["before"] if version.id == at.before else []
    return " ".join([*marks, *(["damaged"] if version.fault else [])])


def main_metric(manifest: Mapping[str, Any]) -> str:
    """nDCG@10 of the first set that a manifest has figures of, else its first figure; empty without any."""
    metrics = manifest.get("metrics")
    for name, figures in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(figures, dict) and figures:
            measure = MAIN_MEASURE if MAIN_MEASURE in figures else next(iter(figures))
            value = figures[measure]
            return f"{measure} {value:.4f} on {name}" if isinstance(value, int | float) else ""
    return ""


def lineage(version: Version) -> tuple[str, ...]:
    """Models from the first base to the version itself; only itself where its manifest says nothing."""
    above = version.manifest.get("lineage")
    if not isinstance(above, list):
        settings = version.manifest.get("settings")
        above = [settings["base"]] if isinstance(settings, dict) and settings.get("base") else []
    # as a version that was started from it calls it: there or, by default, in a checkout
    shipped = {"/".join(places.shipped_reranker().resolve().parts[-2:]), "data/reranker"}
    return (*(SHIPPED if name in shipped else str(name) for name in above), version.id)


def lineage_tree(found: Sequence[Version]) -> Tree:
    """Every model that is a version or that one was started from, below what it was started from."""
    tree: Tree = {}
    for item in found:
        at = tree
        for name in lineage(item):
            at = at.setdefault(name, {})
    return tree


def tree_html(tree: Tree, states: Mapping[str, str]) -> str:
    """Nested lists; `states` by id tell versions that are here from models that aren't."""
    return f'<ul class="sl-tree">{_items(tree, states)}</ul>'


def _items(tree: Tree, states: Mapping[str, str]) -> str:
    items = []
    for name, below in tree.items():
        mark = f' <span class="sl-badge">{escape(states[name])}</span>' if states.get(name) else ""
        word = f"<b>{escape(name)}</b>" if name in states else f'<span class="sl-other">{escape(name)}</span>'
        items.append(f"<li>{word}{mark}{f'<ul>{_items(below, states)}</ul>' if below else ''}</li>")
    return "".join(items)


def _details(found: Sequence[Version]) -> None:
    """Model card and manifest of one version."""
    if not found:
        return
    by_id = {item.id: item for item in found}
    chosen = by_id[pick("Version in full", list(by_id), key="models_shown", default=found[-1].id)]
    with st.expander("Model card", expanded=True, key="models_card"):
        try:
            st.markdown(card_markdown((chosen.folder / "README.md").read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            note(f"The model card of {chosen.id} can't be read ({first_line(error)}).")
    shown = {name: value for name, value in chosen.manifest.items() if name != "files"}
    with st.expander("Settings, data and libraries, as its manifest has them", key="models_manifest"):
        st.json(shown, expanded=1)
    note(f"Folder: {chosen.folder}")


def card_markdown(card: str) -> str:
    """A model card without its header, made safe to be shown: nothing in it loads an image or is markup of Streamlit.

    Streamlit itself shows HTML as text.
    """
    lines = card.split("\n")
    if lines[0].strip() == "---" and "---" in (rest := [line.strip() for line in lines[1:]]):
        lines = lines[rest.index("---") + 2 :]
    text = "\n".join(lines).strip()
    for mark in ("![", "$", ":material/", ":streamlit:"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("# ", "#### ", 1) if text.startswith("# ") else text
