"""A card for each index: what it was built from, its figures, and whether its files are intact."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import environment
from app.views.indexes.figures import manifest_figures
from app.views.widgets.figures import figures_html, heading_html, size_text
from app.views.widgets.notices import hint, note, plain, problem
from indexing.building.prune import BuildFolder, list_builds
from indexing.catalogue import current_build, index_names, verify
from indexing.errors import SecondLookError, first_line
from indexing.manifest import Manifest, rebuild
from indexing.verification import BROKEN, verifications
from indexing.words.known_languages import SHIPPED, unknown_language_note

SEARCH_PAGE = Path(__file__).parents[1] / "search/page.py"
VERIFIED_KEY = "indexes_verdicts"  # session: the faults of each build that was verified
FAULTS_SHOWN = 5  # of one index


@dataclass(frozen=True)
class IndexState:
    """One index as it is on disk."""

    name: str
    folder: Path | None
    """Of the current build; None where it can't be found."""
    manifest: Manifest | None
    others: list[BuildFolder]
    """All other builds, and the remains of stopped ones."""
    problem: str
    """Why it can't be searched; else empty."""


def index_states(root: Path) -> list[IndexState]:
    """Every index below `root`, by name."""
    return [_state(name, root) for name in index_names(root)]


def show_indexes(root: Path, *, read_only: bool) -> None:
    """Show a card for each index below `root`."""
    states = index_states(root)
    if not states:
        hint(
            f"There is no index in {root} yet. Build one: python -m indexing build --corpus data/sample --index sample"
        )
    for state in states:
        with st.container(border=True, key=f"indexes_card_{state.name}"):
            _card(state, read_only=read_only)


def _state(name: str, root: Path) -> IndexState:
    try:
        folder = current_build(name, root=root)
    except SecondLookError as error:
        return IndexState(name, None, None, [], str(error))
    try:
        others = [build for build in list_builds(name, root=root, keep=1) if build.state != "current"]
    except OSError:  # a build is writing there
        others = []
    try:
        manifest = Manifest.load(folder)
    except SecondLookError as error:
        return IndexState(name, folder, None, others, str(error))
    return IndexState(name, folder, manifest, others, _fault(folder, manifest))


def _fault(folder: Path, manifest: Manifest) -> str:
    """Why a build with a readable manifest can't be opened: sizes are compared, and bytes where it was opened."""
    faults = verify(folder, full=False)
    if faults:
        return _sentence(folder, faults[0])
    checked = verifications.of(folder)
    if checked is not None and checked.state == BROKEN:
        return _sentence(folder, checked.fault)
    if manifest.analyzer() is None:
        return f"Index {folder} was built with a different analyzer than this program's. {rebuild(folder)}"
    return ""


def _card(state: IndexState, *, read_only: bool) -> None:
    note_text = "searched by default" if state.name == environment.default_index() else ""
    st.html(heading_html(state.name, note_text))
    if state.manifest is not None:
        st.html(figures_html(manifest_figures(state.manifest)))
    if state.problem:
        problem(state.problem)
    _remarks(state)
    with st.container(horizontal=True, gap="small"):
        search_pressed = not state.problem and st.button(
            "Search", key=f"indexes_search_{state.name}", icon=":material/search:", width="content"
        )
        verify_pressed = not read_only and state.manifest is not None and st.button(
            "Verify", key=f"indexes_verify_{state.name}", icon=":material/fact_check:", width="content",
            help="Reads every file and compares its checksum with the manifest's.",
        )  # fmt: skip
    if search_pressed:
        st.switch_page(SEARCH_PAGE, query_params={"index": state.name})
    if state.folder is not None and state.manifest is not None and not read_only:
        _verdict(state.folder, state.manifest, verify_now=verify_pressed)


def _remarks(state: IndexState) -> None:
    """Show lines that were left out, what else is told of the corpus, and other builds on disk."""
    remarks = []
    checked = None if state.folder is None else verifications.of(state.folder)
    if checked is not None:
        remarks.append(f"{checked.sentence()}.")
    if state.manifest is not None and state.manifest.skipped_count:
        remarks.append(f"{state.manifest.skipped_count:,} lines were left out; the first: {state.manifest.skipped[0]}")
    if state.manifest is not None:
        remarks += state.manifest.notes
        models = {"bi-encoder": state.manifest.bi_encoder, "shipped re-ranker": SHIPPED}
        if foreign := unknown_language_note(state.manifest.languages, models):
            remarks.append(foreign)
    if state.others:
        builds = ", ".join(f"{build.folder.name} ({size_text(build.bytes)})" for build in state.others)
        remarks.append(f"Also on disk: {builds}. Remove old builds: python -m indexing gc {state.name}")
    if remarks:
        note(*remarks)


def _verdict(folder: Path, manifest: Manifest, *, verify_now: bool) -> None:
    """Show the result of verifying, now or earlier in this session."""
    verified: dict[str, list[str]] = st.session_state.setdefault(VERIFIED_KEY, {})
    if verify_now:
        verified[str(folder)] = _verify(folder, manifest)
    faults = verified.get(str(folder))
    if faults is None:
        return
    if not faults:
        count = f"All {len(manifest.files):,} files ({size_text(manifest.bytes)})"
        st.success(plain(f"{count} match the manifest."), icon=":material/check:")
    for fault in faults[:FAULTS_SHOWN]:
        problem(_sentence(folder, fault))
    if len(faults) > FAULTS_SHOWN:
        note(f"{len(faults) - FAULTS_SHOWN:,} more files don't match the manifest.")


def _verify(folder: Path, manifest: Manifest) -> list[str]:
    """Compare every checksum while a progress bar runs; an unreadable file counts as a fault."""
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
    return f"Index {folder} is damaged: {fault}. {rebuild(folder)}"
