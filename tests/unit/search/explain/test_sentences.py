"""Sentences are cut where they end, and the nearest one is the one with the highest cosine."""

import pytest

from indexing.dense.encoder import BiEncoder
from search.explain.sentences import MOST_SENTENCES, nearest_sentences, split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Bees fly. They make honey! Do they? Yes…  Always",
            ["Bees fly.", "They make honey!", "Do they?", "Yes…", "Always"],
        ),
        ("Berlin has 3.9 million people. It grows.", ["Berlin has 3.9 million people.", "It grows."]),
        ("Dr. J. Smith et al. wrote it. Nobody read it.", ["Dr. J. Smith et al. wrote it.", "Nobody read it."]),
        ("Use yeast, e.g. Baker's yeast, i.e. Saccharomyces.", ["Use yeast, e.g. Baker's yeast, i.e. Saccharomyces."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("A title\n\n A line", ["A title", "A line"]),
        ("犬が吠える。猫は寝る。", ["犬が吠える。", "猫は寝る。"]),
        ("no end", ["no end"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_a_text_is_cut_into_its_sentences(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected


def test_the_cosines_are_those_of_the_vectors(bi_encoder: BiEncoder, in_float32: None) -> None:
    sentences = ["Bees make honey.", "Wasps hunt insects.", "Bread rises by yeast."]
    found = nearest_sentences(bi_encoder, "honey of bees", " ".join(sentences))
    query = bi_encoder.encode_query("honey of bees")
    expected = {text: float(query @ bi_encoder.encode_query(text)) for text in sentences}
    assert {sentence.text: sentence.cosine for sentence in found.sentences} == pytest.approx(expected, abs=5e-3)
    cosines = [sentence.cosine for sentence in found.sentences]
    assert cosines == sorted(cosines, reverse=True)
    assert len(set(cosines)) == 3
    assert found.whole == pytest.approx(float(query @ bi_encoder.encode_query(" ".join(sentences))), abs=5e-3)
    assert found.left_out == 0


def test_a_sentence_that_reads_like_the_query_is_the_nearest(bi_encoder: BiEncoder) -> None:
    found = nearest_sentences(bi_encoder, "Wasps hunt insects.", "Bees make honey. Wasps hunt insects. Bread rises.")
    assert found.sentences[0].text == "Wasps hunt insects."
    assert found.sentences[0].cosine == pytest.approx(1, abs=0.01)


def test_a_very_long_passage_is_read_to_a_limit(bi_encoder: BiEncoder) -> None:
    found = nearest_sentences(bi_encoder, "bees", "It is so. " * (MOST_SENTENCES + 3))
    assert len(found.sentences) == MOST_SENTENCES
    assert found.left_out == 3


def test_a_passage_without_words_has_no_sentence(bi_encoder: BiEncoder) -> None:
    assert nearest_sentences(bi_encoder, "bees", " ").sentences == ()
