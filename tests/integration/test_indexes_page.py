"""The page of indexes in every state, with builds that run as processes of their own on tiny models."""

import logging
import os
import shutil
import signal
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.views.indexes import about
from app.views.widgets.figures import duration_text, size_text
from indexing import atomic, places
from indexing.building.build import UNFINISHED
from indexing.building.figures import Estimate
from indexing.catalogue import current_build, index_names, verify
from indexing.corpus import preview
from indexing.corpus.corpus import Corpus
from indexing.errors import BusyError
from indexing.jobs import folder as job_folder
from indexing.jobs import run as build_run
from indexing.jobs.build_job import BuildJob, BuildRequest, BuildStatus
from indexing.jobs.folder import hold, log_end, write_holder, write_status
from indexing.manifest import Manifest
from tests.conftest import PASSAGES, REPOSITORY, write_lines
from tests.support.forks import Forks
from tests.support.pages import again, app_of, figure, keys, press, sentences, text
from training.data.settings import DataSettings
from training.jobs.jobs import TrainingJob
from training.source import Source
from training.train.request import TrainRequest

VIEWS = REPOSITORY / "app/views"
MAIN = f"""
import streamlit as st
st.navigation([
    st.Page({str(VIEWS / "search/page.py")!r}, title="Search", url_path="search", default=True),
    st.Page({str(VIEWS / "indexes/page.py")!r}, title="Indexes", url_path="indexes"),
]).run()
"""
READ_ONLY = "from app.views.indexes.view import render; render(read_only=True)"
WAIT = 120  # seconds until a process is given up; a busy machine starts slowly
LINES = [f"{key}\t{text}" for key, text in PASSAGES.items()]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, as the repository's root is when the app is started. Its jobs end with the test."""
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(places, "sample", lambda: tmp_path / "nowhere")  # else the checkout's is offered
    monkeypatch.setattr(about, "bundled_path", str)  # else the bundled bi-encoder is measured for every file
    monkeypatch.setenv("SECOND_LOOK_INDEX", "small")
    monkeypatch.setenv("SECOND_LOOK_RERANKER", "none")
    monkeypatch.delenv("SECOND_LOOK_INDEX_ROOT", raising=False)
    monkeypatch.delenv("SECOND_LOOK_UPLOAD_MB", raising=False)
    yield tmp_path
    for _ in range(2):
        for job in BuildJob.all():
            job.stop()
    st.cache_resource.clear()


@pytest.fixture
def indexed(house: Path, built_root: Path) -> Path:
    """The folder of indexes with one, `small`, of 20 passages."""
    return Path(shutil.copytree(built_root, house / "data/indexes"))


@pytest.fixture
def page(house: Path) -> AppTest:
    (house / "main.py").write_text(MAIN, encoding="utf-8")
    return AppTest.from_file(str(house / "main.py"), default_timeout=60)


def shown(page: AppTest) -> AppTest:
    """The page of indexes, drawn."""
    page.run()
    page.switch_page(str(VIEWS / "indexes/page.py"))
    return again(page)


def choose_folder(page: AppTest) -> AppTest:
    """The form for a folder on the server."""
    page.radio(key="indexes_source").set_value("A folder on the server")
    return again(page)


def drop(page: AppTest, file_name: str, content: bytes) -> AppTest:
    """Give the page a corpus file, as a new one while another is there."""
    page.file_uploader(key="indexes_upload").set_value((file_name, content, "application/octet-stream"))
    return again(page)


def until_told(page: AppTest, *parts: str) -> None:
    """Draw the page anew until it says all of this."""
    end = time.monotonic() + WAIT
    while not all(part in text(again(page)) for part in parts):
        assert time.monotonic() < end, text(page)
        time.sleep(0.05)


def corpus(house: Path, name: str, lines: list[str]) -> Path:
    """A corpus below data/corpora."""
    return write_lines(house / "data/corpora" / name / "collection.tsv", lines).parent


def ended(state: str) -> BuildJob:
    """The newest job, once its process has ended."""
    end = time.monotonic() + WAIT
    while (job := BuildJob.all()[0]).alive:
        assert time.monotonic() < end, job
        time.sleep(0.05)
    assert job.state == state, (job, log_end(job.folder))
    return job


def made_job(status: BuildStatus, *, request: BuildRequest | None = None, name: str = "build-1") -> Path:
    folder = places.jobs() / name
    folder.mkdir(parents=True)
    atomic.write_json(folder / "config.json", asdict(request or BuildRequest(name="new", corpus="data/sample")))
    write_status(folder, status)
    return folder


# The list


def test_no_index_says_what_to_do(page: AppTest) -> None:
    shown(page)
    assert f"There is no index in {places.indexes()} yet. Build one below, from a file of yours" in sentences(page)
    assert page.radio(key="indexes_source").value == "Upload a file"
    assert "indexes_build" not in keys(page)  # there is nothing to build from
    choose_folder(page)
    assert page.selectbox(key="indexes_folder").options == []
    assert "indexes_build" not in keys(page)


def test_where_no_index_is_the_sample_is_built_by_one_button(
    page: AppTest, house: Path, here: "Here", monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = corpus(house, "sample", LINES)
    monkeypatch.setattr(places, "sample", lambda: sample)
    monkeypatch.setattr(job_folder, "launch", here.launch)
    shown(page)
    assert "yet. Build the bundled sample to try everything, or upload a file below." in sentences(page)
    press(page, "indexes_sample")
    (job,) = BuildJob.all()
    assert (job.request.name, job.request.corpus, job.request.task) == ("sample", str(sample), "build")
    press(page, "indexes_sample")
    assert "A job for index 'sample' is already running; wait for it, or stop it." in sentences(page)


def test_one_index_shows_what_it_is_and_is_worth(page: AppTest, indexed: Path) -> None:
    shown(page)
    manifest = Manifest.load(current_build("small", root=indexed))
    assert figure(page, "Built from") == manifest.corpus
    assert figure(page, "Passages") == "20"
    assert figure(page, "On disk") == size_text(sum(row["bytes"] for row in manifest.files.values()))
    assert figure(page, "Dense") == "FAISS Flat"
    assert figure(page, "Recall@100") == f"{manifest.dense.quality.recall:.4f}"
    assert figure(page, "Dense search") == f"{manifest.dense.quality.milliseconds:.2f} ms"
    assert figure(page, "BM25") == "k1 0.9, b 0.4"
    assert figure(page, "Bi-encoder") == "tiny-bi-encoder"
    assert figure(page, "Build time") == duration_text(sum(manifest.seconds.values()))
    assert "searched by default" in text(page)
    assert not page.error


def test_other_builds_are_named(page: AppTest, indexed: Path) -> None:
    current = current_build("small", root=indexed)
    shutil.copytree(current, indexed / "small/20200101-000000-abcdef")
    (indexed / f"small/{UNFINISHED}0123").mkdir()
    shown(page)
    assert "Also on disk: 20200101-000000-abcdef (" in text(page)
    assert (
        f"{UNFINISHED}0123 (0 kB). No page removes old builds alone; in a shell: python -m indexing gc small"
        in text(page)
    )


def test_a_name_on_disk_is_data(page: AppTest, indexed: Path) -> None:
    (indexed / "small").rename(indexed / "<b>bold")
    shown(page)
    assert "Index name '<b>bold' must be letters" in sentences(page)
    assert not [element for element in page.html if "<b>bold" in element.body]


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("manifest.json", "{", "manifest.json is no JSON"),
        ("dense.faiss", "short", "dense.faiss has 5 bytes, the manifest says"),
        ("../current", "nothing", "names build 'nothing', which doesn't exist"),
    ],
)
def test_a_broken_index_says_what_is_broken(
    page: AppTest, indexed: Path, file: str, content: str, expected: str
) -> None:
    shutil.copytree(indexed / "small", indexed / "whole")
    (current_build("small", root=indexed) / file).write_text(content, encoding="utf-8")
    shown(page)
    assert expected in sentences(page)
    assert "“Build” on the Indexes page, under the name small" in sentences(page)
    assert "indexes_search_small" not in keys(page)
    assert "indexes_search_whole" in keys(page)


def test_an_index_of_another_analyzer_says_so(page: AppTest, indexed: Path) -> None:
    folder = current_build("small", root=indexed)
    replace(Manifest.load(folder), analyzer_fingerprint="0" * 16).save(folder)
    shown(page)
    assert "was built with a different analyzer than this program's." in sentences(page)
    assert "indexes_search_small" not in keys(page)


def test_a_sound_index_is_verified(page: AppTest, indexed: Path) -> None:
    shown(page)
    page.button(key="indexes_verify_small").click().run()
    count = len(Manifest.load(current_build("small", root=indexed)).files)
    assert f"All {count} files (" in sentences(page)
    assert " match the manifest." in sentences(page)
    again(page)
    assert " match the manifest." in sentences(page)


def test_a_changed_byte_is_found(page: AppTest, indexed: Path) -> None:
    file = current_build("small", root=indexed) / "dense.faiss"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    shown(page)
    assert "dense.faiss has another checksum than the manifest says" in sentences(page)  # the pickers open the index
    page.button(key="indexes_verify_small").click().run()
    assert "dense.faiss has another checksum than the manifest says" in sentences(page)
    assert "Rebuild it" in sentences(page)


def test_an_index_is_searched_from_here(page: AppTest, indexed: Path) -> None:
    shutil.copytree(indexed / "small", indexed / "other")
    shown(page)
    page.button(key="indexes_search_other").click().run()
    assert not page.exception
    assert page.selectbox(key="search_index").value == "other"
    assert page.query_params["index"] == "other"


def test_read_only_shows_the_list_alone(house: Path, indexed: Path) -> None:
    made_job(BuildStatus(state="failed", sentence="It went wrong."))
    page = AppTest.from_string(READ_ONLY, default_timeout=60).run()
    assert not page.exception
    assert figure(page, "Passages") == "20"
    assert keys(page) == {"indexes_search_small"}
    assert not page.error
    assert not page.radio
    assert not page.file_uploader


# Deleting


def test_an_index_is_deleted_once_a_dialog_has_said_what_goes(page: AppTest, house: Path, indexed: Path) -> None:
    shutil.copytree(indexed / "small", indexed / "other")
    shown(page)
    press(page, "indexes_delete_other")
    size = size_text(sum(path.stat().st_size for path in (indexed / "other").rglob("*") if path.is_file()))
    said = page.markdown[0].value.replace("\\", "")
    assert said == f"Index other goes, with all it holds: 1 build, {size} in {places.indexes()}/other."
    assert "Its corpus with the judgments beside it stays" in text(page)
    press(page, "indexes_delete_no")
    assert "indexes_delete_yes" not in keys(page)
    assert index_names(indexed) == ["other", "small"]
    press(page, "indexes_delete_other")
    press(page, "indexes_delete_yes")
    assert f"Index other is deleted; {size} is free again." in sentences(page)
    assert index_names(indexed) == ["small"]
    assert "indexes_delete_other" not in keys(page)


def test_a_dialog_is_closed_once_its_page_is_left(indexed: Path) -> None:
    page = shown(AppTest.from_file(str(REPOSITORY / "app/main.py"), default_timeout=60))
    press(page, "indexes_delete_small")
    assert "indexes_delete_yes" in keys(again(page))
    for name in ("search", "indexes"):
        page.switch_page(str(VIEWS / name / "page.py"))
        again(page)
    assert "indexes_delete_small" in keys(page)
    assert "indexes_delete_yes" not in keys(page)


def test_an_index_at_work_is_not_deleted(page: AppTest, indexed: Path) -> None:
    shown(page)
    with atomic.locked(indexed / "small"):
        press(page, "indexes_delete_small")
        press(page, "indexes_delete_yes")
    assert f"Another process is building {places.indexes()}/small; wait for it, or stop it." in sentences(page)
    begin_training("small", indexed)
    with hold(places.jobs() / "training-1"):
        again(page)
        assert "The training of mine/1 uses index 'small'; wait for it, or stop it." in sentences(page)
        assert "indexes_delete_yes" not in keys(page)
    again(page)
    assert "The training of mine/1 can't be resumed without it." in text(page)
    assert index_names(indexed) == ["small"]


def begin_training(index: str, root: Path) -> None:
    """A training of an index whose process has yet to load."""
    folder = places.jobs() / "training-1"
    folder.mkdir(parents=True)
    data = DataSettings(sources=(Source.parse(f"index:{index}"),))
    request = TrainRequest(output=places.models() / "mine/1", recipe="listnet", data=data, root=root)
    TrainingJob.write_request(folder, request)
    write_status(folder, TrainingJob.queued(None))


def test_without_the_default_index_every_page_opens(house: Path, indexed: Path) -> None:
    page = app_of("indexes", "search", "compare", "teach", "train", "models", "evaluate")
    again(page)
    press(page, "indexes_delete_small")
    assert "It is the index that the other pages show first" in text(page)
    press(page, "indexes_delete_yes")
    assert "There is no index in" in sentences(page)
    for name in ("search", "compare", "teach", "train", "models", "evaluate"):
        page.switch_page(str(VIEWS / name / "page.py"))
        again(page)
        if name not in ("train", "models"):
            assert "There is no index 'small' in" in sentences(page), name
            assert "“Build” on the Indexes page, under the name small." in sentences(page), name


# Uploads


def test_a_dropped_file_shows_its_passages_and_one_press_stores_and_builds_it(
    page: AppTest, house: Path, tiny_bi_encoder: Path, here: "Here", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_folder, "launch", here.launch)
    page.session_state["indexes_bi_encoder"] = str(tiny_bi_encoder)
    shown(page)
    drop(page, "My passages.tsv", "\n".join(LINES).encode())
    assert text(page).count('<p class="sl-text"><b>') == 3  # of the 20, as they were read
    until_told(page, "20 passages: a few seconds and about ", ", by encoding 20 of them here just now.")
    assert page.text_input(key="indexes_name").placeholder == "My-passages"
    assert not places.corpora().exists()
    press(page, "indexes_build")
    assert f"{places.corpora()}/My-passages contains 20 passages." in sentences(page)
    assert page.selectbox(key="indexes_folder").value == str(house / "data/corpora/My-passages")
    assert len(list(Corpus(house / "data/corpora/My-passages"))) == 20
    here.run()
    ended("done")
    assert index_names(places.indexes()) == ["My-passages"]
    page.radio(key="indexes_source").set_value("Upload a file")
    again(page)
    drop(page, "My passages.jsonl", b'{"_id": "1", "text": "The cat sat."}')
    assert page.text_input(key="indexes_name").placeholder == "My-passages-2"
    assert "1 passage: a few seconds and about 1 kB, at the pace of index My-passages." in text(page)


def test_what_cannot_be_measured_says_why(page: AppTest, tmp_path: Path) -> None:
    (tmp_path / "empty-model").mkdir()
    page.session_state["indexes_bi_encoder"] = str(tmp_path / "empty-model")
    drop(shown(page), "mine.tsv", b"1\tThe cat sat.\n")
    until_told(page, "1 passage. How long it takes couldn't be measured: Bi-encoder", "empty-model")
    assert len(about.measurements()._jobs) == 1  # it isn't tried again whenever the page is drawn


def test_every_form_on_the_server_shows_passages_and_their_number(page: AppTest, house: Path) -> None:
    for number, line in enumerate(PASSAGES.values()):
        write_lines(house / "data/corpora/texts" / f"{number}.txt", [line])
    folder = house / "data/corpora/rows"
    folder.mkdir()
    for name in "ab":
        pq.write_table(pa.table({"id": [name, f"{name}2"], "text": ["word"] * 2}), folder / f"{name}.parquet")
    with zipfile.ZipFile(folder.parent / "collection.zip", "w") as archive:
        archive.writestr("collection.tsv", "\n".join(LINES))
    shutil.move(folder.parent / "collection.zip", corpus(house, "nano-msmarco", LINES) / "collection.zip")
    (folder.parent / "nano-msmarco/collection.tsv").unlink()
    choose_folder(shown(page))
    for chosen, told in (
        ("texts", ["Its first passages, as they are read:", "20 passages."]),
        ("rows", ["Passages from 2 of its 2 files, as they are read:", "4 passages."]),
        ("nano-msmarco", ["Its first passages, as they are read:", "20 passages."]),
    ):
        page.selectbox(key="indexes_folder").set_value(str(folder.parent / chosen))
        assert [told for told in told if told not in text(again(page))] == [], chosen
    page.radio(key="indexes_source").set_value("A collection on the hub")
    again(page)
    assert f"It was downloaded before, to {folder.parent}/nano-msmarco." in text(page).replace("\\", "")
    assert "20 passages." in text(page)
    page.selectbox(key="indexes_hub").set_value("msmarco")
    assert "How many passages it has, and how long a build of them takes, is known once it is here." in text(
        again(page)
    )


def test_a_broken_upload_names_file_and_line_at_once(
    page: AppTest, house: Path, here: "Here", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_folder, "launch", here.launch)
    shown(page)
    drop(page, "mine.tsv", b"1\tThe cat sat.\nno tab here\n")
    assert [error.value.replace("\\", "") for error in page.error] == [
        "mine.tsv:2: 1 tab-separated fields, 2 (id, text) or 3 (id, text, title) are wanted. "
        "Mend the line, or have such lines left out under “How to read the file”."
    ]
    assert "indexes_build" not in keys(page)
    page.checkbox(key="indexes_skip").check()
    again(page)
    assert "Lines that can't be read are left out, such as mine.tsv:2: 1 tab-separated fields" in text(page)
    press(page, "indexes_build")
    assert f"{places.corpora()}/mine contains 1 passage; lines left out: 1." in sentences(page)


def test_a_line_that_is_broken_far_down_stops_the_build_and_nothing_is_stored(
    page: AppTest, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "BEGINNING", 20)
    shown(page)
    drop(page, "mine.tsv", b"1\tThe cat sat.\n2\tThe dog ran.\n3\tA bird sang.\nno tab here\n")
    assert f"About 4 passages. {about.NOT_HERE}" in text(page)  # 57 bytes, of which 30 hold 2: 57 / 15 = 3.8
    press(page, "indexes_build")
    assert "mine.tsv:4: 1 tab-separated fields" in sentences(page)
    assert list(places.corpora().iterdir()) == []
    assert BuildJob.all() == []


def test_too_large_an_upload_says_how_large_it_may_be(
    page: AppTest, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_UPLOAD_MB", "1")
    shown(page)
    drop(page, "mine.tsv", b"1\t" + b"word " * 250_000)
    assert "mine.tsv has more than 1 MB" in sentences(page)
    assert "indexes_build" not in keys(page)
    assert not (house / "data/corpora").exists()


def test_a_limit_that_is_no_number_says_so(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_UPLOAD_MB", "lots")
    shown(page)
    assert "SECOND_LOOK_UPLOAD_MB is 'lots'" in sentences(page)


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", ".hidden", "a/b"])
def test_a_bad_name_is_refused(page: AppTest, house: Path, name: str) -> None:
    shown(page)
    drop(page, "mine.tsv", b"1\tThe cat sat.\n")
    page.text_input(key="indexes_corpus_name").set_value(name)
    press(page, "indexes_build")
    assert f"Corpus name {name!r} must be letters" in sentences(page)
    assert not (house / "data/corpora").exists()
    assert BuildJob.all() == []


def test_of_two_people_who_upload_one_name_the_second_is_told(
    page: AppTest, house: Path, here: "Here", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_folder, "launch", here.launch)
    second = AppTest.from_file(str(house / "main.py"), default_timeout=60)
    for person, line in ((page, b"1\tThe cat sat.\n"), (second, b"1\tThe dog ran.\n")):
        shown(person)
        drop(person, "pets.tsv", line)
        assert person.text_input(key="indexes_name").placeholder == "pets"
    press(page, "indexes_build")
    press(second, "indexes_build")
    assert "A job for index 'pets' is already running; wait for it, or stop it." in sentences(second)
    second.text_input(key="indexes_name").set_value("animals")
    second.text_input(key="indexes_corpus_name").set_value("pets")
    press(second, "indexes_build")
    assert f"There is a corpus {places.corpora()}/pets already; give this one another name." in sentences(second)
    assert [passage.text for passage in Corpus(places.corpora() / "pets")] == ["The cat sat."]
    assert [job.request.name for job in BuildJob.all()] == ["pets"]


# Judgments beside an index


def test_judgments_are_compared_with_the_index_and_kept_beside_its_corpus(
    page: AppTest, house: Path, indexed: Path, small_corpus: Path
) -> None:
    own = shutil.copytree(small_corpus, house / "data/corpora/mine", ignore=shutil.ignore_patterns("q*"))
    write_lines(own / "queries.train.tsv", ["1\twhat is bread"])
    write_lines(own / "qrels.train.tsv", ["1\t0\ta1\t1"])
    folder = current_build("small", root=indexed)
    replace(Manifest.load(folder), corpus=str(own)).save(folder)
    shown(page)
    assert figure(page, "Judged queries") == "train 1"
    press(page, "indexes_judgments_small")
    assert page.selectbox(key="indexes_judged_use").options == [
        "test: to measure with, never to choose or train by",
        "dev: to choose and decide by",
    ]
    rated = b"query,docid,rating\nwho makes honey,a1,3\nwho makes honey,zzz,1\nwhat is a loaf,a2,0\n"
    page.file_uploader(key="indexes_judged_judgments").set_value(("rated.csv", rated, "text/csv"))
    again(page)
    assert (figure(page, "Queries"), figure(page, "Judgments"), figure(page, "Relevant")) == ("2", "3", "2")
    assert "Of 3 judged passages 1 is missing from index small (1 of them relevant" in text(page)
    assert not (own / "qrels.test.tsv").exists()
    press(page, "indexes_judged_keep")
    assert f"The test set of small now has 2 queries with 3 judgments, in {own}." in sentences(page)
    assert figure(page, "Judged queries") == "train 1, test 2"


def test_judgments_of_other_passages_are_not_kept(page: AppTest, indexed: Path) -> None:
    shown(page)
    press(page, "indexes_judgments_small")
    assert "has train, dev and test judgments already" in sentences(page)


# Builds


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("indexes_name", "../escaped", "Index name '../escaped' must be letters"),
        ("indexes_name", "x y", "Index name 'x y' must be letters"),
    ],
)
def test_an_index_that_cannot_be_is_not_begun(page: AppTest, house: Path, key: str, value: str, expected: str) -> None:
    corpus(house, "mine", LINES)
    choose_folder(shown(page))
    page.text_input(key=key).set_value(value)
    press(page, "indexes_build")
    assert expected in sentences(page)
    assert BuildJob.all() == []


def test_a_folder_without_a_corpus_is_not_begun(page: AppTest, house: Path) -> None:
    (house / "data/corpora/empty").mkdir(parents=True)
    choose_folder(shown(page))
    assert f"Folder {places.corpora()}/empty holds no corpus" in sentences(page)
    assert "indexes_build" not in keys(page)


def test_an_unknown_collection_of_the_hub_is_not_begun(page: AppTest) -> None:
    shown(page)
    page.radio(key="indexes_source").set_value("A collection on the hub").run()
    assert "indexes_build" in keys(page)
    choose_folder(page)
    page.session_state["indexes_hub"] = "../../etc/passwd"
    page.radio(key="indexes_source").set_value("A collection on the hub")
    again(page)
    assert "'../../etc/passwd' is no collection that is read from the hub" in sentences(page)
    assert "indexes_build" not in keys(page)


def test_a_build_runs_in_its_own_process_and_its_index_can_be_searched(
    page: AppTest, house: Path, tiny_bi_encoder: Path
) -> None:
    corpus(house, "mine", LINES)
    page.session_state["indexes_bi_encoder"] = str(tiny_bi_encoder)
    choose_folder(shown(page))
    page.selectbox(key="indexes_dense").set_value("sq8")
    page.selectbox(key="indexes_bm25").set_value("msmarco-dev")
    page.button(key="indexes_build").click()
    again(page)
    job = BuildJob.all()[0]
    assert f"Build of mine <small>from {places.corpora()}/mine</small>" in text(page)
    assert f"indexes_stop_{job.folder.name}" in keys(page)
    number = int((job.folder / "lock").read_text())
    assert os.getsid(number) == number != os.getsid(0)  # a signal to the server's group doesn't reach it
    second = AppTest.from_file(str(house / "main.py"), default_timeout=60)  # another tab
    assert f"indexes_stop_{job.folder.name}" in keys(shown(second))
    choose_folder(second)
    second.button(key="indexes_build").click()
    again(second)
    assert "A job for index 'mine' is already running; wait for it, or stop it." in sentences(second)
    assert len(BuildJob.all()) == 1
    ended("done")
    again(page)
    assert "Index mine is built: 20 passages, 20 of them encoded." in sentences(page)
    assert figure(page, "Passages") == "20"
    assert (figure(page, "Dense"), figure(page, "BM25")) == ("FAISS SQ8", "k1 0.82, b 0.68")
    assert verify(current_build("mine", root=places.indexes()), full=True) == []
    press(page, f"indexes_search_{job.folder.name}")
    assert page.query_params["index"] == page.selectbox(key="search_index").value == "mine"
    page.switch_page(str(VIEWS / "indexes/page.py"))
    again(page)
    page.button(key=f"indexes_dismiss_{job.folder.name}").click()
    again(page)
    assert not page.success
    assert BuildJob.all() == []
    page.button(key="indexes_search_mine").click().run()
    assert not page.exception
    assert "20 passages" in page.sidebar.caption[0].value


class Here:
    """Jobs that begin wait, as if their process had yet to load, until they are run in this process."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Path, int]] = []

    def launch(self, folder: Path, lock: IO[str], *_: str) -> None:
        """Take the place of `job_folder.launch`."""
        write_holder(lock, 2**22 + 1)  # no process has this number: Linux gives none above 2**22
        self.waiting.append((folder, os.dup(lock.fileno())))

    def run(self) -> None:
        """Do the one job that waits, with its log in its folder."""
        ((folder, lock),) = self.waiting
        self.waiting.clear()
        before = signal.getsignal(signal.SIGTERM)
        with (folder / "log.txt").open("a", encoding="utf-8") as log:
            handler = logging.StreamHandler(log)
            build_run.log.addHandler(handler)
            build_run.run_build(folder, lock=lock)
            build_run.log.removeHandler(handler)
        signal.signal(signal.SIGTERM, before)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    """`job_folder.launch` can be given this one's place; processes of their own are started by other tests."""
    jobs_here = Here()
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(build_run.log, "level", logging.INFO)
    yield jobs_here
    for _, lock in jobs_here.waiting:
        os.close(lock)


def test_an_estimate_comes_before_its_build(
    page: AppTest, house: Path, tiny_bi_encoder: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_folder, "launch", here.launch)
    corpus(house, "mine", LINES)
    page.session_state["indexes_bi_encoder"] = str(tiny_bi_encoder)
    choose_folder(shown(page))
    page.button(key="indexes_estimate").click()
    again(page)
    assert "Estimate for mine" in text(page)
    here.run()
    job = ended("done")
    again(page)
    assert job.status.estimate is not None
    assert figure(page, "Passages") == "20"
    assert figure(page, "Disk") == size_text(sum(job.status.estimate.disk.values()))
    assert figure(page, "Dense") == "FAISS Flat"
    assert index_names(places.indexes()) == []
    page.button(key=f"indexes_build_{job.folder.name}").click()
    again(page)
    assert [found.request for found in BuildJob.all()] == [replace(job.request, task="build")]
    assert BuildJob.all()[0].alive


def test_a_stopped_build_goes_on_and_a_failed_one_says_where(
    page: AppTest, house: Path, tiny_bi_encoder: Path, forks: Forks, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = corpus(house, "mine", [f"{number}\t{' '.join(list(PASSAGES.values())[:5])}" for number in range(10_000)])
    request = BuildRequest(name="mine", corpus=str(mine), bi_encoder=str(tiny_bi_encoder))
    folder = made_job(BuildStatus(state="running"), request=request)
    forks.begin("build job", folder=str(folder))
    end = time.monotonic() + WAIT
    while (status := BuildJob.all()[0].status).phase != "encode":
        assert time.monotonic() < end, status
        time.sleep(0.02)
    assert status.total == 10_000
    assert BuildJob.all()[0].alive
    shown(page)
    assert "Encoding passages" in page.get("progress")[0].proto.text
    page.button(key=f"indexes_stop_{folder.name}").click()
    again(page)
    ended("stopped")
    assert forks.end().code == 0  # it came to an end of its own
    again(page)
    assert "Stopped before the first shard of 20,000 passages was finished, so nothing is stored" in sentences(page)

    monkeypatch.setattr(job_folder, "launch", here.launch)
    write_lines(mine / "collection.tsv", [*LINES, "no tab here"])
    page.button(key=f"indexes_resume_{folder.name}").click()
    again(page)
    here.run()
    ended("failed")
    again(page)
    assert f"{places.corpora()}/mine/collection.tsv:21: 1 tab-separated fields" in sentences(page)
    assert "collection.tsv:21" in page.code[0].value
    assert index_names(places.indexes()) == []

    write_lines(mine / "collection.tsv", LINES)
    page.button(key=f"indexes_resume_{folder.name}").click()
    again(page)
    here.run()
    assert "20 passages" in ended("done").status.sentence


def test_a_running_build_shows_passages_rate_and_time_left(page: AppTest) -> None:
    folder = made_job(BuildStatus(state="running", phase="encode", done=1_500, total=6_000, rate=50.0))
    with hold(folder):
        shown(page)
    bar = page.get("progress")[0].proto
    assert bar.value == 25  # 1,500 of 6,000
    # (6,000 - 1,500) / 50 = 90 s
    assert bar.text.replace("\\", "") == "Encoding passages: 1,500 of 6,000, 50 per second, about 2 min left"


def test_a_build_that_is_asked_to_stop_can_be_stopped_at_once(page: AppTest) -> None:
    folder = made_job(BuildStatus(state="running", phase="dense", done=0, total=6_000))
    with hold(folder) as lock:
        write_holder(lock, 2**22 + 1)  # no process has this number: Linux gives none above 2**22
        shown(page)
        assert page.button(key="indexes_stop_build-1").label == "Stop"
        page.button(key="indexes_stop_build-1").click()
        again(page)
        assert page.button(key="indexes_stop_build-1").label == "Stop now"
        assert "Stopping" in page.get("progress")[0].proto.text


def test_a_crashed_build_shows_its_logs_end_and_can_go_on(page: AppTest) -> None:
    folder = made_job(BuildStatus(state="running", phase="encode", done=10, total=20))
    (folder / "log.txt").write_text("line\n" * 50 + "Killed <b>\n", encoding="utf-8")
    shown(page)
    assert (
        "The process ended unexpectedly: it was killed, the machine restarted, or memory ran out. "
        "Finished parts were kept, so it can be resumed."
    ) in sentences(page)
    assert page.code[0].value.endswith("Killed <b>")
    assert page.code[0].value.count("\n") == 19
    assert "indexes_resume_build-1" in keys(page)


def test_a_job_that_another_tab_runs_again_is_not_run_twice(page: AppTest) -> None:
    folder = made_job(BuildStatus(state="failed", sentence="It went wrong."))
    shown(page)
    with hold(folder):  # the other tab's process, which has yet to write
        page.button(key="indexes_resume_build-1").click()
        again(page)
        assert "Job build-1 is already running; wait for it, or stop it" in sentences(page)
        with pytest.raises(BusyError):
            BuildJob.all()[0].resume()


def test_jobs_of_other_folders_of_indexes_are_left_alone(page: AppTest) -> None:
    elsewhere = BuildRequest(name="x", corpus="c", root="elsewhere")
    made_job(BuildStatus(state="failed", sentence="Elsewhere."), request=elsewhere)
    shown(page)
    assert "Elsewhere" not in sentences(page)


def test_an_estimate_is_read_back_as_it_was_written(page: AppTest) -> None:
    found = Estimate(
        8_841_823, 1_000, {"vectors": 6.8e9, "bm25": 3.2e9}, {"encode": 4e9}, {"encode": 9_000.0}, "X", "why"
    )
    request = BuildRequest(name="big", corpus="msmarco", task="estimate")
    made_job(BuildStatus(state="done", estimate=found), request=request)
    shown(page)
    assert BuildJob.all()[0].status.estimate == found
    assert (figure(page, "Passages"), figure(page, "Disk")) == ("8,841,823", "10.0 GB")  # 6.8 + 3.2
    assert (figure(page, "Time"), figure(page, "Memory")) == ("2.5 h", "4.0 GB")  # 9,000 / 3,600


def test_the_folder_of_indexes_is_the_apps(page: AppTest, indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", "elsewhere")
    assert places.indexes() == Path("elsewhere")
    shown(page)
    assert "There is no index in elsewhere yet. Build one below" in sentences(page)
