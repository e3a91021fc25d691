"""The indexes that are there: what each was built from, what it is worth, whether its files are sound."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

from app import resources
from app.views.indexes.figures import manifest_figures
from app.views.widgets.figures import figures_html, size_text
from app.views.widgets.notices import hint, note, plain, problem
from indexing.bm25 import analyzer
from indexing.building.prune import Listed, listed
from indexing.catalogue import current_build, index_names, verify
from indexing.errors import SecondLookError, first_line
from indexing.manifest import Manifest, rebuild

SEARCH_PAGE = Path(__file__).parents[1] / "search/page.py"
VERDICTS = "indexes_verdicts"  # the session's: what was found wrong with each build that was verified
FAULTS = 5  # that are shown of one index


@dataclass(frozen=True)
class Row:
    """One index as it lies on disk."""

    name: str
    folder: Path | None
    """Of the current build; None where there is none that can be found."""
    manifest: Manifest | None
    others: list[Listed]
    """Every other build, and what stopped builds left."""
    problem: str
    """Why it can't be searched; else empty."""


def rows(root: Path) -> list[Row]:
    """Every index below `root`, by name."""
    return [_row(name, root) for name in index_names(root)]


def show_indexes(root: Path, *, read_only: bool) -> None:
    """A card for each index."""
    found = rows(root)
    if not found:
        hint(f"There is no index in {root} yet. Make one: python -m indexing build --corpus data/sample --name sample")
    for row in found:
        with st.container(border=True, key=f"indexes_card_{row.name}"):
            _card(row, read_only=read_only)


def _row(name: str, root: Path) -> Row:
    try:
        folder = current_build(name, root=root)
    except SecondLookError as error:
        return Row(name, None, None, [], str(error))
    try:
        others = [one for one in listed(name, root=root, keep=1) if one.state != "current"]
    except OSError:  # a build is at work in there
        others = []
    try:
        manifest = Manifest.load(folder)
    except SecondLookError as error:
        return Row(name, folder, None, others, str(error))
    return Row(name, folder, manifest, others, _fault(folder, manifest))


def _fault(folder: Path, manifest: Manifest) -> str:
    """Why a build with a readable manifest can't be opened; only sizes are compared here."""
    faults = verify(folder, full=False)
    if faults:
        return _sentence(folder, faults[0])
    if manifest.analyzer_fingerprint != analyzer.fingerprint():
        return f"Index {folder} was built with another analyzer than this program's. {rebuild(folder)}"
    return ""


def _card(row: Row, *, read_only: bool) -> None:
    usual = "searched unless another is chosen" if row.name == resources.default_index() else ""
    st.html(f'<h3 class="sl-heading">{escape(row.name)} <small>{usual}</small></h3>')
    if row.manifest is not None:
        st.html(figures_html(manifest_figures(row.manifest)))
    if row.problem:
        problem(row.problem)
    _remarks(row)
    with st.container(horizontal=True, gap="small"):
        asked = not row.problem and st.button(
            "Search it", key=f"indexes_search_{row.name}", icon=":material/search:", width="content"
        )
        checked = not read_only and row.manifest is not None and st.button(
            "Verify", key=f"indexes_verify_{row.name}", icon=":material/fact_check:", width="content",
            help="Read every file and compare its checksum with the manifest's.",
        )  # fmt: skip
    if asked:
        st.switch_page(SEARCH_PAGE, query_params={"index": row.name})
    if row.folder is not None and row.manifest is not None and not read_only:
        _verdict(row.folder, row.manifest, checked=checked)


def _remarks(row: Row) -> None:
    """What is worth knowing beside the figures: lines that were left out, and other builds."""
    said = []
    if row.manifest is not None and row.manifest.skipped_count:
        said.append(f"{row.manifest.skipped_count:,} lines were left out, the first: {row.manifest.skipped[0]}")
    if row.others:
        builds = ", ".join(f"{one.folder.name} ({size_text(one.bytes)})" for one in row.others)
        said.append(f"Also on disk: {builds}. Remove what is old: python -m indexing gc {row.name}")
    if said:
        note(*said)


def _verdict(folder: Path, manifest: Manifest, *, checked: bool) -> None:
    """What verifying found, now or earlier in this session."""
    verdicts: dict[str, list[str]] = st.session_state.setdefault(VERDICTS, {})
    if checked:
        verdicts[str(folder)] = _verify(folder, manifest)
    faults = verdicts.get(str(folder))
    if faults is None:
        return
    if not faults:
        count = f"All {len(manifest.files):,} files ({size_text(manifest.bytes)})"
        st.success(plain(f"{count} are as the manifest says."), icon=":material/check:")
    for fault in faults[:FAULTS]:
        problem(_sentence(folder, fault))
    if len(faults) > FAULTS:
        note(f"{len(faults) - FAULTS:,} more files differ.")


def _verify(folder: Path, manifest: Manifest) -> list[str]:
    """Compare every checksum behind a bar; an unreadable file is a fault."""
    total = max(manifest.bytes, 1)
    shown = read = 0
    bar = st.progress(0.0, text=f"Reading {size_text(total)}")

    def advance(_: str, count: int, __: int) -> None:
        nonlocal shown, read
        read += count
        if 100 * read // total > shown:
            shown = 100 * read // total
            bar.progress(min(read / total, 1.0), text=f"Read {size_text(read)} of {size_text(total)}")

    try:
        return verify(folder, full=True, progress=advance)
    except (SecondLookError, OSError) as error:
        return [f"it can't be read ({first_line(error)})"]
    finally:
        bar.empty()


def _sentence(folder: Path, fault: str) -> str:
    return f"Index {folder} is broken: {fault}. {rebuild(folder)}"
