"""A cross-encoder's raw logits come out the same, however its pairs are batched."""

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder
from transformers import BertConfig, BertForSequenceClassification

from indexing.errors import HubError, ModelError
from indexing.store.tokens import PassageTokenizer
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.pair_reranker import TOKEN_BUDGET
from search.rerank.reranker import score_passages
from tests.conftest import PASSAGES, QUERIES
from tests.support.tiny_models import tokenizer

TEXTS = [*PASSAGES.values(), "short", " ".join(PASSAGES.values())]  # the last has over 400 tokens
QUERY = QUERIES["train"]["1"]


@pytest.fixture
def loaded(tiny_cross_encoder: Path, in_float32: None) -> CrossEncoderReranker:
    return CrossEncoderReranker(str(tiny_cross_encoder))


def test_logits_are_those_that_sentence_transformers_gives(
    loaded: CrossEncoderReranker, tiny_cross_encoder: Path
) -> None:
    model = CrossEncoder(str(tiny_cross_encoder), device="cpu")
    expected = model.predict(
        [(QUERY, text) for text in TEXTS], activation_fn=torch.nn.Identity(), show_progress_bar=False
    )
    assert loaded.score(QUERY, TEXTS).logits == pytest.approx(expected, abs=1e-4)
    assert np.ptp(expected) > 0.1  # scores differ, so that agreeing means something


def test_logits_are_float32_one_a_passage(loaded: CrossEncoderReranker) -> None:
    logits = loaded.score(QUERY, TEXTS).logits
    assert (logits.dtype, logits.shape) == (np.dtype(np.float32), (len(TEXTS),))


def test_logits_follow_their_passages_in_whatever_order(loaded: CrossEncoderReranker) -> None:
    order = np.random.default_rng(3).permutation(len(TEXTS))
    straight = loaded.score(QUERY, TEXTS).logits
    mixed = loaded.score(QUERY, [TEXTS[row] for row in order]).logits
    assert mixed == pytest.approx(straight[order], abs=1e-5)


def test_a_passage_scores_the_same_alone_as_among_others(loaded: CrossEncoderReranker) -> None:
    assert loaded.score(QUERY, TEXTS[:1]).logits[0] == pytest.approx(loaded.score(QUERY, TEXTS).logits[0], abs=1e-5)


def test_pairs_of_several_queries_score_as_each_query_alone(loaded: CrossEncoderReranker) -> None:
    queries = list(QUERIES["train"].values())[:2]
    pairs = [(query, text) for text in TEXTS for query in queries]
    logits = loaded.score_pairs([query for query, _ in pairs], [text for _, text in pairs])
    for place, query in enumerate(queries):
        assert logits[place::2] == pytest.approx(loaded.score(query, TEXTS).logits, abs=1e-5)
    assert np.abs(logits[::2] - logits[1::2]).max() > 0.1  # the query counts


def test_no_passages_get_no_scores(loaded: CrossEncoderReranker) -> None:
    assert loaded.score(QUERY, []).logits.shape == (0,)


def test_passages_that_were_cut_are_marked(tiny_cross_encoder: Path) -> None:
    reranker = CrossEncoderReranker(str(tiny_cross_encoder), max_length=64)
    assert reranker.score(QUERY, ["short", TEXTS[-1]]).truncated == (False, True)


def test_a_model_reads_no_more_tokens_than_it_has_positions(tiny_cross_encoder: Path) -> None:
    reranker = CrossEncoderReranker(str(tiny_cross_encoder), max_length=9999)
    assert reranker.max_length == 512
    assert reranker.score(QUERY, ["tower " * 3000]).truncated == (True,)


def test_times_are_reported_by_stage(loaded: CrossEncoderReranker) -> None:
    seconds = loaded.score(QUERY, TEXTS).seconds
    assert list(seconds) == ["tokenize", "re-rank"]
    assert all(value > 0 for value in seconds.values())


def test_a_folder_is_called_by_its_last_name(loaded: CrossEncoderReranker) -> None:
    assert loaded.name == "tiny-cross-encoder"


def refuse_batches(reranker: CrossEncoderReranker, *, over_tokens: int = 10**9, over_pairs: int = 10**9) -> list[int]:
    """Make the model run out of memory on large batches, as a GPU does; gives back sizes that it took."""
    sizes: list[int] = []

    def hook(module: torch.nn.Module, inputs: tuple[dict[str, torch.Tensor]]) -> None:
        ids = inputs[0]["input_ids"]
        if ids.numel() > over_tokens or len(ids) > over_pairs:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        sizes.append(ids.numel())

    reranker._model.register_forward_pre_hook(hook)
    return sizes


def test_where_memory_runs_out_smaller_batches_give_the_same_scores(
    loaded: CrossEncoderReranker, caplog: pytest.LogCaptureFixture
) -> None:
    expected = loaded.score(QUERY, TEXTS * 5).logits
    sizes = refuse_batches(loaded, over_tokens=TOKEN_BUDGET["cpu"] // 2)
    with caplog.at_level(logging.WARNING, logger="search.rerank.cross_encoder"):
        assert loaded.score(QUERY, TEXTS * 5).logits == pytest.approx(expected, abs=1e-5)
    assert max(sizes) <= TOKEN_BUDGET["cpu"] // 2
    assert "GPU memory is full" in caplog.text


def test_memory_for_one_pair_at_a_time_is_enough(loaded: CrossEncoderReranker) -> None:
    expected = loaded.score(QUERY, TEXTS).logits
    refuse_batches(loaded, over_pairs=1)
    assert loaded.score(QUERY, TEXTS).logits == pytest.approx(expected, abs=1e-5)


def test_where_not_even_one_pair_fits_it_says_so(loaded: CrossEncoderReranker) -> None:
    refuse_batches(loaded, over_tokens=0)
    with pytest.raises(ModelError, match="memory is full"):
        loaded.score(QUERY, TEXTS)


def test_a_score_that_is_no_number_is_refused(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_cross_encoder, tmp_path / "broken"))
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"].fill_(float("nan"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="broken"):
        CrossEncoderReranker(str(folder)).score(QUERY, TEXTS)


def test_a_model_of_several_outputs_is_refused(tmp_path: Path) -> None:
    config = BertConfig(
        vocab_size=len(tokenizer()), hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    config.num_labels = 3
    BertForSequenceClassification(config).save_pretrained(tmp_path / "three")
    tokenizer().save_pretrained(tmp_path / "three")
    with pytest.raises(ModelError, match="3 scores"):
        CrossEncoderReranker(str(tmp_path / "three"))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)) as caught:
        CrossEncoderReranker(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_model_that_the_hub_does_not_give_is_reported_in_one_line() -> None:
    with pytest.raises(HubError, match="no-such/model") as caught:
        CrossEncoderReranker("no-such/model")
    assert "\n" not in str(caught.value)


MIXED = [
    *TEXTS,
    "",
    " ",
    "Ça va, Žofie? NAÏVE café",
    "bees 🐝🍯 and 👩‍🚀",
    "灯塔 stands by 海",
    "antidisestablishmentarianism",
    "tower " * 3000,
    "what does [SEP] mean",
]


@pytest.mark.parametrize("max_length", [64, 512])
@pytest.mark.parametrize("query", [QUERY, "café 🐝 海", "tower " * 90])
def test_stored_token_ids_score_to_the_last_bit_as_the_texts_do(
    tiny_cross_encoder: Path, query: str, max_length: int
) -> None:
    reranker = CrossEncoderReranker(str(tiny_cross_encoder), max_length=max_length)
    expected = reranker.score(query, MIXED)
    found = reranker.score_stored(query, PassageTokenizer(str(tiny_cross_encoder)).encode(MIXED))
    assert found.logits.tobytes() == expected.logits.tobytes()
    assert found.truncated == expected.truncated
    assert np.ptp(expected.logits) > 0.1  # scores differ, so that agreeing means something
    assert set(expected.truncated) == {True, False}


def test_where_token_ids_are_stored_they_are_read_and_not_the_text(
    loaded: CrossEncoderReranker, tiny_cross_encoder: Path
) -> None:
    tokens = PassageTokenizer(str(tiny_cross_encoder)).encode(TEXTS[:2])
    found = score_passages(loaded, QUERY, ["another", "text"], tokens=tokens).logits
    assert found.tobytes() == loaded.score(QUERY, TEXTS[:2]).logits.tobytes()
    assert found.tobytes() != loaded.score(QUERY, ["another", "text"]).logits.tobytes()


def test_token_ids_of_another_number_of_passages_are_refused(
    loaded: CrossEncoderReranker, tiny_cross_encoder: Path
) -> None:
    tokens = PassageTokenizer(str(tiny_cross_encoder)).encode(TEXTS[:2])
    with pytest.raises(ModelError, match=r"scores of shape \(2,\) for 3 passages"):
        score_passages(loaded, QUERY, TEXTS[:3], tokens=tokens)


def test_the_fingerprint_is_that_of_the_tokenizer_that_stores_ids(
    loaded: CrossEncoderReranker, tiny_cross_encoder: Path
) -> None:
    expected = PassageTokenizer(str(tiny_cross_encoder)).fingerprint
    assert loaded.tokenizer_fingerprint == expected
    loaded.score(QUERY, TEXTS)  # sets how the tokenizer cuts
    assert loaded.tokenizer_fingerprint == expected


def test_a_re_ranker_that_keeps_a_passages_end_reads_no_stored_ids(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_cross_encoder, tmp_path / "left"))
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"truncation_side": "left"}), encoding="utf-8")
    assert CrossEncoderReranker(str(folder)).tokenizer_fingerprint == ""


@pytest.mark.parametrize(("max_length", "reads"), [(512, True), (513, False)])
def test_a_re_ranker_of_longer_inputs_than_are_stored_reads_no_stored_ids(
    tmp_path: Path, max_length: int, reads: bool
) -> None:
    words = tokenizer()
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=600,
    )
    config.num_labels = 1
    words.model_max_length = 600
    BertForSequenceClassification(config).save_pretrained(tmp_path / "long")
    words.save_pretrained(tmp_path / "long")
    reranker = CrossEncoderReranker(str(tmp_path / "long"), max_length=max_length)
    assert reranker.max_length == max_length
    assert bool(reranker.tokenizer_fingerprint) is reads
