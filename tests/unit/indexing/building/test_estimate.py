"""What a build will take is worked out from a sample, comes near what it then takes, and leaves nothing behind."""

import gzip
import io
import random
import tarfile
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexing.building.build import build
from indexing.building.estimate import estimate
from indexing.building.figures import Estimate
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.corpus.count import count_passages
from indexing.errors import CorpusError, SettingsError
from tests.conftest import PASSAGES, write_lines

LINES = [f"{key}\t{text}" for key, text in PASSAGES.items()]
CONTENT = "".join(line + "\n" for line in LINES).encode()


def test_the_lines_of_a_file_are_counted(tmp_path: Path) -> None:
    assert count_passages(write_lines(tmp_path / "c.tsv", LINES)) == 20
    assert count_passages(write_lines(tmp_path / "c.jsonl", ['{"_id": "1", "text": "a"}'] * 3)) == 3


def test_a_file_longer_than_a_chunk_is_counted_whole(tmp_path: Path) -> None:
    assert count_passages(write_lines(tmp_path / "c.tsv", LINES), chunk_bytes=64) == 20


def test_a_last_line_without_an_end_counts(tmp_path: Path) -> None:
    (tmp_path / "c.tsv").write_bytes(CONTENT.removesuffix(b"\n"))
    assert count_passages(tmp_path / "c.tsv") == 20


def test_the_lines_of_a_packed_file_are_counted(tmp_path: Path) -> None:
    (tmp_path / "collection.tsv.gz").write_bytes(gzip.compress(CONTENT))
    assert count_passages(tmp_path) == count_passages(tmp_path / "collection.tsv.gz") == 20


def test_the_lines_of_the_passages_in_an_archive_are_counted(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "collection.tar.gz", "w:gz") as archive:
        for name, content in (("collection.tsv", CONTENT), ("queries.train.tsv", b"1\tq\n")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert count_passages(tmp_path) == 20


def test_the_rows_of_every_parquet_file_are_counted(tmp_path: Path) -> None:
    for name, count in (("a", 3), ("b", 0), ("c", 5)):
        rows = {"id": [f"{name}{number}" for number in range(count)], "text": ["a"] * count}
        pq.write_table(
            pa.table(rows, pa.schema([("id", pa.string()), ("text", pa.string())])), tmp_path / f"{name}.parquet"
        )
    assert count_passages(tmp_path) == 8
    assert count_passages(tmp_path / "c.parquet") == 5


def test_the_files_of_a_folder_of_texts_are_counted(tmp_path: Path) -> None:
    for key, text in PASSAGES.items():
        write_lines(tmp_path / "deep" / f"{key}.txt", [text, "and a second line"])
    assert count_passages(tmp_path) == 20


def test_a_corpus_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere"):
        count_passages(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.tsv.gz", gzip.compress(CONTENT, mtime=0)[:-20]),  # cut off
        ("c.tsv.gz", gzip.compress(CONTENT, mtime=0)[:40] + b"\0" * 40),
        ("c.tsv.gz", b"plain"),
        ("c.tar.gz", gzip.compress(b"no archive" * 100, mtime=0)),
        ("c.parquet", b"PAR1 no parquet PAR1"),
    ],
    ids=["cut off", "broken", "not packed", "no archive", "no parquet"],
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=name) as caught:
        count_passages(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 passages of 10 to 60 words."""
    rng = random.Random(2)
    words = sorted({word for text in PASSAGES.values() for word in text.split()})
    lines = [f"p{number}\t{' '.join(rng.choices(words, k=rng.randint(10, 60)))}" for number in range(400)]
    return write_lines(tmp_path_factory.mktemp("estimate") / "collection.tsv", lines)


@pytest.fixture(scope="module")
def settings(tiny_bi_encoder: Path, tiny_cross_encoder: Path) -> BuildSettings:
    return BuildSettings(bi_encoder=str(tiny_bi_encoder), tokenizer=str(tiny_cross_encoder))


@pytest.fixture(scope="module")
def found(corpus: Path, settings: BuildSettings) -> Estimate:
    """The estimate from a sample of 100."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexing.building.estimate.SAMPLE", 100)
        return estimate(Corpus(corpus), settings)


def test_an_estimate_comes_near_what_a_build_takes(
    found: Estimate, corpus: Path, settings: BuildSettings, tmp_path: Path
) -> None:
    manifest = build(Corpus(corpus), name="real", root=tmp_path, settings=settings)
    real: dict[str, float] = dict.fromkeys(found.disk, 0)
    for name, row in manifest.files.items():
        part = Path(name).parts[0].removesuffix(".faiss")
        real[part] = real.get(part, 0) + row["bytes"]
    assert set(found.disk) == set(real) - {"shards"}  # the records of shards are a line each
    for part, size in found.disk.items():
        assert size == pytest.approx(real[part], rel=0.25), part
    assert (found.passages, found.sampled, found.kind) == (400, 100, manifest.dense.kind)
    assert found.reason == manifest.dense.reason != ""


def test_an_estimate_tells_every_phase(found: Estimate) -> None:
    assert list(found.seconds) == ["read", "encode", "bm25", "dense", "checksums"]
    assert list(found.memory) == ["encode", "bm25", "dense"]
    assert all(0 < seconds < 600 for seconds in found.seconds.values())
    assert all(100e6 < size < 100e9 for size in found.memory.values())  # torch alone is over 100 MB


def test_twice_the_passages_take_twice_the_disk_and_more_memory(
    corpus: Path, settings: BuildSettings, tmp_path: Path
) -> None:
    lines = corpus.read_text(encoding="utf-8").splitlines()
    double = write_lines(tmp_path / "double.tsv", [*lines, *(f"again-{line}" for line in lines)])
    one, two = (estimate(Corpus(path), settings) for path in (corpus, double))
    assert two.passages == 800
    for part in ("vectors", "ids", "dense"):
        assert two.disk[part] == pytest.approx(2 * one.disk[part], rel=0.02)
    assert two.memory["encode"] > one.memory["encode"] - 1e6  # beside what the process itself holds


def test_a_kind_that_was_asked_for_has_no_reason(corpus: Path, tiny_bi_encoder: Path) -> None:
    found = estimate(Corpus(corpus), BuildSettings(bi_encoder=str(tiny_bi_encoder), dense="sq8"))
    assert (found.kind, found.reason) == ("SQ8", "")
    assert found.disk["dense"] == pytest.approx(400 * 32, rel=0.05)
    assert "tokens" not in found.disk


def test_an_estimate_leaves_nothing_behind(
    corpus: Path, settings: BuildSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    before = corpus.read_bytes()
    estimate(Corpus(corpus), settings)
    assert list(tmp_path.rglob("*")) == [tmp_path / "temporary"]
    assert list(corpus.parent.iterdir()) == [corpus]
    assert corpus.read_bytes() == before


def test_an_empty_corpus_is_told(tmp_path: Path, settings: BuildSettings) -> None:
    (tmp_path / "c.tsv").write_text("")
    with pytest.raises(CorpusError, match=r"c\.tsv"):
        estimate(Corpus(tmp_path / "c.tsv"), settings)


def test_a_kind_that_faiss_does_not_know_is_told(corpus: Path, tiny_bi_encoder: Path) -> None:
    with pytest.raises(SettingsError, match="flattest"):
        estimate(Corpus(corpus), BuildSettings(bi_encoder=str(tiny_bi_encoder), dense="flattest"))
