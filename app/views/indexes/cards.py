"""A card for each index: what it was built from, its figures, and whether its files are intact."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import environment
from app.views.indexes.figures import manifest_figures
from app.views.indexes.form import start_and_redraw
from app.views.indexes.judgments import add_judgments, judged_figure, tell_kept
from app.views.indexes.opened import open_dialog, open_one
from app.views.indexes.removal import confirm_removal, tell_removed
from app.views.widgets.figures import figures_html, heading_html, size_text
from app.views.widgets.notices import hint, note, plain, problem
from indexing import places
from indexing.building.prune import BuildFolder, list_builds
from indexing.catalogue import current_build, index_names, verify
from indexing.errors import SecondLookError, first_line
from indexing.jobs.build_job import BuildRequest
from indexing.manifest import Manifest, rebuild
from indexing.verification import BROKEN, verifications
from indexing.words.known_languages import SHIPPED, unknown_language_note

SEARCH_PAGE = Path(__file__).parents[1] / "search/page.py"
VERIFIED_KEY = "indexes_verdicts"  # session: the faults of each build that was verified
FAULTS_SHOWN = 5  # of one index
SAMPLE = "sample"  # the name of the bundled collection's index
BUTTONS = {
    "search": ("Search", ":material/search:", "Opens the Search page with this index."),
    "judgments": (
        "Add judgments",
        ":material/rule:",
        "Queries with judgments of passages, to measure with or train on.",
    ),
    "verify": ("Verify", ":material/fact_check:", "Reads every file and compares its checksum with the manifest's."),
    "delete": ("Delete", ":material/delete:", "Asks first; the corpus stays."),
}
"""Of a card, by kind: label, icon and help."""
DIALOGS = {"judgments": add_judgments, "delete": confirm_removal}
"""By the kind of the button that opens one."""


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
    tell_removed()
    tell_kept()
    if not states:
        _nothing_yet(root, read_only=read_only)
    for state in states:
        with st.container(border=True, key=f"indexes_card_{state.name}"):
            _card(state, root, read_only=read_only)
    kind, index = open_one()
    if kind and not read_only:
        DIALOGS[kind](index, root)


def _nothing_yet(root: Path, *, read_only: bool) -> None:
    """Say that there is no index, and offer to build the bundled sample."""
    if read_only:
        hint(f"There is no index in {root} yet.")
    elif not places.sample().is_dir():
        hint(f"There is no index in {root} yet. Build one below, from a file of yours or from a collection of the hub.")
    else:
        hint(f"There is no index in {root} yet. Build the bundled sample to try everything, or upload a file below.")
        if st.button("Build the sample", key="indexes_sample", type="primary", icon=":material/build:"):
            start_and_redraw(BuildRequest(name=SAMPLE, corpus=str(places.sample()), root=str(root)))


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


def _card(state: IndexState, root: Path, *, read_only: bool) -> None:
    note_text = "searched by default" if state.name == environment.default_index() else ""
    st.html(heading_html(state.name, note_text))
    if state.manifest is not None:
        st.html(figures_html([*manifest_figures(state.manifest), judged_figure(state.name, root)]))
    if state.problem:
        problem(state.problem)
    _remarks(state)
    pressed = _buttons(state, read_only=read_only)
    if pressed == "search":
        st.switch_page(SEARCH_PAGE, query_params={"index": state.name})
    elif pressed in DIALOGS:
        open_dialog(pressed, state.name)
    if state.folder is not None and state.manifest is not None and not read_only:
        _verdict(state.folder, state.manifest, verify_now=pressed == "verify")


def _buttons(state: IndexState, *, read_only: bool) -> str:
    """The buttons of a card; which one was pressed, or an empty string."""
    usable = {
        "search": not state.problem,
        "judgments": state.manifest is not None and not read_only,
        "verify": state.manifest is not None and not read_only,
        "delete": not read_only,
    }
    with st.container(horizontal=True, gap="small"):
        pressed = [
            kind
            for kind, (label, icon, about) in BUTTONS.items()
            if usable[kind]
            and st.button(label, key=f"indexes_{kind}_{state.name}", icon=icon, help=about, width="content")
        ]
    return pressed[0] if pressed else ""


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
        remarks.append(
            f"Also on disk: {builds}. No page removes old builds alone; in a shell: python -m indexing gc {state.name}"
        )
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
