"""From a corpus to an answer; and whatever stops a build, the index that was there goes on serving."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexing.bm25.settings import BACKENDS, Bm25Settings
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.catalogue import build_folders, current_build, index_names
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.dense.faiss_index import DenseIndex
from indexing.dense.settings import PRESETS
from indexing.dense.vectors import VectorStore
from indexing.errors import CorpusError, IndexingError, ModelError, SettingsError
from indexing.index import Index, open_index
from indexing.manifest import Manifest
from indexing.store.tokens import PassageTokenizer
from search.load import open_pipeline
from search.pipeline import RetrieveAndRerank
from search.retrieve import retrieve_bm25
from search.settings import PipelineSettings
from tests.conftest import PASSAGES, write_lines
from tests.support.fakes import WordOverlapReranker

Build = Callable[..., Manifest]


@pytest.fixture
def make(tiny_bi_encoder: Path, small_corpus: Path, tmp_path: Path) -> Build:
    """Builds an index of the small corpus below `tmp_path`, or what the arguments say."""

    def made(corpus: Path = small_corpus, root: Path = tmp_path, name: str = "small", **settings: object) -> Manifest:
        values = BuildSettings(bi_encoder=str(tiny_bi_encoder), **settings)  # type: ignore[arg-type]  # several types
        return build(Corpus(corpus), name=name, root=root, settings=values)

    return made


def test_every_passage_is_found_by_its_own_text(built_root: Path, bi_encoder: BiEncoder) -> None:
    pipeline = RetrieveAndRerank(open_index("small", root=built_root), bi_encoder, WordOverlapReranker())
    for name, text in PASSAGES.items():
        assert pipeline.search(text, PipelineSettings(depth=5, rerank_depth=5)).final.passage_ids[0] == name


def test_a_title_is_searched_with_its_text(make: Build, tmp_path: Path) -> None:
    lines = ["1\tIt stood at Alexandria.\tThe Pharos", "2\tIt stood at Rhodes.\tThe Colossus"]
    make(write_lines(tmp_path / "c.tsv", lines))
    ranking, _ = retrieve_bm25(open_index("small", root=tmp_path), "pharos", depth=5)
    assert ranking.passage_ids == ("1",)


@pytest.mark.parametrize("shard_size", [1, 7, 20, 1000])
def test_the_size_of_shards_changes_no_answer(make: Build, tmp_path: Path, built_root: Path, shard_size: int) -> None:
    make(shard_size=shard_size)
    settings = PipelineSettings(depth=20, rerank_depth=0)
    one, other = (
        open_pipeline("small", reranker="none", root=root).search("rye flour bread", settings)
        for root in (tmp_path, built_root)
    )
    assert one.first_stage["bm25"] == other.first_stage["bm25"]
    assert one.first_stage["dense"].passage_ids == other.first_stage["dense"].passage_ids


def test_both_bm25_back_ends_give_the_same_answers(make: Build, tmp_path: Path) -> None:
    for backend in BACKENDS:
        make(name=backend, bm25=Bm25Settings(backend=backend))
    fast, plain = (
        retrieve_bm25(open_index(name, root=tmp_path), "how does a glacier carve a valley of rock", depth=20)[0]
        for name in BACKENDS
    )
    assert fast.passage_ids == plain.passage_ids
    assert fast.scores == pytest.approx(plain.scores, abs=1e-5)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_kind_of_dense_index_finds_the_nearest_passage(make: Build, tmp_path: Path, preset: str) -> None:
    make(dense=preset)
    pipeline = open_pipeline("small", reranker="none", root=tmp_path)
    trace = pipeline.search(PASSAGES["d2"], PipelineSettings(depth=3, rerank_depth=0, fusion="dense"))
    assert trace.final.passage_ids[0] == "d2"


def test_vectors_stand_in_the_rows_of_their_passages(built_root: Path, bi_encoder: BiEncoder) -> None:
    index = open_index("small", root=built_root)
    stored = VectorStore(index.folder / "vectors").rows(np.arange(20))  # shards of 7, 7 and 6
    computed = np.stack([bi_encoder.encode_query(passage.content) for passage in index.passages])
    assert (stored * computed).sum(axis=1) == pytest.approx(1, abs=5e-3)


def test_the_manifest_says_what_the_index_was_built_from(
    make: Build, tmp_path: Path, small_corpus: Path, bi_encoder: BiEncoder
) -> None:
    manifest = make(bm25=Bm25Settings(k1=1.2, b=0.75), dense="hnsw", shard_size=7)
    assert (manifest.passages, manifest.corpus, manifest.dim) == (20, str(small_corpus), 32)
    assert (manifest.bm25.k1, manifest.bm25.b, manifest.shard_size, manifest.encoded) == (1.2, 0.75, 7, 20)
    assert (manifest.dense.preset, manifest.dense.kind, manifest.dense.reason) == ("hnsw", "HNSW32,Flat", "")
    assert list(manifest.seconds) == ["shards", "ids", "bm25", "dense"]
    assert manifest.bi_encoder_fingerprint == bi_encoder.fingerprint
    folder = current_build("small", root=tmp_path)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(manifest.files) == files - {"manifest.json"}
    assert manifest.bytes == sum((folder / name).stat().st_size for name in manifest.files)


def test_the_manifest_says_what_the_dense_index_is_worth(make: Build, small_corpus: Path, tmp_path: Path) -> None:
    manifest = make(dense="auto")
    quality = manifest.dense.quality
    assert (manifest.dense.preset, manifest.dense.kind, quality.recall, quality.parameters) == ("auto", "Flat", 1.0, "")
    assert "20 vectors" in manifest.dense.reason
    assert (quality.queries, quality.queries_from) == (1, f"train queries of {small_corpus}")  # two, one of them chose
    size = (current_build("small", root=tmp_path) / "dense.faiss").stat().st_size
    assert quality.bytes_per_vector == pytest.approx(size / 20, abs=0.1)


@pytest.mark.parametrize(
    ("dense", "name"), [("hnsw", "efSearch"), ("ivf-pq", "nprobe"), ("pq-fastscan", "k_factor_rf")]
)
def test_an_index_is_opened_with_the_parameters_that_were_chosen(
    make: Build, tmp_path: Path, dense: str, name: str
) -> None:
    parameters = make(dense=dense).dense.quality.parameters
    opened = open_index("small", root=tmp_path).dense
    assert isinstance(opened, DenseIndex)
    assert opened.parameters == parameters
    assert name in parameters


def test_tokens_of_every_passage_are_stored_for_the_re_ranker_that_is_named(
    make: Build, tmp_path: Path, tiny_cross_encoder: Path
) -> None:
    manifest = make(tokenizer=str(tiny_cross_encoder), shard_size=7)
    index, tokenizer = open_index("small", root=tmp_path), PassageTokenizer(str(tiny_cross_encoder))
    assert index.tokens is not None
    expected = tokenizer.encode([passage.content for passage in index.passages])
    assert [index.tokens.ids(row).tolist() for row in range(20)] == [ids.tolist() for ids in expected]
    assert (manifest.tokenizer, manifest.tokenizer_fingerprint) == (str(tiny_cross_encoder), tokenizer.fingerprint)


def test_no_tokens_are_stored_where_no_re_ranker_is_named(small_index: Index) -> None:
    assert (small_index.tokens, small_index.manifest.tokenizer) == (None, "")


def test_a_manifest_reads_back_as_it_was_saved(make: Build, tmp_path: Path) -> None:
    manifest = replace(make(), skipped=("c.tsv:3: no text",))
    manifest.save(tmp_path)
    assert Manifest.load(tmp_path) == manifest


def test_a_manifest_whose_name_is_a_path_is_refused(make: Build, tmp_path: Path) -> None:
    """What is kept for an index lies in folders of its name."""
    replace(make(), name="../../elsewhere").save(tmp_path)
    with pytest.raises(IndexingError, match=r"Index name '\.\./\.\./elsewhere' must be letters"):
        Manifest.load(tmp_path)


def test_the_same_corpus_gives_the_same_files(make: Build, tmp_path: Path) -> None:
    one, two = (make(root=tmp_path / name) for name in ("one", "two"))
    assert one.build != two.build
    assert one.files == two.files
    assert one.corpus_fingerprint == two.corpus_fingerprint
    assert (one.encoded, two.encoded) == (20, 20)


def test_the_same_corpus_again_is_taken_over_from_the_build_before(make: Build) -> None:
    one, two = make(shard_size=7), make(shard_size=7)
    assert (one.encoded, two.encoded) == (20, 0)
    assert one.files == two.files


def test_the_fingerprint_of_a_corpus_does_not_depend_on_shards_or_order(make: Build, tmp_path: Path) -> None:
    lines = [f"{key}\t{text}" for key, text in PASSAGES.items()]
    turned = make(write_lines(tmp_path / "turned.tsv", lines[::-1]), shard_size=3)
    other = make(write_lines(tmp_path / "other.tsv", [*lines[:-1], lines[-1] + " more"]))
    assert turned.corpus_fingerprint == make().corpus_fingerprint != other.corpus_fingerprint


def test_a_build_takes_a_bi_encoder_that_is_loaded(small_corpus: Path, tmp_path: Path, bi_encoder: BiEncoder) -> None:
    settings = BuildSettings(bi_encoder=bi_encoder.name)
    manifest = build(Corpus(small_corpus), name="x", root=tmp_path, settings=settings, encoder=bi_encoder)
    assert manifest.bi_encoder_fingerprint == bi_encoder.fingerprint


def test_progress_counts_every_passage_in_every_phase(
    tiny_bi_encoder: Path, small_corpus: Path, tmp_path: Path
) -> None:
    counted: dict[str, int] = {}

    def progress(phase: str, passages: int, _: int) -> None:
        counted[phase] = counted.get(phase, 0) + passages

    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder), shard_size=6)
    build(Corpus(small_corpus), name="small", root=tmp_path, settings=settings, progress=progress)
    assert counted == dict.fromkeys(["read", "encode", "ids", "bm25", "dense", "recall"], 20)


def test_a_new_build_takes_over_and_the_old_one_stays(own_root: Path, make: Build) -> None:
    before = current_build("small", root=own_root)
    manifest = make(root=own_root)
    assert current_build("small", root=own_root).name == manifest.build != before.name
    assert set(build_folders(own_root / "small")) == {before.name, manifest.build}


def test_an_index_in_use_goes_on_while_a_new_one_is_built(own_root: Path, make: Build, bi_encoder: BiEncoder) -> None:
    pipeline = RetrieveAndRerank(open_index("small", root=own_root), bi_encoder, None)
    before = pipeline.search("rye bread", PipelineSettings()).final
    make(root=own_root)
    assert pipeline.search("rye bread", PipelineSettings()).final == before


def left_behind(root: Path) -> list[Path]:
    """Everything in the folder of an index but its build and its pointer."""
    build_id = (root / "small/current").read_text().strip()
    return [path for path in (root / "small").iterdir() if path.name not in (build_id, "current")]


@pytest.mark.parametrize(
    ("phase", "error"),
    [
        *((phase, KeyboardInterrupt) for phase in ("read", "encode", "ids", "bm25", "dense", "recall")),
        ("encode", MemoryError),
    ],
)
def test_a_build_that_is_stopped_leaves_the_old_index_serving(
    own_root: Path, small_corpus: Path, tiny_bi_encoder: Path, phase: str, error: type[BaseException], tmp_path: Path
) -> None:
    before = current_build("small", root=own_root)
    lines = (small_corpus / "collection.tsv").read_text(encoding="utf-8").splitlines()
    corpus = Corpus(write_lines(tmp_path / "c.tsv", [f"x{line}" for line in lines]))  # shares no shard with the old one
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder), shard_size=7)
    done = 0

    def stop(at: str, passages: int, _: int) -> None:
        nonlocal done
        done += passages if at == phase else 0
        if done > (7 if phase in ("read", "encode") else 0):  # in the second shard
            raise error

    with pytest.raises(error):
        build(corpus, name="small", root=own_root, settings=settings, progress=stop)
    assert current_build("small", root=own_root) == before
    assert list(build_folders(own_root / "small").values()) == [before]
    assert [path.name.startswith(".unfinished-") for path in left_behind(own_root)] == [True]
    assert len(open_index("small", root=own_root).passages) == 20
    again = build(corpus, name="small", root=own_root, settings=settings)
    assert again.encoded == (20 - 7 if phase in ("read", "encode") else 0)
    assert left_behind(own_root) == [before]


def test_a_first_build_that_is_stopped_leaves_no_index(make_stopped: Callable[[str], None], tmp_path: Path) -> None:
    make_stopped("dense")
    assert index_names(tmp_path) == []
    assert build_folders(tmp_path / "small") == {}
    make_stopped("read")  # the shards of before are still there
    assert index_names(tmp_path) == []


def test_a_first_build_that_is_stopped_in_its_first_shard_leaves_nothing(
    make_stopped: Callable[[str], None], tmp_path: Path
) -> None:
    make_stopped("encode")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def make_stopped(tmp_path: Path, small_corpus: Path, tiny_bi_encoder: Path) -> Callable[[str], None]:
    """Stops a build of the small corpus when it first tells of a phase."""

    def made(phase: str) -> None:
        def stop(at: str, *_: int) -> None:
            if at == phase:
                raise KeyboardInterrupt

        settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
        with pytest.raises(KeyboardInterrupt):
            build(Corpus(small_corpus), name="small", root=tmp_path, settings=settings, progress=stop)

    return made


def test_a_corpus_with_a_bad_line_builds_nothing(make: Build, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\tThe cat sat.", "no tab here"])
    with pytest.raises(CorpusError, match=f"{path}:2"):
        make(path)
    assert index_names(tmp_path) == []
    assert not (tmp_path / "small").exists()


def test_a_corpus_with_a_bad_line_after_a_shard_keeps_that_shard_for_when_it_is_mended(
    make: Build, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\tThe cat sat.", "2\tThe dog ran.", "no tab here"])
    with pytest.raises(CorpusError, match=f"{path}:3"):
        make(path, shard_size=2)
    write_lines(path, ["1\tThe cat sat.", "2\tThe dog ran.", "3\tno tab here"])
    assert make(path, shard_size=2).encoded == 1


def test_bad_lines_that_are_left_out_are_in_the_manifest(tiny_bi_encoder: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\tThe cat sat.", "no tab here", "2\tThe dog ran."])
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    corpus = Corpus(path, skip_bad_lines=True)
    manifest = build(corpus, name="small", root=tmp_path, settings=settings)
    assert manifest.passages == 2
    assert [fault.split(": ")[0] for fault in manifest.skipped] == [f"{path}:2"]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_an_empty_corpus_builds_nothing(make: Build, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.tsv").write_bytes(content)
    with pytest.raises(CorpusError, match=r"c\.tsv"):
        make(tmp_path / "c.tsv")
    assert index_names(tmp_path) == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_corpus_of_nothing_but_stop_words_can_be_searched(make: Build, tmp_path: Path, backend: str) -> None:
    make(
        write_lines(tmp_path / "c.tsv", ["1\tTo be or not to be.", "2\tThat is it."]),
        bm25=Bm25Settings(backend=backend),
    )
    trace = open_pipeline("small", reranker="none", root=tmp_path).search("to be a bee", PipelineSettings())
    assert (len(trace.first_stage["bm25"]), len(trace.final)) == (0, 2)


def test_a_corpus_of_one_passage_can_be_searched(make: Build, tmp_path: Path) -> None:
    make(write_lines(tmp_path / "c.tsv", ["1\tThe cat sat."]))
    trace = open_pipeline("small", reranker="none", root=tmp_path).search("cat", PipelineSettings())
    assert trace.final.passage_ids == ("1",)


@pytest.mark.parametrize(("kind", "encoded"), [("flattest", 0), ("IVF64,Flat", 20)])
def test_a_dense_index_that_cannot_be_made_builds_nothing(make: Build, tmp_path: Path, kind: str, encoded: int) -> None:
    with pytest.raises(SettingsError, match=kind):
        make(dense=kind)  # an unknown kind is refused before anything is encoded, one for more vectors after that
    assert index_names(tmp_path) == []
    assert make().encoded == 20 - encoded  # with a kind that can be made, nothing is encoded again


def test_a_bi_encoder_that_cannot_be_loaded_builds_nothing(small_corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    settings = BuildSettings(bi_encoder=str(tmp_path / "empty"))
    with pytest.raises(ModelError, match="empty"):
        build(Corpus(small_corpus), name="small", root=tmp_path, settings=settings)
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize("name", ["../x", "a/b", ""])
def test_a_name_that_is_no_folder_name_builds_nothing(make: Build, tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="letters"):
        make(root=tmp_path / "root", name=name)
    assert not (tmp_path / "root").exists()
    assert not (tmp_path / "x").exists()


def test_an_index_holds_no_pickle(built_root: Path) -> None:
    folder = current_build("small", root=built_root)
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} <= {".json", ".arrow", ".npy", ".faiss"}


def test_every_file_of_an_index_has_a_checksum(built_root: Path) -> None:
    values = json.loads((current_build("small", root=built_root) / "manifest.json").read_text())
    assert all(len(row["sha256"]) == 64 and row["bytes"] > 0 for row in values["files"].values())
