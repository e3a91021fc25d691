"""Judgments that are sent for an index are compared with it, kept where they are found, and replace nothing."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from indexing import atomic, places
from indexing.catalogue import current_build
from indexing.errors import BusyError, CorpusError, SettingsError
from indexing.judged.sets import judged_sets
from indexing.manifest import Manifest
from tests.conftest import write_lines
from training.judgments.beside import SentJudgments, free_splits, keep_beside, read_sent
from training.judgments.protection import Protection
from training.judgments.received import SentFile

QUERIES = b"7\twhat is wax\n8\twho bakes\n"


@pytest.fixture
def own(own_root: Path, tmp_path: Path, small_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus without judgments, from which the index `small` below `own_root` was built."""
    monkeypatch.setattr(places, "sample", lambda: tmp_path / "nowhere")
    corpus = shutil.copytree(small_corpus, tmp_path / "corpus", ignore=shutil.ignore_patterns("q*"))
    build = current_build("small", root=own_root)
    replace(Manifest.load(build), corpus=str(corpus)).save(build)
    return Path(corpus)


def read(
    root: Path, qrels: bytes, queries: bytes | None = QUERIES, *, split: str = "test", name: str = "mine.txt"
) -> SentJudgments:
    texts = None if queries is None else SentFile("asked.tsv", io.BytesIO(queries))
    return read_sent(SentFile(name, io.BytesIO(qrels)), texts, index="small", split=split, root=root, limit=1)


def test_qrels_with_their_queries_are_read_compared_and_kept(own_root: Path, own: Path) -> None:
    sent = read(own_root, b"7 0 a1 2\n7 0 gone 1\n8 0 a2 0\n")
    assert (len(sent.judged.queries), sent.judgments) == (2, 3)
    (note,) = sent.fitted.notes
    assert note.startswith("Of 3 judged passages 1 is missing from index small (1 of them relevant, which no ranking")
    keep_beside(sent.judged, own)
    found = judged_sets(own)
    assert list(found) == ["test"]
    assert found["test"].qrels == {"7": {"a1": 2, "gone": 1}, "8": {"a2": 0}}
    assert [query.text for query in found["test"].queries] == ["what is wax", "who bakes"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("quepid.csv", b"query,docid,rating\nwhat is wax,a1,3\n"),
        ("list.json", b'{"judgmentRatings": [{"query": "what is wax", "ratings": [{"docId": "a1", "rating": "3"}]}]}'),
    ],
)
def test_judgments_by_text_need_no_queries(own_root: Path, own: Path, name: str, content: bytes) -> None:
    sent = read(own_root, content, None, split="dev", name=name)
    keep_beside(sent.judged, own)
    (query,) = judged_sets(own)["dev"].queries
    assert (query.text, judged_sets(own)["dev"].qrels[query.id]) == ("what is wax", {"a1": 3})


def test_a_fault_is_named_as_the_user_named_the_file(own_root: Path, own: Path) -> None:
    with pytest.raises(CorpusError, match=r"^mine\.txt:2: "):
        read(own_root, b"7 0 a1 2\n7 0\n")
    with pytest.raises(SettingsError, match=r"^No judged query of mine\.txt has a text; give the file of these"):
        read(own_root, b"7 0 a1 2\n", None)
    with pytest.raises(SettingsError, match=r"^None of the 1 judged passages of the test split is in index small"):
        read(own_root, b"7 0 other 2\n")
    with pytest.raises(CorpusError, match=r"^mine\.txt has more than 1 MB.* below .*corpus on the server"):
        read(own_root, b"7 0 a1 2\n" * 120_000)
    assert free_splits(own) == {"train": None, "dev": None, "test": None}


@pytest.mark.parametrize("there", ["qrels.dev.tsv", "qrels/dev.tsv", "qrels.validation.tsv"])
def test_a_set_that_is_there_in_any_form_is_not_replaced(own_root: Path, own: Path, there: str) -> None:
    taken = write_lines(own / there, ["1 0 a1 1"])
    sent = read(own_root, b"7 0 a1 2\n", split="dev")
    with pytest.raises(SettingsError, match=r"^There are dev judgments already, \S+; choose another use"):
        keep_beside(sent.judged, own)
    assert taken.read_text() == "1 0 a1 1\n"
    assert free_splits(own)["dev"] == taken
    assert not (own / "queries.dev.tsv").exists()


def test_queries_of_another_set_are_not_replaced_and_those_of_a_killed_try_are(own_root: Path, own: Path) -> None:
    sent = read(own_root, b"7 0 a1 2\n")
    (own / "queries.test.tsv").write_text("9\tanother query\n")
    with pytest.raises(SettingsError, match=r"queries\.test\.tsv exists already"):
        keep_beside(sent.judged, own)
    (own / "queries.test.tsv").write_text("7\twhat is wax\n")  # killed before it wrote the judgments
    keep_beside(sent.judged, own)
    assert judged_sets(own)["test"].qrels == {"7": {"a1": 2}}


def test_two_at_once_are_told(own_root: Path, own: Path) -> None:
    sent = read(own_root, b"7 0 a1 2\n")
    with atomic.locked(own), pytest.raises(BusyError, match="Another process is adding judgments to"):
        keep_beside(sent.judged, own)
    with pytest.raises(SettingsError, match="isn't there; put it back"):
        keep_beside(sent.judged, own / "gone")


def test_dev_and_test_queries_stay_protected(own_root: Path, own: Path) -> None:
    keep_beside(read(own_root, b"7 0 a1 2\n").judged, own)
    assert Protection.read([], [own]).covers(read(own_root, b"7 0 a1 2\n").judged.queries[0])
    sent = read(own_root, b"3 0 a1 2\n8 0 a2 1\n", b"3\tWhat is wax?\n8\twho bakes\n", split="train")
    assert sent.protected == 1  # by its text
    assert read(own_root, b"8 0 a2 1\n", split="train").protected == 0


def test_who_judged_is_kept(own_root: Path, own: Path) -> None:
    keep_beside(read(own_root, b"7 clicks a1 2\n", split="train").judged, own)
    assert judged_sets(own)["train"].source == "clicks"


@pytest.mark.parametrize("name", ["#7", '\\"7\\"'])
def test_an_id_that_would_be_read_differently_is_refused(own_root: Path, own: Path, name: str) -> None:
    queries = f'{{"_id": "{name}", "text": "what is wax"}}\n{{"_id": "8", "text": "who bakes"}}\n'
    qrels = (
        f'{{"query-id": "{name}", "corpus-id": "a1", "score": 2}}\n{{"query-id": "8", "corpus-id": "a2", "score": 1}}\n'
    )
    files = SentFile("mine.jsonl", io.BytesIO(qrels.encode())), SentFile("asked.jsonl", io.BytesIO(queries.encode()))
    sent = read_sent(*files, index="small", split="test", root=own_root, limit=1)
    assert len(sent.judged.queries) == 2
    with pytest.raises(
        CorpusError, match=r"^Query id '\S+, or the id of one of its passages, would be read differently"
    ):
        keep_beside(sent.judged, own)
    assert judged_sets(own) == {}
