"""Cases about corpora as people have them: header rows, quotation marks, copies, licences, archives, odd encodings."""

import json
import zipfile
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indexing.corpus.corpus import Corpus
from indexing.records import Passage
from tests.cases.case import Case, Checks
from tests.faults.fault import refused

CHECKS = Checks()
NO_RERANKER = ("--reranker", "none")


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _passages(case: Case, *options: str | Path, corpus: Path | None = None) -> tuple[int, str]:
    """The number of passages of an index that is built, and all that the build printed."""
    completed = case.build("--json", *options, corpus=corpus)
    return int(json.loads(completed.out)["passages"]), completed.said


def _psgs(folder: Path) -> None:
    _write(
        folder / "collection.tsv",
        'id\ttext\ttitle\n1\t"The ""Red Mill"" opened in 1889."\tRed Mill\n2\t"A ferry crosses the sound."\tFerry\n',
    )
    _write(folder / "queries.test.tsv", "query_id\tquery\n1\twhen did the red mill open\n")
    _write(folder / "qrels.test.tsv", "1 0 1 1\n")


@CHECKS.add("10-header-dpr", _psgs)
def header_and_quotes(case: Case) -> None:
    """The header row is left out, and CSV's quotation marks are undone."""
    count, said = _passages(case)
    assert count == 2
    assert "collection.tsv:1: the header row id, text, title was left out" in said, said
    assert "quotation marks" in said, said
    texts = [passage.text for passage in Corpus(case.folder)]
    assert texts[0].startswith('The "'), texts
    assert not [text for text in texts if '""' in text or text[0] == '"' or text[-1] == '"'], texts


def _marks_of_texts(folder: Path) -> None:
    _write(
        folder / "collection.tsv",
        '1\t"Row faster," the cox called.\n2\tA ferry crosses the sound.\n3\t"Ferries are slow."\n',
    )


@CHECKS.add("quotation-marks-of-texts", _marks_of_texts)
def marks_of_texts(case: Case) -> None:
    """A text in MS MARCO's form keeps the quotation mark that it begins with."""
    texts = [passage.text for passage in Corpus(case.folder)]
    assert texts == ['"Row faster," the cox called.', "A ferry crosses the sound.", '"Ferries are slow."'], texts


def _checkpoints(folder: Path) -> None:
    _write(folder / "heron.txt", "A heron waits in the reeds.")
    _write(folder / "otter.txt", "An otter dives for mussels.")
    _write(folder / ".ipynb_checkpoints/otter-checkpoint.txt", "An otter.")


@CHECKS.add("14b-notebook-checkpoints", _checkpoints)
def checkpoints(case: Case) -> None:
    """Copies in hidden folders are no passages."""
    corpus = Corpus(case.folder)
    assert len(list(corpus)) == 2
    assert any(".ipynb_checkpoints" in note for note in corpus.notes), corpus.notes


def _licence(folder: Path) -> None:
    _write(folder / "LICENSE.txt", "Do as you like.")
    (folder / "data").mkdir()
    table = pa.table({"id": [7.0, 8.0], "text": ["A heron waits in the reeds.", "An otter dives for mussels."]})
    pq.write_table(table, folder / "data/train-00000.parquet")


@CHECKS.add("14c-license-txt", _licence)
def licence_beside_shards(case: Case) -> None:
    """The shards are read, never the licence."""
    ids = [passage.id for passage in Corpus(case.folder)]
    assert len(ids) == 2
    assert all("license" not in key.lower() for key in ids), ids


@CHECKS.add("licence-alone", lambda folder: _write(folder / "LICENSE.txt", "Do as you like."))
def licence_alone(case: Case) -> None:
    """A folder with nothing but a licence is refused."""
    case.refused("indexing", "build", "--corpus", case.folder, "--index", "case", mentions=("holds no corpus",))


def _empty_rows(folder: Path) -> None:
    rows = [{"_id": "18a", "title": "", "text": "Rates rise."}, {"_id": "18b", "title": "", "text": ""}]
    _write(folder / "corpus.jsonl", "".join(json.dumps(row) + "\n" for row in [*rows, {"_id": "18c", "text": "Up."}]))


@CHECKS.add("18-empty-rows", _empty_rows)
def empty_rows(case: Case) -> None:
    """A passage without a text is named by file and line, or left out and counted."""
    arguments = ("indexing", "build", "--corpus", case.folder, "--index", "case")
    case.refused(*arguments, mentions=("corpus.jsonl:2", "no text"))
    count, said = _passages(case, "--on-bad-line", "skip")
    assert count == 2
    assert '"left_out": 1' in said, said


def _points(folder: Path) -> None:
    _write(folder / "README", "Sixteen passages.\n")


@CHECKS.add("19-faiss-few-points", _points)
def few_points(case: Case) -> None:
    """Trained on 16 vectors, FAISS finds all of them, and one sentence says that they are few."""
    corpus = case.home / "sixteen.tsv"
    _write(corpus, "".join(f"{number}\tThe harbour has berth number {number}.\n" for number in range(16)))
    for kind in ("ivf-pq", "IVF4,Flat", "hnsw"):
        said = case.build("--dense", kind, corpus=corpus, index=kind.lower().replace(",", "-")).err
        assert said.count("WARNING clustering") == 0, said
        assert len([line for line in said.splitlines() if "FAISS learns" in line]) == (kind != "hnsw"), said
        ids = case.ids("berth", *NO_RERANKER, "--top", "16", index=kind.lower().replace(",", "-"))
        assert sorted(ids, key=int) == [str(number) for number in range(16)], ids


def _twice(text: str) -> str:
    return text.encode().decode("cp1252")


def _mojibake(folder: Path) -> None:
    meant = "Let’s say that the café’s ferry leaves at noon."
    _write(folder / "collection.tsv", f"y1\t{_twice(meant)}\ny2\t{meant}\ny3\tThe bus is late.\n")


@CHECKS.add("21-mojibake", _mojibake)
def encoded_twice(case: Case) -> None:
    """A text that was encoded twice is read as it was meant, which the build says."""
    _, said = _passages(case)
    assert "encoded twice" in said, said
    scores = {}
    for query in ("let's", "café"):
        answer = json.loads(case.done("search", "query", query, "--index", "case", "--json", *NO_RERANKER).out)
        rows = {row["id"]: row for row in answer["final"]}
        assert {"y1", "y2"} <= rows.keys(), rows
        scores[query] = [rows[key]["score"] for key in ("y1", "y2")]
    kept = Corpus(case.folder, mend=False)
    assert len({passage.text for passage in kept}) == 3
    assert "encoded twice" in kept.notes[0], kept.notes


def _path(folder: Path) -> None:
    _write(folder / "collection.tsv", "1\tMoss grows on stones.\n2\tThe kite rises in wind.\n")
    _write(folder / "queries.test.tsv", "9\tmoss\n")
    _write(folder / "qrels.test.tsv", "9 0 1 1\n")


@CHECKS.add("25-path with spaces (ü) #1", _path)
def odd_path(case: Case) -> None:
    """A path with blanks and letters beyond ASCII works."""
    _passages(case)
    report, _ = case.evaluation("--split", "test")
    assert report, "evaluate printed nothing"


def _zip(folder: Path) -> None:
    rows = [{"_id": "18a", "title": "", "text": "Rates rise."}, {"_id": "18c", "title": "", "text": "Shares fall."}]
    with zipfile.ZipFile(folder / "mini.zip", "w") as packed:
        packed.writestr("corpus.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        packed.writestr("queries.jsonl", '{"_id": "f1", "text": "what falls"}\n')


@CHECKS.add("27-zip", _zip)
def zip_archive(case: Case) -> None:
    """BEIR's own archive is read in place."""
    assert len(list(Corpus(case.folder / "mini.zip", skip_bad_lines=True))) == 2


def _utf16(folder: Path) -> None:
    _write(folder / "collection.tsv", "1\tMoss grows on stones.\n".encode("utf-16"))
    _write(folder / "bare.tsv", "1\tMoss grows on stones.\n".encode("utf-16-le"))
    _write(folder / "latin.tsv", "1\tcafé\n".encode("latin-1"))


def _read(path: Path) -> list[Passage]:
    return list(Corpus(path))


@CHECKS.add("other-encodings", _utf16)
def other_encodings(case: Case) -> None:
    """UTF-16 and Windows-1252 are named, with the command that converts them."""
    for name, encoding in (("collection.tsv", "UTF-16"), ("bare.tsv", "UTF-16LE"), ("latin.tsv", "WINDOWS-1252")):
        sentence = refused(partial(_read, case.folder / name), name).sentence
        assert f"iconv -f {encoding} -t UTF-8" in sentence, sentence
