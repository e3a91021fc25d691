"""Examples for a corpus of one's own: titles, or what first sentences are about."""

from app.views.widgets.own_examples import own_examples
from indexing.records import Passage, PassageId
from indexing.words.english_v1 import EnglishV1


def passage(number: int, text: str, title: str = "") -> Passage:
    return Passage(PassageId(f"p{number}"), text, title)


def test_titles_that_are_short_are_examples_as_they_are() -> None:
    passages = [passage(1, "Bees dance.", "Waggle dance"), passage(2, "Honey keeps.", "How long honey keeps")]
    assert own_examples(passages, EnglishV1(), count=6) == ("Waggle dance", "How long honey keeps")


def test_of_a_long_sentence_the_longest_run_between_stop_words_and_signs_is_one() -> None:
    text = "The old mill, which was the pride of the town, has a cast iron water wheel by the river. It turns."
    assert own_examples([passage(1, text)], EnglishV1(), count=6) == ("cast iron water wheel",)


def test_examples_come_from_all_over_the_corpus_and_none_comes_twice() -> None:
    passages = [passage(row, "Text.", f"Title {row // 2}") for row in range(240)]
    found = own_examples(passages, EnglishV1(), count=6)
    # 24 rows, every 10th; of these every 4th comes first: rows 0, 40, 80, 120, 160 and 200
    assert found == ("Title 0", "Title 20", "Title 40", "Title 60", "Title 80", "Title 100")
    assert own_examples([passage(1, "x", "Same"), passage(2, "y", "same")], EnglishV1(), count=6) == ("Same",)


def test_what_holds_nothing_to_look_for_is_no_example() -> None:
    assert own_examples([passage(1, "It is for the.")], EnglishV1(), count=6) == ()
    assert own_examples([], EnglishV1(), count=6) == ()
