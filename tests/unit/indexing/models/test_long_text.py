"""The beginning of a long text gives the same tokens as the whole of it, and costs by what is kept."""

import random
import time
from collections.abc import Iterator

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from indexing.models.long_text import PER_TOKEN, WORD_END, Beginnings
from indexing.store.tokens import MAX_PASSAGE_TOKENS, PassageTokenizer
from search.rerank.pairs import encode_pairs
from tests.support.tiny_models import tokenizer, tokenizer_folder

TOKENS = 24
PIECES = (
    *("honey", "bees", "Fjords", "naïve", "co-operate", "3.5mm", "don't", "ÉCOLE", "straße", "x" * 150, "y" * 1200),
    *(
        " ",
        "  ",
        "\n",
        "\t \n",
        " " * 900,
        "\x00" * 500,
        "a\x00b",
        "\u200b",
        "\u200b" * 300,
        "\x0b",
        "\u00a0",
        "\u3000",
    ),
    *("漢字", "かな", "ไทย", "हिन्दी", "한글", "e\u0301", "\u0301" * 300, ".", "..." * 200, "_", "snake_case"),
    *("[SEP]", "[MASK]", "😀", "👩\u200d🔬", "п" * 300, "слово", "\ufffd", "\ufeff", "٣", "Ⅷ", "½"),
)


def texts(count: int, *, seed: int) -> Iterator[str]:
    """Texts of up to 150 pieces, half of them with few kinds, so that one kind can fill the beginning."""
    rng = random.Random(seed)
    for number in range(count):
        kinds = rng.sample(PIECES, rng.randint(1, 4)) if number % 2 else PIECES
        yield rng.choice(("", " ")).join(rng.choices(kinds, k=rng.randint(1, 150)))


def whole(backend: Tokenizer, text: str) -> list[int]:
    return list(backend.encode(text, add_special_tokens=False).ids)[:TOKENS]


def beginning(backend: Tokenizer, text: str) -> tuple[list[int], str]:
    encoded, read = Beginnings(backend).encode(
        [text],
        tokens=TOKENS,
        encode=lambda _, parts: [whole(backend, part) for part in parts],
        is_full=lambda ids: len(ids) == TOKENS,
    )
    return encoded[0], read[0]


def trained(kind: str) -> Tokenizer:
    """A small tokenizer of another family than BERT's."""
    corpus = ["the honey bees make honey", "naïve fjords and straße", "co-operate with slow words", "漢字 слово"] * 20
    if kind == "bpe":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        made.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet))
        return made
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.train_from_iterator(
        corpus, trainers.UnigramTrainer(vocab_size=200, unk_token="<unk>", special_tokens=["<unk>"])
    )
    return made


def test_the_beginning_of_any_text_has_the_tokens_of_the_whole() -> None:
    backend = tokenizer().backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    shorter = 0
    for text in texts(200, seed=3):
        ids, read = beginning(backend, text)
        assert ids == whole(backend, text), text[:200]
        shorter += len(read) < len(text)
    assert shorter > 80  # so that agreeing means something


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_other_tokenizers_give_the_same_tokens_too(kind: str) -> None:
    backend = trained(kind)
    rng = random.Random(5)
    words = ["honey", "bees", "naïve", "straße", "fjords", "слово", "漢字", "x" * 90, "co-operate,", "\n"]
    for _ in range(60):
        text = " ".join(rng.choices(words, k=rng.randint(5, 500)))
        ids, read = beginning(backend, text)
        assert ids == whole(backend, text), text[:200]
        assert len(read) <= PER_TOKEN * TOKENS + WORD_END + 1 or len(ids) < TOKENS


@pytest.mark.parametrize(
    "text",
    ["a" * 3_000_000, "ab cd " * 500_000, " " * 3_000_000, "\x00" * 3_000_000, "." * 3_000_000, "漢" * 10**6],
)
def test_a_passage_of_megabytes_is_tokenized_as_fast_as_another(text: str) -> None:
    reader = tokenizer()
    passages = PassageTokenizer(str(tokenizer_folder()))
    encode_pairs(reader, ["honey"], ["bees"], max_length=128)
    begun = time.process_time()
    pairs = encode_pairs(reader, ["honey"], [f"bees make {text}"], max_length=128)
    stored = passages.encode([f"bees make {text}"])[0]
    assert time.process_time() - begun < 1
    assert pairs.ids[0]["input_ids"][3:5] == stored[:2].tolist()
    assert len(stored) <= MAX_PASSAGE_TOKENS


def test_pairs_are_those_of_uncut_texts() -> None:
    reader = tokenizer()
    assert isinstance(reader, PreTrainedTokenizerFast)
    passages = list(texts(30, seed=8))
    encoded = encode_pairs(reader, ["how do bees make honey"] * len(passages), passages, max_length=TOKENS)
    expected = reader(["how do bees make honey"] * len(passages), passages, truncation="only_second", max_length=TOKENS)
    assert [row["input_ids"] for row in encoded.ids] == expected["input_ids"]
    assert encoded.truncated == [bool(row.overflowing) for row in expected.encodings]


def test_a_long_query_is_cut_after_the_same_token() -> None:
    reader = tokenizer()
    for query in ("honey bees " * 400, "h" * 3000, "bees" + " " * 3000 + "honey", "漢" * 2000):
        ids = encode_pairs(reader, [query], ["bread"], max_length=64).ids[0]["input_ids"]
        words = reader(query, add_special_tokens=False)["input_ids"][:32]
        assert ids[1 : 1 + len(words)] == words
