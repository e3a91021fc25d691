"""Each piece of a passage is left out once, in one call, and the drops are the differences of the logits."""

from pathlib import Path

import pytest

from search.explain.words import MOST_VARIANTS, Occlusion, occlude
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.support.fakes import WORDS_READ, FixedReranker, WordOverlapReranker


def drops(found: Occlusion) -> dict[str, float]:
    return {piece.text.strip(): round(piece.drop, 6) for piece in found.pieces}


def test_a_word_that_the_score_rests_on_has_the_drop(reranker: WordOverlapReranker) -> None:
    found = occlude(reranker, "bread yeast", "Bread rises by yeast.")
    assert found.logit == 1  # both of two terms
    assert drops(found) == {"Bread": 0.5, "rises": 0, "by": 0, "yeast.": 0.5}  # one of two is left
    assert found.words == 1
    assert found.largest == pytest.approx(0.5)


def test_a_word_that_stands_twice_is_not_missed(reranker: WordOverlapReranker) -> None:
    assert drops(occlude(reranker, "bread yeast", "bread bread yeast")) == {"bread": 0, "yeast": 0.5}


def test_a_word_that_speaks_against_has_a_drop_below_0() -> None:
    reranker = FixedReranker({"good bad": 1.0, "bad": -2.0, "good ": 1.75})
    assert drops(occlude(reranker, "q", "good bad")) == {"good": 3.0, "bad": -0.75}  # 1 - (-2), 1 - 1.75


def test_all_variants_are_scored_in_one_call(reranker: WordOverlapReranker) -> None:
    occlude(reranker, "q", "one two  three")
    assert reranker.asked == [("q", ("one two  three", "two  three", "one three", "one two  "))]


@pytest.mark.parametrize("count", [1, 2, 39, 40, 41, 79, 81, 400])
def test_long_passages_are_left_out_in_pieces_of_several_words(reranker: WordOverlapReranker, count: int) -> None:
    text = " ".join(f"w{number}" for number in range(count))
    found = occlude(reranker, "w0", text)
    assert len(found.pieces) <= MOST_VARIANTS
    assert found.words == -(-count // MOST_VARIANTS)  # rounded up
    assert [len(piece.text.split()) for piece in found.pieces[:-1]] == [found.words] * (len(found.pieces) - 1)
    assert "".join(piece.text for piece in found.pieces) == text
    assert len(reranker.asked[0][1]) == len(found.pieces) + 1


@pytest.mark.parametrize("text", ["", "  two  words\n", "\tone", "<b>one</b> & two ", "été 東京 タワー"])
def test_pieces_join_to_the_passage(reranker: WordOverlapReranker, text: str) -> None:
    assert "".join(piece.text for piece in occlude(reranker, "q", text).pieces) == text


def test_a_passage_that_is_cut_says_so(reranker: WordOverlapReranker) -> None:
    assert not occlude(reranker, "q", "word " * WORDS_READ).truncated
    assert occlude(reranker, "q", "word " * (WORDS_READ + 1)).truncated


def test_a_cross_encoder_gives_the_drops_that_single_calls_give(tiny_cross_encoder: Path, in_float32: None) -> None:
    reranker = CrossEncoderReranker(str(tiny_cross_encoder))
    query, text = "why does bread rise", "Yeast makes bread rise."
    found = occlude(reranker, query, text)
    whole, without = (float(reranker.score(query, [part]).logits[0]) for part in (text, "Yeast bread rise."))
    assert found.logit == pytest.approx(whole, abs=1e-4)
    assert found.pieces[1].text == "makes "
    assert found.pieces[1].drop == pytest.approx(whole - without, abs=1e-4)
    assert found.largest > 0.001
