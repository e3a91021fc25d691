"""Pairs are cut in one place and in one way: the passage gives way, the query stays."""

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import ByT5Tokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from indexing.errors import SettingsError
from indexing.store.tokens import PassageTokenizer, TokenIds
from search.rerank.pairs import QUERY_TOKENS, EncodedPairs, encode_pairs, encode_stored, query_cut, reads_stored
from tests.support.tiny_models import tokenizer, tokenizer_folder

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
    cut = query_cut(words, query, max_length=512)
    assert cut == (QUERY_TOKENS, len(words(query, add_special_tokens=False)["input_ids"]))
    assert passage == "the first lighthouse stood at alexandria."


def test_in_a_short_input_a_query_takes_half_of_it_at_most(words: PreTrainedTokenizerBase) -> None:
    pairs = encode_pairs(words, ["tower " * 100], ["sea " * 100], max_length=32)
    query, passage = parts(words, pairs, 0)
    assert len(query.split()) == 32 // 2
    assert query_cut(words, "tower " * 100, max_length=32) == (32 // 2, 100)
    assert len(passage.split()) == 32 - 16 - 3  # [CLS], [SEP], [SEP]


def test_a_query_of_just_the_limit_is_whole(words: PreTrainedTokenizerBase) -> None:
    query = " ".join(["tower"] * QUERY_TOKENS)
    assert parts(words, encode_pairs(words, [query], [SHORT], max_length=512), 0)[0] == query
    assert query_cut(words, query, max_length=512) is None


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


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_what_the_tokenizer_would_do(
    words: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    monkeypatch.setattr(words, "padding_side", side)
    pairs = encode_pairs(words, [QUERY] * 3, [LONG, "Sea.", SHORT], max_length=64)
    (batch,) = pairs.batches(words, token_budget=4096)
    expected = words.pad([pairs.ids[row] for row in batch.rows], return_tensors="pt")
    assert {name: values.tolist() for name, values in batch.features.items()} == {
        name: values.tolist() for name, values in expected.items()
    }
    assert batch.features["input_ids"].dtype == expected["input_ids"].dtype


def test_no_pairs_make_no_batches(words: PreTrainedTokenizerBase) -> None:
    assert list(encode_pairs(words, [], [], max_length=64).batches(words, token_budget=100)) == []


TEXTS = [
    SHORT,
    LONG,
    "",
    " \t ",
    "Žluťoučký kůň à la carte, NAÏVE café",
    "bees 🐝🍯 and 👩‍🚀",
    "灯塔 stands by 海",
    "antidisestablishmentarianism uncharacteristically",
    "qzxwv" * 30,  # over 100 letters in a word: unknown
    "what does [SEP] mean after [MASK] or [CLS]",
    *(" ".join(["sea"] * count) for count in (25, 26, 27, 40, 500, 501, 502, 503, 600)),
]
QUERIES = [QUERY, "", "café 🐝 海", " ".join(["tower"] * QUERY_TOKENS), " ".join(f"word{n}" for n in range(300))]


def stored(folder: Path, texts: list[str]) -> list[TokenIds]:
    return PassageTokenizer(str(folder)).encode(texts)


@pytest.mark.parametrize("max_length", [16, 33, 64, 511, 512])
@pytest.mark.parametrize("query", QUERIES)
def test_stored_ids_make_the_pairs_that_the_texts_make(
    words: PreTrainedTokenizerBase, query: str, max_length: int
) -> None:
    expected = encode_pairs(words, [query] * len(TEXTS), TEXTS, max_length=max_length)
    found = encode_stored(words, query, stored(tokenizer_folder(), TEXTS), max_length=max_length)
    assert found == expected
    assert {*map(tuple, found.ids)} == {*map(tuple, expected.ids)}  # names stand in the same order
    assert set(expected.truncated) == {True, False}


# ids are the words' places here; "a" is what the frame is seen around
VOCABULARY = ["<s>", "</s>", "a", "who", "built", "sea"]


def by_words(folder: Path, *, pair: str, inputs: list[str], truncation_side: str = "right") -> PreTrainedTokenizerBase:
    """A tokenizer of whole words whose pairs look like `pair`."""
    backend = Tokenizer(WordLevel({word: place for place, word in enumerate(VOCABULARY)}, unk_token="a"))
    backend.pre_tokenizer = WhitespaceSplit()
    backend.post_processor = TemplateProcessing(single="$A", pair=pair, special_tokens=[("<s>", 0), ("</s>", 1)])
    made: PreTrainedTokenizerBase = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers' own
        tokenizer_object=backend, model_input_names=inputs, truncation_side=truncation_side
    )
    made.save_pretrained(str(folder))
    return made


def test_the_special_tokens_and_types_are_the_tokenizers_own(tmp_path: Path) -> None:
    names = ["input_ids", "token_type_ids", "attention_mask"]
    odd = by_words(tmp_path, pair="<s>:3 $A:0 </s>:1 <s>:1 $B:2 </s>:4 </s>:5", inputs=names)
    pairs = encode_stored(odd, "who built", stored(tmp_path, ["sea sea", "", "sea sea sea"]), max_length=9)
    assert [row["input_ids"] for row in pairs.ids] == [
        [0, 3, 4, 1, 0, 5, 5, 1, 1],
        [0, 3, 4, 1, 0, 1, 1],
        [0, 3, 4, 1, 0, 5, 5, 1, 1],  # 9 - 5 special - 2 of the query
    ]
    assert [row["token_type_ids"] for row in pairs.ids] == [
        [3, 0, 0, 1, 1, 2, 2, 4, 5],
        [3, 0, 0, 1, 1, 4, 5],
        [3, 0, 0, 1, 1, 2, 2, 4, 5],
    ]
    assert [row["attention_mask"] for row in pairs.ids] == [[1] * 9, [1] * 7, [1] * 9]
    assert pairs.truncated == [False, False, True]
    assert pairs == encode_pairs(odd, ["who built"] * 3, ["sea sea", "", "sea sea sea"], max_length=9)


def test_a_tokenizer_without_token_types_gets_none(tmp_path: Path) -> None:
    plain = by_words(tmp_path, pair="<s> $A </s> </s> $B </s>", inputs=["input_ids", "attention_mask"])
    pairs = encode_stored(plain, "who", stored(tmp_path, ["sea"]), max_length=64)
    assert pairs.ids == [{"input_ids": [0, 3, 1, 1, 5, 1], "attention_mask": [1] * 6}]


def test_a_passage_cut_for_storing_is_distinguished_from_one_that_just_fits(tmp_path: Path) -> None:
    bare = by_words(tmp_path, pair="$A $B", inputs=["input_ids"])
    texts = [" ".join(["sea"] * count) for count in (511, 512, 513, 600)]
    pairs = encode_stored(bare, "", stored(tmp_path, texts), max_length=512)
    assert pairs.truncated == [False, False, True, True]
    assert [len(row["input_ids"]) for row in pairs.ids] == [511, 512, 512, 512]


def test_stored_ids_serve_no_input_longer_than_they_are(words: PreTrainedTokenizerBase) -> None:
    assert reads_stored(words, max_length=512)
    assert not reads_stored(words, max_length=513)
    with pytest.raises(SettingsError, match="at most 512 tokens cut on the right, here 513"):
        encode_stored(words, QUERY, stored(tokenizer_folder(), [SHORT]), max_length=513)


def test_stored_ids_serve_no_tokenizer_that_keeps_a_passages_end(tmp_path: Path) -> None:
    left = by_words(tmp_path, pair="<s> $A </s> $B </s>", inputs=["input_ids"], truncation_side="left")
    assert not reads_stored(left, max_length=64)
    with pytest.raises(SettingsError, match="left"):
        encode_stored(left, "who", stored(tmp_path, ["sea"]), max_length=64)


def test_stored_ids_serve_no_tokenizer_without_a_fast_form() -> None:
    assert not reads_stored(ByT5Tokenizer(), max_length=64)


def test_a_query_that_leaves_no_room_for_a_passage_is_refused(words: PreTrainedTokenizerBase) -> None:
    passages = stored(tokenizer_folder(), ["sea"])
    # [CLS] tower tower [SEP] sea [SEP] is 6; of 5 the query takes 5 // 2
    assert len(encode_stored(words, "tower tower", passages, max_length=6).ids[0]["input_ids"]) == 6
    with pytest.raises(SettingsError, match="5 tokens"):
        encode_stored(words, "tower tower", passages, max_length=5)


def test_no_stored_passages_make_no_pairs(words: PreTrainedTokenizerBase) -> None:
    assert encode_stored(words, QUERY, [], max_length=64) == EncodedPairs([], [])
