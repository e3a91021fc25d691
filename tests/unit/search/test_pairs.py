"""Pairs are cut in one place and in one way: the passage gives way, the query stays."""

import random

import pytest
from transformers import PreTrainedTokenizerBase

from search.pairs import QUERY_TOKENS, EncodedPairs, encode_pairs
from tests.tiny_models import tokenizer

QUERY = "who built the first lighthouse"
SHORT = "The first lighthouse stood at Alexandria."
LONG = " ".join(f"stone{number} of the tower" for number in range(400))


@pytest.fixture(scope="module")
def words() -> PreTrainedTokenizerBase:
    return tokenizer()


def parts(words: PreTrainedTokenizerBase, pairs: EncodedPairs, row: int) -> tuple[str, str]:
    """Query and passage as they went in."""
    ids = pairs.ids[row]
    sides = []
    for side in (0, 1):
        kept = [token for token, kind in zip(ids["input_ids"], ids["token_type_ids"], strict=True) if kind == side]
        sides.append(str(words.decode(kept, skip_special_tokens=True)))
    return sides[0], sides[1]


def test_a_pair_that_fits_goes_in_whole(words: PreTrainedTokenizerBase) -> None:
    pairs = encode_pairs(words, [QUERY], [SHORT], max_length=64)
    assert parts(words, pairs, 0) == (QUERY, "the first lighthouse stood at alexandria.")


def test_a_long_passage_is_cut_and_the_query_survives(words: PreTrainedTokenizerBase) -> None:
    pairs = encode_pairs(words, [QUERY], [LONG], max_length=48)
    query, passage = parts(words, pairs, 0)
    assert query == QUERY
    assert LONG.startswith(passage)
    assert len(pairs.ids[0]["input_ids"]) == 48


def test_only_cut_passages_are_marked_as_truncated(words: PreTrainedTokenizerBase) -> None:
    assert encode_pairs(words, [QUERY] * 3, [SHORT, LONG, SHORT], max_length=64).truncated == [False, True, False]


def test_a_passage_that_just_fits_is_not_marked_and_one_token_less_marks_it(words: PreTrainedTokenizerBase) -> None:
    length = len(words(QUERY, SHORT)["input_ids"])
    assert encode_pairs(words, [QUERY], [SHORT], max_length=length).truncated == [False]
    assert encode_pairs(words, [QUERY], [SHORT], max_length=length - 1).truncated == [True]


def test_a_very_long_query_is_cut_to_its_first_tokens(words: PreTrainedTokenizerBase) -> None:
    query = " ".join(f"word{number}" for number in range(300))
    pairs = encode_pairs(words, [query], [SHORT], max_length=512)
    kept, passage = parts(words, pairs, 0)
    assert len(words(kept, add_special_tokens=False)["input_ids"]) == QUERY_TOKENS
    assert query.startswith(kept)
    assert passage == "the first lighthouse stood at alexandria."


def test_in_a_short_input_a_query_takes_half_of_it_at_most(words: PreTrainedTokenizerBase) -> None:
    pairs = encode_pairs(words, ["tower " * 100], ["sea " * 100], max_length=32)
    query, passage = parts(words, pairs, 0)
    assert len(query.split()) == 32 // 2
    assert len(passage.split()) == 32 - 16 - 3  # [CLS], [SEP], [SEP]


def test_a_query_of_just_the_limit_is_whole(words: PreTrainedTokenizerBase) -> None:
    query = " ".join(["tower"] * QUERY_TOKENS)
    assert parts(words, encode_pairs(words, [query], [SHORT], max_length=512), 0)[0] == query


def mixed(words: PreTrainedTokenizerBase) -> EncodedPairs:
    rng = random.Random(5)
    passages = [" ".join(["sea"] * rng.randint(1, 90)) for _ in range(37)]
    return encode_pairs(words, [QUERY] * 37, passages, max_length=128)


@pytest.mark.parametrize("budget", [1, 100, 300, 4096, 100_000])
def test_batches_hold_every_pair_once(words: PreTrainedTokenizerBase, budget: int) -> None:
    rows = [row for batch in mixed(words).batches(words, token_budget=budget) for row in batch.rows]
    assert sorted(rows) == list(range(37))


@pytest.mark.parametrize("budget", [100, 300, 4096])
def test_batches_keep_within_the_budget_with_their_padding(words: PreTrainedTokenizerBase, budget: int) -> None:
    for batch in mixed(words).batches(words, token_budget=budget):
        assert batch.features["input_ids"].numel() <= budget


def test_a_pair_longer_than_the_budget_goes_alone(words: PreTrainedTokenizerBase) -> None:
    assert [len(batch.rows) for batch in mixed(words).batches(words, token_budget=1)] == [1] * 37


def test_batches_are_filled_as_far_as_the_budget_goes(words: PreTrainedTokenizerBase) -> None:
    pairs = encode_pairs(words, [QUERY] * 10, [SHORT] * 10, max_length=64)
    length = len(pairs.ids[0]["input_ids"])
    assert [len(batch.rows) for batch in pairs.batches(words, token_budget=4 * length)] == [4, 4, 2]


def test_padding_stands_on_the_right_and_is_masked(words: PreTrainedTokenizerBase) -> None:
    pairs = encode_pairs(words, [QUERY] * 2, [SHORT, "Sea."], max_length=64)
    (batch,) = pairs.batches(words, token_budget=4096)
    for place, row in enumerate(batch.rows):
        length = len(pairs.ids[row]["input_ids"])
        assert batch.features["input_ids"][place, :length].tolist() == pairs.ids[row]["input_ids"]
        assert batch.features["input_ids"][place, length:].eq(words.pad_token_id).all()
        assert batch.features["attention_mask"][place].tolist() == [1] * length + [0] * (
            batch.features["input_ids"].shape[1] - length
        )


def test_no_pairs_make_no_batches(words: PreTrainedTokenizerBase) -> None:
    assert list(encode_pairs(words, [], [], max_length=64).batches(words, token_budget=100)) == []
