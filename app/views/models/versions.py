"""The versions of the re-ranker: a table, their lineage, and the details of one."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from app.views.widgets.figures import heading_html
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.pickers import pick
from indexing import places
from indexing.errors import first_line
from search.served import SHIPPED
from training.evaluation.settings import MAIN_MEASURE
from training.versions.manifest import VersionManifest
from training.versions.promoted import Promotion
from training.versions.registry import Version

TRAIN_PAGE = Path(__file__).parents[1] / "train/page.py"
STYLE = """
<style>
ul.sl-tree, .sl-tree ul { list-style: none; margin: 0; padding: 0; }
.sl-tree ul { margin: .15rem 0 0 .35rem; padding-left: 1rem; border-left: 2px solid var(--sl-line); }
.sl-tree li { margin: 0 !important; padding: .22rem 0; font-size: .92rem; overflow-wrap: anywhere; }
.sl-tree .sl-other { color: var(--sl-quiet); }
</style>
"""
WIDTHS = {"state": 100, "measured": 660}  # pixels
HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
"""Of a card, whose first one becomes the page's third level."""
LineageTree = dict[str, "LineageTree"]
"""Names of models, each with the models trained from it."""


def show_versions(versions: Sequence[Version], promotion: Promotion) -> None:
    """Show the table, the lineage, and the details of the chosen version."""
    st.dataframe(
        version_columns(versions, promotion),
        hide_index=True,
        key="models_versions",
        column_config={
            "state": st.column_config.TextColumn(width=WIDTHS["state"]),
            "MB": st.column_config.NumberColumn(format="%.1f"),
            "measured": st.column_config.TextColumn(width=WIDTHS["measured"]),
        },
    )
    for version in versions:
        if version.fault:
            problem(f"{version.id} is damaged: {version.fault}. Train it again, or remove {version.folder}.")
    if all(version.id == SHIPPED for version in versions):
        hint("There is only the version that ships with the program. Train another on the Train page.")
        if st.button("Go to Train", key="models_train", icon=":material/model_training:", width="content"):
            st.switch_page(str(TRAIN_PAGE))
    st.html(heading_html("Lineage", "each version below the model it was trained from"))
    states = {version.id: state(version, promotion) for version in versions}
    st.html(f"{STYLE}{tree_html(lineage_tree(versions), states)}")
    _show_details(versions)


def version_columns(versions: Sequence[Version], promotion: Promotion) -> dict[str, list[Any]]:
    """The table's columns, a row for each version."""
    return {
        "version": [version.id for version in versions],
        "state": [state(version, promotion) for version in versions],
        "measured": [measured_words(version.manifest) for version in versions],
        "created": [version.manifest.created[:16].replace("T", " ") for version in versions],
        "recipe": [version.manifest.recipe for version in versions],
        "from": [lineage(version)[-2] if len(lineage(version)) > 1 else "" for version in versions],
        "MB": [version.bytes / 1e6 for version in versions],
    }


def state(version: Version, promotion: Promotion) -> str:
    """`served`, `previous` (which a rollback serves again), `damaged`, several of them, or empty."""
    marks = []
    if version.id == promotion.promoted:
        marks = ["served"]
    elif version.id == promotion.before:
        marks = ["previous"]
    return " ".join([*marks, *(["damaged"] if version.fault else [])])


def measured_words(manifest: VersionManifest) -> str:
    """The figure of its training, with the queries, the depth and the build that it is of."""
    figure = main_metric(manifest.metrics)
    if not figure:
        return "not measured when it was made; Compare measures it"
    known = manifest.measured_on.get(_main_set(manifest.metrics))
    if known is not None:
        return f"{figure}, {known.words()}"
    dev = manifest.settings.get("dev")
    if not isinstance(dev, Mapping) or not dev.get("queries"):
        return f"{figure}; queries, depth and build not recorded"
    return f"{figure}, up to {dev['queries']} queries, depth {dev.get('depth')}, build not recorded"


def main_metric(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """nDCG@10 on the first set that there are figures for, else its first figure; empty without figures."""
    name = _main_set(metrics)
    if not name:
        return ""
    figures = metrics[name]
    measure = MAIN_MEASURE if MAIN_MEASURE in figures else next(iter(figures))
    return f"{measure} {figures[measure]:.4f} on {name}"


def _main_set(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """The first judged set that there are figures for; empty without any."""
    return next((name for name, figures in metrics.items() if figures), "")


def lineage(version: Version) -> tuple[str, ...]:
    """The models from the first base to the version itself; only itself where its manifest lists none."""
    manifest = version.manifest
    ancestors = manifest.lineage or ((manifest.started_from,) if manifest.started_from else ())
    # the names by which the manifests of versions trained from it call it: in this home, and in a checkout
    shipped = {"/".join(places.shipped_reranker().resolve().parts[-2:]), "data/reranker"}
    return (*(SHIPPED if name in shipped else name for name in ancestors), version.id)


def lineage_tree(versions: Sequence[Version]) -> LineageTree:
    """Every version and every ancestor of one, each below the model it was trained from."""
    tree: LineageTree = {}
    for version in versions:
        branch = tree
        for name in lineage(version):
            branch = branch.setdefault(name, {})
    return tree


def tree_html(tree: LineageTree, states: Mapping[str, str]) -> str:
    """Nested lists; `states` has the id of every existing version, which sets them apart from other models."""
    return f'<ul class="sl-tree">{_items(tree, states)}</ul>'


def _items(tree: LineageTree, states: Mapping[str, str]) -> str:
    items = []
    for name, below in tree.items():
        mark = f' <span class="sl-badge">{escape(states[name])}</span>' if states.get(name) else ""
        word = f"<b>{escape(name)}</b>" if name in states else f'<span class="sl-other">{escape(name)}</span>'
        items.append(f"<li>{word}{mark}{f'<ul>{_items(below, states)}</ul>' if below else ''}</li>")
    return "".join(items)


def _show_details(versions: Sequence[Version]) -> None:
    """Show the model card and the manifest of one version."""
    if not versions:
        return
    by_id = {version.id: version for version in versions}
    chosen = by_id[pick("Version details", list(by_id), key="models_shown", default=versions[-1].id)]
    with st.expander("Model card", expanded=True, key="models_card"):
        try:
            st.markdown(card_markdown((chosen.folder / "README.md").read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            note(f"The model card of {chosen.id} can't be read ({first_line(error)}).")
    shown = {name: value for name, value in chosen.manifest.as_json().items() if name != "files"}
    with st.expander("Settings, data and libraries (from its manifest)", key="models_manifest"):
        st.json(shown, expanded=1)
    note(f"Folder: {chosen.folder}")


def card_markdown(card: str) -> str:
    """A model card without its header, made safe to show: it loads no image and uses no markup of Streamlit's own.

    Streamlit itself shows HTML as text.
    """
    lines = card.split("\n")
    if lines[0].strip() == "---" and "---" in (rest := [line.strip() for line in lines[1:]]):
        lines = lines[rest.index("---") + 2 :]
    text = "\n".join(lines).strip()
    for mark in ("![", "$", ":material/", ":streamlit:"):
        text = text.replace(mark, f"\\{mark}")
    return HEADING.sub(lambda found: f"##{found[0]}"[-7:], text)
