"""FAISS gives the nearest rows, and never a row that isn't there; `auto` picks a kind by size and memory."""

from pathlib import Path

import numpy as np
import pytest

from indexing.dense import faiss_index
from indexing.dense.faiss_index import (
    EXACT_UP_TO,
    KNOBS,
    SCAN_UP_TO,
    DenseIndex,
    check_kind,
    choose,
    factory_string,
    gpus,
    probe,
)
from indexing.dense.settings import PRESETS
from indexing.dense.vectors import VectorStore
from indexing.errors import IndexingError, ModelError, SettingsError
from indexing.records import Floats
from tests.support.fakes import Reports

DIM = 8
GB = 10**9


def unit_vectors(count: int, *, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)  # as they are stored


def store(folder: Path, *shards: Floats) -> VectorStore:
    folder.mkdir(exist_ok=True)
    for number, vectors in enumerate(shards):
        np.save(folder / f"{number:05}.npy", vectors.astype(np.float16))
    return VectorStore(folder)


def flat(folder: Path, vectors: Floats) -> DenseIndex:
    return DenseIndex.build(store(folder, vectors), kind="Flat")


def kind_of(preset: str, *, passages: int) -> str:
    return factory_string("flat" if preset == "auto" else preset, dim=DIM, passages=passages)


def test_scores_are_cosines_best_first(tmp_path: Path) -> None:
    vectors = unit_vectors(50)
    rows, scores = flat(tmp_path, vectors).search(vectors[7], depth=5)
    cosines = vectors @ vectors[7]
    assert rows.tolist() == np.argsort(-cosines)[:5].tolist()
    assert scores == pytest.approx(np.sort(cosines)[::-1][:5], abs=1e-6)


def test_rows_count_on_from_shard_to_shard(tmp_path: Path) -> None:
    vectors = unit_vectors(30)
    rows, _ = DenseIndex.build(store(tmp_path, vectors[:10], vectors[10:]), kind="Flat").search(vectors[25], depth=1)
    assert rows.tolist() == [25]


def test_vectors_are_added_block_by_block_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "BLOCK", 8)
    vectors = unit_vectors(30)
    counted = Reports()
    index = DenseIndex.build(store(tmp_path, vectors[:3], vectors[3:]), kind="Flat", progress=counted)
    assert counted.counts == [8, 8, 8, 6]  # 30 -> 15 -> 8, which is the first that isn't above 8
    assert [index.search(vector, depth=1)[0].tolist() for vector in vectors] == [[row] for row in range(30)]


@pytest.mark.parametrize("preset", PRESETS)
def test_asking_for_more_than_there_is_gives_each_row_once(tmp_path: Path, preset: str) -> None:
    index = DenseIndex.build(store(tmp_path, unit_vectors(20)), kind=kind_of(preset, passages=20))
    rows, scores = index.search(unit_vectors(1)[0], depth=100)
    assert (len(index), sorted(rows.tolist())) == (20, list(range(20)))
    assert scores.shape == (20,)


def test_rows_that_faiss_did_not_find_are_left_out(tmp_path: Path) -> None:
    # 4 clusters of which one is looked at: FAISS fills the other places with -1
    index = DenseIndex.build(store(tmp_path, unit_vectors(160)), kind="IVF4,Flat")
    rows, scores = index.search(unit_vectors(1, seed=1)[0], depth=160)
    assert 0 < len(rows) < 160
    assert (rows >= 0).all()
    assert len(scores) == len(rows)


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if preset != "hnsw"])
def test_the_same_vectors_give_the_same_bytes_except_in_a_graph(tmp_path: Path, preset: str) -> None:
    # FAISS links a graph in whatever order its threads come
    vectors = store(tmp_path / "vectors", unit_vectors(200))
    for name in ("one", "two"):
        DenseIndex.build(vectors, kind=kind_of(preset, passages=200)).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_saved_index_finds_the_same(tmp_path: Path) -> None:
    index = flat(tmp_path, unit_vectors(40))
    index.save(tmp_path / "dense.faiss")
    opened = DenseIndex.open(tmp_path / "dense.faiss")
    assert len(opened) == 40
    assert (
        opened.search(unit_vectors(1)[0], depth=9)[0].tolist() == index.search(unit_vectors(1)[0], depth=9)[0].tolist()
    )


def test_a_file_that_is_no_index_is_named(tmp_path: Path) -> None:
    (tmp_path / "dense.faiss").write_bytes(b"nonsense")
    with pytest.raises(IndexingError, match=r"dense\.faiss"):
        DenseIndex.open(tmp_path / "dense.faiss")


@pytest.mark.parametrize("kind", ["flattest", "PQ3x4fs", ""])
def test_an_unknown_kind_is_refused_with_those_known(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SettingsError, match="auto, flat, sq8, pq-fastscan, ivf-pq, hnsw") as caught:
        DenseIndex.build(store(tmp_path, unit_vectors(5)), kind=kind)
    assert repr(kind) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_kind_that_cannot_be_trained_on_so_few_passages_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="IVF64,Flat"):
        DenseIndex.build(store(tmp_path, unit_vectors(5)), kind="IVF64,Flat")


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_vector_without_a_cosine_is_refused_at_build(tmp_path: Path, value: float) -> None:
    vectors = unit_vectors(5)
    vectors[3] = value
    with pytest.raises(ModelError, match="Vector 3 of 5"):
        flat(tmp_path, vectors)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_vector_without_a_cosine_is_refused_at_a_query(tmp_path: Path, value: float) -> None:
    with pytest.raises(ModelError, match="length"):
        flat(tmp_path, unit_vectors(5)).search(np.full(DIM, value, dtype=np.float32), depth=3)


@pytest.mark.parametrize(
    ("preset", "kind"),
    [
        ("flat", "Flat"),
        ("sq8", "SQ8"),
        ("pq-fastscan", "PQ96x4fs,Refine(SQ8)"),  # 384 / 4
        ("ivf-pq", "IVF4000,PQ96x4fs,Refine(SQ8)"),  # 4 * sqrt(1,000,000)
        ("hnsw", "HNSW32,Flat"),
        ("OPQ16,IVF64,PQ16", "OPQ16,IVF64,PQ16"),
    ],
)
def test_a_preset_is_a_factory_string(preset: str, kind: str) -> None:
    assert factory_string(preset, dim=384, passages=1_000_000) == kind


@pytest.mark.parametrize(
    ("passages", "clusters"),
    [(0, 1), (1, 1), (77, 1), (78, 2), (24_336, 624), (24_337, 624), (250_000, 2000)],
    # n // 39 up to where it is 4 * sqrt(n): n = (4 * 39)^2 = 24,336
)
def test_clusters_are_as_many_as_can_be_trained_and_are_worth_it(passages: int, clusters: int) -> None:
    assert factory_string("ivf-pq", dim=8, passages=passages) == f"IVF{clusters},PQ2x4fs,Refine(SQ8)"


@pytest.mark.parametrize(
    ("passages", "dim", "memory", "preset"),
    [
        (1, 384, 8 * GB, "flat"),
        (EXACT_UP_TO, 384, 8 * GB, "flat"),  # 77 MB
        (EXACT_UP_TO, 384, 100_000_000, "pq-fastscan"),  # 77 MB is over half of it, 22 MB isn't
        (EXACT_UP_TO, 384, 40_000_000, "ivf-pq"),  # 22 MB is over half too
        (EXACT_UP_TO + 1, 384, 8 * GB, "pq-fastscan"),
        (SCAN_UP_TO, 384, 8 * GB, "pq-fastscan"),  # 864 MB
        (SCAN_UP_TO + 1, 384, 8 * GB, "ivf-pq"),
        (SCAN_UP_TO, 384, GB, "ivf-pq"),
        (SCAN_UP_TO, 50, 8 * GB, "sq8"),  # 50 isn't a multiple of 4
        (1000, 50, 8 * GB, "flat"),
    ],
)
def test_auto_takes_the_kind_for_the_size(passages: int, dim: int, memory: int, preset: str) -> None:
    choice = choose(passages, dim=dim, memory=memory)
    assert choice.preset == preset
    assert choice.reason


def test_on_a_gpu_auto_compares_every_vector_while_half_the_memory_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "gpus", lambda: 1)
    # 2 bytes * 384 * 8.8 million are 6.8 GB
    assert choose(8_841_823, dim=384, memory=14 * GB).preset == "flat"
    assert choose(8_841_823, dim=384, memory=13 * GB).preset == "ivf-pq"


@pytest.fixture
def clusters(tmp_path: Path) -> tuple[DenseIndex, Floats]:
    """An index of 10 clusters, and its 400 vectors."""
    vectors = unit_vectors(400)
    return DenseIndex.build(store(tmp_path, vectors), kind="IVF10,Flat"), vectors


@pytest.mark.parametrize(
    ("kind", "knobs"),
    [
        ("Flat", []),
        ("SQ8", []),
        ("HNSW32,Flat", ["efSearch"]),
        ("PQ2x4fs,Refine(SQ8)", ["k_factor_rf"]),
        ("IVF2,Flat", ["nprobe"]),
        ("IVF2,PQ2x4fs,Refine(SQ8)", ["nprobe", "k_factor_rf"]),
    ],
)
def test_knobs_are_the_parameters_that_the_kind_has(tmp_path: Path, kind: str, knobs: list[str]) -> None:
    index = DenseIndex.build(store(tmp_path, unit_vectors(100)), kind=kind)
    assert index.knobs() == {name: KNOBS[name] for name in knobs}
    assert index.parameters == ""


def test_more_clusters_find_more_and_all_find_all(clusters: tuple[DenseIndex, Floats]) -> None:
    index, vectors = clusters
    found = []
    for probes in (1, 4, 10):
        index.set(f"nprobe={probes}")
        found.append(len(index.search(vectors[0], depth=400)[0]))
    assert found[0] < found[1] < found[2] == 400
    assert index.parameters == "nprobe=10"


def test_asking_for_knobs_leaves_the_parameters_as_they_are(clusters: tuple[DenseIndex, Floats]) -> None:
    index, vectors = clusters
    for parameters in ("", "nprobe=4"):
        index.set(parameters)
        before = index.search(vectors[0], depth=400)[0].tolist()
        index.knobs()
        assert index.search(vectors[0], depth=400)[0].tolist() == before
        assert index.parameters == parameters


def test_an_index_is_opened_with_its_parameters(clusters: tuple[DenseIndex, Floats], tmp_path: Path) -> None:
    index, vectors = clusters
    index.save(tmp_path / "dense.faiss")
    opened = DenseIndex.open(tmp_path / "dense.faiss", parameters="nprobe=10")
    assert opened.parameters == "nprobe=10"
    assert len(opened.search(vectors[0], depth=400)[0]) == 400


def test_an_index_that_has_no_such_parameter_is_named(tmp_path: Path) -> None:
    flat(tmp_path, unit_vectors(4)).save(tmp_path / "dense.faiss")
    with pytest.raises(IndexingError, match=r"dense\.faiss"):
        DenseIndex.open(tmp_path / "dense.faiss", parameters="nprobe=4")


@pytest.mark.skipif(gpus() > 0, reason="FAISS can use a GPU here")
def test_without_a_gpu_an_index_stays_where_it_is(tmp_path: Path) -> None:
    index = flat(tmp_path, unit_vectors(4))
    assert index.to_gpus() is index


@pytest.mark.parametrize(
    ("preset", "size"),
    [("flat", 4 * 32), ("sq8", 32), ("pq-fastscan", 32 / 8 + 32), ("ivf-pq", 32 / 8 + 8 + 32)],
    # 4 bits for every 4 dimensions, a byte a dimension to refine, 8 bytes of number in a cluster
)
def test_a_probe_measures_bytes_and_seconds_of_one_more_vector(preset: str, size: float) -> None:
    measured, seconds = probe(preset, dim=32)
    assert measured == pytest.approx(size, rel=0.1)
    assert 0 < seconds < 1e-2


@pytest.mark.parametrize(("preset", "dim"), [("flattest", 32), ("pq-fastscan", 50), ("IVF65536,Flat", 32)])
def test_a_kind_that_cannot_be_probed_is_refused_in_a_sentence(preset: str, dim: int) -> None:
    with pytest.raises(SettingsError, match="FAISS can't make"):
        probe(preset, dim=dim)


def test_an_unknown_kind_is_refused_without_the_place_in_faiss_code() -> None:
    with pytest.raises(SettingsError) as caught:
        check_kind("nosuch", dim=DIM)
    assert str(caught.value) == (
        "FAISS can't make the index 'nosuch' of vectors of 8 dimensions (could not parse index string nosuch); choose "
        "auto, flat, sq8, pq-fastscan, ivf-pq, hnsw or another index_factory string."
    )


@pytest.mark.parametrize("preset", [*PRESETS, "IVF64,Flat"])
def test_presets_and_factory_strings_are_kinds(preset: str) -> None:
    check_kind(preset, dim=DIM)  # raises nothing
