"""Of a folder the passages are read, and what beside them isn't is told."""

import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexing.corpus.corpus import Corpus
from indexing.corpus.folder import corpus_files, find_corpus
from indexing.errors import CorpusError
from tests.conftest import write_lines
from tests.unit.indexing.corpus.test_preview_corpus import pack


def shard(path: Path, *ids: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": ids, "text": [f"passage {key}" for key in ids]}), path)
    return path


def test_the_shards_of_a_data_set_are_read_and_not_its_licence(tmp_path: Path) -> None:
    write_lines(tmp_path / "LICENSE.txt", ["Do as you like."])
    write_lines(tmp_path / "README.md", ["# Read me"])
    files = [shard(tmp_path / f"data/train-0000{number}-of-00002.parquet", str(number)) for number in (0, 1)]
    shard(tmp_path / "queries/train-00000-of-00001.parquet", "q")
    assert corpus_files(tmp_path) == files


def test_judgments_in_an_archive_are_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "scifact.zip", "w") as packed:
        for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
            packed.writestr(f"scifact/{name}", '{"_id": "1", "text": "moss"}\n')
    corpus = Corpus(tmp_path / "scifact.zip")
    assert len(list(corpus)) == 1
    assert corpus.notes[0].startswith(f"{tmp_path}/scifact.zip also holds queries.jsonl, test.tsv, which are read from")


def test_several_splits_are_read_as_one_corpus_which_is_told(tmp_path: Path) -> None:
    for split in ("train", "test"):
        shard(tmp_path / f"data/{split}-00000-of-00001.parquet", split)
    corpus = Corpus(tmp_path)
    assert [passage.id for passage in corpus] == ["test", "train"]
    assert corpus.notes[0].startswith(f"The splits test, train of {tmp_path}/data are read as one corpus")


def test_a_readme_beside_a_table_is_never_the_corpus(tmp_path: Path) -> None:
    write_lines(tmp_path / "README.txt", ["About"])
    write_lines(tmp_path / "mine.tsv", ["1\tmoss"])
    with pytest.raises(CorpusError, match=r"it does hold mine\.tsv"):
        corpus_files(tmp_path)


def test_a_second_collection_in_a_folder_is_told(tmp_path: Path) -> None:
    for name in ("collection.tsv", "corpus.jsonl.gz", "collection.tsv.gz"):
        write_lines(tmp_path / name, ["1\tmoss"])
    assert find_corpus(tmp_path).notes == (
        f"Of folder {tmp_path} collection.tsv is read, and not corpus.jsonl.gz: give --corpus FILE for another.",
    )


@pytest.mark.parametrize(
    ("read", "others"),
    [
        ("corpus.jsonl", ["corpus2.jsonl"]),
        ("collection.tsv", ["b.txt", "collection2.tsv", "more.parquet"]),
        ("corpus.csv", ["old.csv.gz"]),
    ],
)
def test_tables_and_texts_beside_the_one_that_is_read_are_told(tmp_path: Path, read: str, others: list[str]) -> None:
    for name in (read, *others, "queries.dev.tsv", "qidpidtriples.train.tsv", "top1000.dev.tsv", "README.txt"):
        write_lines(tmp_path / name, ["1\tmoss"])
    found = find_corpus(tmp_path)
    assert found.files == (tmp_path / read,)
    assert found.notes == (
        f"Of folder {tmp_path} {read} is read, and not {', '.join(others)}: give --corpus FILE for another.",
    )


def test_texts_and_parquet_elsewhere_beside_the_parquet_files_that_are_read_are_told(tmp_path: Path) -> None:
    shard(tmp_path / "a.parquet", "a")
    shard(tmp_path / "more/b.parquet", "b")
    write_lines(tmp_path / "moss.txt", ["moss"])
    assert find_corpus(tmp_path).notes == (
        f"Of folder {tmp_path} the Parquet files of {tmp_path} are read, and not those of {tmp_path}/more; give "
        "--corpus FOLDER for another.",
        f"Of folder {tmp_path} the Parquet files are read, and not moss.txt.",
    )


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_an_archives_other_tables_and_several_read_as_one_are_told(tmp_path: Path, ending: str) -> None:
    lines = {key: f"{key}\tmoss\n".encode() for key in "abc"}
    members = {"now/corpus.tsv": lines["a"], "old/corpus.tsv": lines["b"], "docs.tsv": lines["c"], "qrels/x.tsv": b"q"}
    corpus = Corpus(pack(tmp_path / f"both{ending}", members))
    assert [passage.id for passage in corpus] == ["a", "b"]
    both = f"{corpus.path}: now/corpus.tsv, old/corpus.tsv"
    assert [note for note in corpus.notes if "x.tsv" not in note] == [
        f"{both} are read as one corpus; unpack it, and give one of them to read that alone.",
        f"{corpus.path} also holds docs.tsv, beside now/corpus.tsv, old/corpus.tsv, and it isn't read: unpack it, and "
        "give that file.",
    ]


def test_what_is_left_out_is_told_by_name(tmp_path: Path) -> None:
    for name in ("moss.txt", ".ipynb_checkpoints/moss-checkpoint.txt", "moss-checkpoint.txt", "COPYING.txt"):
        write_lines(tmp_path / name, ["moss"])
    found = find_corpus(tmp_path)
    assert found.files == (tmp_path / "moss.txt",)
    assert found.notes == (
        "Left out: COPYING.txt, by the name no passage; rename it if it is one.",
        "Left out as hidden files or programs' own copies: .ipynb_checkpoints, moss-checkpoint.txt.",
    )


def test_judgments_beside_texts_are_no_passages_and_a_text_named_like_them_is_told(tmp_path: Path) -> None:
    for name in ("moss.txt", "queries.sql.txt", "queries.test.txt", "qrels/test.txt"):
        write_lines(tmp_path / name, ["q1 0 moss 1"])
    found = find_corpus(tmp_path)
    assert found.files == (tmp_path / "moss.txt",)
    assert found.notes == (
        "Left out: queries.sql.txt, by the name queries or judgments; rename it if it is a passage.",
    )


def test_a_checkpoint_without_its_file_is_a_passage(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "border-checkpoint.txt", ["A barrier."])
    assert corpus_files(tmp_path) == [path]


def test_ids_that_differ_only_in_composition_are_told(tmp_path: Path) -> None:
    corpus = Corpus(
        write_lines(
            tmp_path / "c.tsv", ["caf\u00e9\ta", "cafe\u0301\tb", "x  y\tc", "x y\td", "z\te", "z\u200bz\tf", "zz\tg"]
        )
    )
    assert len(list(corpus)) == 7
    assert corpus.notes[0].startswith("2 ids differ from another one only in white space or in composed letters")
    assert corpus.notes[1] == (
        "1 id holds a character that nobody sees, such as 'z\\u200bz': judgments that lack it won't match."
    )
