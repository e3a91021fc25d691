"""A bi-encoder gives unit vectors or one sentence on why not."""

import json
import multiprocessing
import os
import random
import shutil
import time
from multiprocessing import resource_tracker, spawn
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer

from indexing import precision
from indexing.dense.encoder import BiEncoder
from indexing.dense.fast import load_fast
from indexing.errors import HubError, ModelError
from indexing.names import DEFAULT_BI_ENCODER
from indexing.pretrained import bundled_path, weights_fingerprint
from tests.support.fakes import Reports
from tests.support.tiny_models import DIM

TEXTS = ["The cat sat on the mat.", "Dogs run.", "Bread rises by yeast, slowly, over a night in a cool place."]


def test_passages_become_vectors_of_unit_length(bi_encoder: BiEncoder) -> None:
    vectors = bi_encoder.encode_passages(TEXTS)
    assert vectors.shape == (3, DIM)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_vectors_are_float32(bi_encoder: BiEncoder) -> None:
    assert {bi_encoder.encode_passages(TEXTS).dtype, bi_encoder.encode_query("cat").dtype} == {np.dtype(np.float32)}


def test_a_query_becomes_one_vector_of_unit_length(bi_encoder: BiEncoder) -> None:
    vector = bi_encoder.encode_query("where does the cat sit")
    assert vector.shape == (DIM,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_dim_is_the_length_of_a_vector(bi_encoder: BiEncoder) -> None:
    assert bi_encoder.dim == DIM


@pytest.mark.usefixtures("in_float32")
def test_a_vector_does_not_depend_on_its_neighbours(tiny_bi_encoder: Path) -> None:
    loaded = BiEncoder(str(tiny_bi_encoder))
    assert loaded.encode_passages(TEXTS)[1] == pytest.approx(loaded.encode_passages(TEXTS[1:2])[0], abs=1e-5)


def test_the_faster_format_gives_nearly_the_same_vectors(
    tiny_bi_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "fastest_dtype", lambda on: torch.bfloat16)
    loaded = BiEncoder(str(tiny_bi_encoder))
    exact = np.stack([loaded.encode_query(text) for text in TEXTS])  # always float32
    assert (loaded.encode_passages(TEXTS) * exact).sum(axis=1) == pytest.approx(1, abs=5e-3)


def test_queries_become_the_vectors_that_they_become_alone(bi_encoder: BiEncoder) -> None:
    together = bi_encoder.encode_queries(TEXTS)
    assert (together.shape, together.dtype) == ((3, DIM), np.dtype(np.float32))
    assert together == pytest.approx(np.stack([bi_encoder.encode_query(text) for text in TEXTS]), abs=1e-6)


def mixed_texts() -> list[str]:
    """70 texts of 1 to 300 words, so in batches of every size, in no order of length; the model reads 128 tokens."""
    rng = random.Random(1)
    words = ["bee", "honey", "hive", "lamp", "ship", "lens", "bread", "dough", "yeast", "glacier", "moraine", "ice"]
    lengths = [1, 1, 1, 300, 2, 127, 126, 125, *(rng.randint(1, 40) for _ in range(60)), 200, 3]
    return [" ".join(rng.choices(words, k=length)) for length in lengths]


@pytest.mark.usefixtures("in_float32")
def test_texts_of_mixed_lengths_become_the_vectors_that_they_become_alone(tiny_bi_encoder: Path) -> None:
    loaded, texts, counted = BiEncoder(str(tiny_bi_encoder)), mixed_texts(), Reports()
    together = loaded.encode_passages(texts, progress=counted)
    assert together == pytest.approx(np.stack([loaded.encode_query(text) for text in texts]), abs=1e-5)
    assert sum(counted.counts) == 70
    assert len(counted.counts) > 3  # several batches, each told of


@pytest.mark.usefixtures("in_float32")
def test_each_token_has_a_vector_whatever_texts_stand_beside_it(tiny_bi_encoder: Path) -> None:
    loaded, texts = BiEncoder(str(tiny_bi_encoder)), mixed_texts()
    together = loaded.encode_tokens(texts)
    words = Tokenizer.from_file(str(tiny_bi_encoder / "tokenizer.json"))
    words.no_truncation()
    words.no_padding()
    assert [len(tokens) for tokens in together] == [min(len(words.encode(text).ids), 128) for text in texts]
    assert max(map(len, together)) == 128
    for text, tokens in zip(texts[:8], together, strict=False):
        assert tokens == pytest.approx(loaded.encode_tokens([text])[0], abs=1e-5)
        assert np.linalg.norm(tokens, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_model_of_single_words_has_no_vectors_of_tokens(tiny_bi_encoder: Path, tmp_path: Path) -> None:
    words = Tokenizer.from_file(str(tiny_bi_encoder / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(words, embedding_dim=8)]).save_pretrained(str(tmp_path / "static"))
    with pytest.raises(ModelError, match="static is no transformer"):
        BiEncoder(str(tmp_path / "static")).encode_tokens(["bee"])


def test_texts_that_are_longer_than_the_model_reads_are_known(bi_encoder: BiEncoder) -> None:
    most = max(map(len, bi_encoder.encode_tokens(["sea " * 600])))  # [CLS], [SEP] and most - 2 tokens
    texts = ["sea", "sea " * (most - 2), "sea " * (most - 1), "sea " * 100_000]
    assert bi_encoder.cuts(texts) == [False, False, True, True]
    assert [len(tokens) for tokens in bi_encoder.encode_tokens(texts)] == [3, most, most, most]
    assert bi_encoder.cuts([]) == []
    assert [bi_encoder.query_cut(text) for text in texts[:2]] == [None, None]
    assert [bi_encoder.query_cut(text) for text in texts[2:]] == [(most - 2, most - 1), (most - 2, 100_000)]


def test_a_prompt_for_queries_leaves_fewer_tokens_to_the_query(tiny_bi_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "prompted"
    shutil.copytree(tiny_bi_encoder, folder)
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prompts": {"query": "the city of "}}))
    loaded = BiEncoder(str(folder))
    assert loaded.query_cut("sea " * (128 - 2 - 3)) is None
    assert loaded.query_cut("sea " * (128 - 2 - 3 + 1)) == (128 - 2 - 3, 128 - 2 - 3 + 1)


def test_more_texts_of_one_length_than_a_batch_holds_are_all_encoded(
    bi_encoder: BiEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexing.dense.encoder.BATCHES", 1)
    monkeypatch.setattr("indexing.dense.encoder.TOKEN_BUDGET", {"cpu": 32, "cuda": 32})  # 4 texts of 8 tokens
    words = ("sea", "city", "house", "water", "music", "road", "river", "church", "park", "day")
    counted = Reports()
    vectors = bi_encoder.encode_passages([f"a word about the {word}" for word in words], progress=counted)
    assert sorted(counted.counts) == [2, 4, 4]
    assert (vectors @ vectors.T).argmax(axis=1).tolist() == list(range(10))  # each is nearest to itself


def test_long_and_short_texts_take_turns(bi_encoder: BiEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexing.dense.encoder.BATCHES", 1)
    monkeypatch.setattr("indexing.dense.encoder.TOKEN_BUDGET", {"cpu": 96, "cuda": 96})  # 12 short texts, or one long
    counted = Reports()
    bi_encoder.encode_passages(["bee"] * 240 + ["bee " * 90] * 20, progress=counted)
    assert sorted(counted.counts) == [1] * 20 + [12] * 20
    assert 5 <= counted.counts[:20].count(1) <= 15  # neither kind is left for the end


def test_no_texts_become_no_vectors(bi_encoder: BiEncoder) -> None:
    counted = Reports()
    assert bi_encoder.encode_passages([], progress=counted).shape == (0, DIM)
    assert counted.counts == []


@pytest.mark.usefixtures("in_float32")
def test_workers_give_the_vectors_that_one_process_does(tiny_bi_encoder: Path) -> None:
    texts, counted = mixed_texts(), Reports()
    alone = BiEncoder(str(tiny_bi_encoder)).encode_passages(texts)
    loaded = BiEncoder(str(tiny_bi_encoder), workers=("cpu", "cpu"))
    before = os.environ.get("OMP_NUM_THREADS")
    try:
        assert loaded.encode_passages(texts, progress=counted) == pytest.approx(alone, abs=1e-5)
        assert sum(counted.counts) == 70
        assert len(multiprocessing.active_children()) == 2
    finally:
        loaded.close()
    assert multiprocessing.active_children() == []
    assert os.environ.get("OMP_NUM_THREADS") == before
    loaded.close()  # a second time, nothing is left to close


def test_workers_that_die_at_their_start_are_told_in_one_line(
    tiny_bi_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = BiEncoder(str(tiny_bi_encoder), workers=("cpu", "cpu"))
    resource_tracker.ensure_running()  # with Python, before that is another program
    monkeypatch.setattr(spawn, "_python_exe", os.fsencode(shutil.which("false") or ""))
    lost = r"lost the worker on cpu \(it ended with exit code 1\) and the worker on cpu \(it ended with exit code 1\); "
    with pytest.raises(ModelError, match=lost) as caught:
        loaded.encode_passages(TEXTS)
    assert "\n" not in str(caught.value)
    assert multiprocessing.active_children() == []


def test_what_a_worker_is_started_with_fits_into_a_pipe() -> None:
    # who writes more would wait for ever for a process that died before it read
    fast = load_fast(bundled_path(DEFAULT_BI_ENCODER), "cpu", torch.float32)
    assert len(ForkingPickler.dumps(fast)) < 4096


def test_one_worker_is_this_process(tiny_bi_encoder: Path) -> None:
    loaded = BiEncoder(str(tiny_bi_encoder), workers=("cpu",))
    loaded.encode_passages(TEXTS)
    assert multiprocessing.active_children() == []
    loaded.close()


def broken_copy(model: Path, folder: Path, *, value: float) -> Path:
    """A copy of a model in which every weight is `value`."""
    shutil.copytree(model, folder)
    weights = load_file(folder / "model.safetensors")
    broken = {name: torch.full_like(tensor, value) for name, tensor in weights.items()}
    save_file(broken, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_weights_that_are_no_numbers_are_refused(tiny_bi_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="weight that isn't a finite number"):
        BiEncoder(str(broken_copy(tiny_bi_encoder, tmp_path / "broken", value=float("nan"))))


def test_a_vector_without_a_length_is_refused_with_its_text(tiny_bi_encoder: Path, tmp_path: Path) -> None:
    loaded = BiEncoder(str(broken_copy(tiny_bi_encoder, tmp_path / "broken", value=0.0)))
    with pytest.raises(ModelError, match="The cat sat"):
        loaded.encode_passages(TEXTS[:1])


def test_the_same_weights_have_the_same_fingerprint(tiny_bi_encoder: Path, bi_encoder: BiEncoder) -> None:
    assert BiEncoder(str(tiny_bi_encoder)).fingerprint == bi_encoder.fingerprint


def test_the_fingerprint_changes_with_one_weight() -> None:
    weights = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    changed = weights.clone()
    changed[1, 2] += 1e-6
    assert weights_fingerprint([("w", weights)]) != weights_fingerprint([("w", changed)])


def test_the_fingerprint_changes_with_a_shape() -> None:
    weights = torch.arange(6, dtype=torch.float32)
    assert weights_fingerprint([("w", weights.reshape(2, 3))]) != weights_fingerprint([("w", weights.reshape(3, 2))])


def test_the_default_model_is_the_folder_of_its_package() -> None:
    assert (Path(bundled_path(DEFAULT_BI_ENCODER)) / "model.safetensors").is_file()


def test_another_name_is_left_as_it_is() -> None:
    assert bundled_path("intfloat/e5-small-v2") == "intfloat/e5-small-v2"


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)) as caught:
        BiEncoder(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_model_that_the_hub_does_not_give_is_told_quickly_in_one_line() -> None:
    start = time.monotonic()
    with pytest.raises(HubError, match="no-such/model") as caught:
        BiEncoder("no-such/model")
    assert time.monotonic() - start < 10
    assert "\n" not in str(caught.value)
