"""A passage's question is cut out of it where what is left can answer, and becomes a query to train on."""

from pathlib import Path

import pytest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import TrainingError
from indexing.records import Passage, PassageId
from tests.conftest import PASSAGES, write_lines
from training.data.ingredients import IngredientReader
from training.data.open_indexes import OpenIndexes
from training.data.questions import LEAST_WORDS, PassageQuestion, passage_questions
from training.judgments.protection import Protection
from training.mining.groups import GroupSettings
from training.recipes.stages import Ingredient
from training.targets import QUESTION_BONUS, as_logits

REST = "It is a ridge of stones that a glacier pushed along and left behind when it melted away."  # 18 words
ASKED = "What is a moraine made of?"


def questions_of(*texts: str) -> list[PassageQuestion]:
    return list(passage_questions(Passage(PassageId(str(number)), text) for number, text in enumerate(texts)))


@pytest.mark.parametrize(
    "text", [f"{ASKED} {REST}", f"{REST} {ASKED}", f"{ASKED}  {REST} ", f"{ASKED.replace(' is', '  is')} {REST}"]
)
def test_a_question_is_cut_out_of_its_passage(text: str) -> None:
    assert questions_of(text) == [PassageQuestion(PassageId("0"), ASKED, REST)]


def test_a_question_in_the_middle_leaves_both_sides() -> None:
    text = f"Glaciers carve valleys. {ASKED} {REST}"
    assert questions_of(text) == [PassageQuestion(PassageId("0"), ASKED, f"Glaciers carve valleys. {REST}")]


@pytest.mark.parametrize(
    "text",
    [
        REST,
        f"What is it? {REST}",  # 3 words
        f"Is a moraine? {REST}",
        f"Moraines are what a glacier leaves behind? {REST}",  # the question word isn't where a sentence begins
        f"What {'very ' * 14}old stones? {REST}",  # 17 words
        f"What is {'unpronounceable' * 8} in a glacier? {REST}",  # more than 110 characters
        f"What is a moraine made of. {REST}",
        f"{ASKED} {' '.join(['stone'] * (LEAST_WORDS - 1))}",  # too little is left
    ],
)
def test_sentences_that_do_not_read_like_an_answered_query_are_ignored(text: str) -> None:
    assert questions_of(text) == []


def test_limits_are_inclusive() -> None:
    long = f"What {'very ' * 13}old stones?"  # 16 words
    assert [question.text for question in questions_of(f"{long} {' '.join(['stone'] * LEAST_WORDS)}")] == [long]


def test_a_passage_has_its_first_suitable_question() -> None:
    second = "How do glaciers move down?"
    assert [question.text for question in questions_of(f"Why so? {ASKED} {second} {REST}")] == [ASKED]


def test_no_question_appears_twice() -> None:
    other = "How do glaciers move down?"
    texts = f"{ASKED} {REST}", f"{ASKED.upper()} {REST}", f"{ASKED} {other} {REST}"
    assert [(question.passage_id, question.text) for question in questions_of(*texts)] == [("0", ASKED), ("2", other)]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, tiny_bi_encoder: Path) -> Path:
    """A folder of indexes with one, `asking`, in which two passages ask a question."""
    folder = tmp_path_factory.mktemp("asking")
    statement = "Bakers feed a paste of flour and water for days until wild yeast and bacteria live in it."
    lines = [f"q1\t{ASKED} {REST}", f"q2\t{statement} How is sourdough bread begun?"]
    lines += [f"{key}\t{text}" for key, text in PASSAGES.items()]
    write_lines(folder / "corpus" / "collection.tsv", lines)
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(folder / "corpus"), name="asking", root=folder / "root", settings=settings)
    return folder / "root"


def gatherer(root: Path, *, protected: frozenset[str] = frozenset()) -> IngredientReader:
    return IngredientReader(OpenIndexes(root), protection=Protection(texts=protected))


def test_the_own_passage_of_a_question_gets_a_bonus(asking: Path, bi_encoder: BiEncoder) -> None:
    examples = gatherer(asking).ingredient(Ingredient("asking", "questions", 10), GroupSettings(per_query=5))
    assert {example.query for example in examples} == {ASKED, "How is sourdough bread begun?"}
    for example in examples:
        assert example.source == "questions asking"
        assert example.scores is not None
        assert len(example.passages) == len(example.scores) == 5
        assert not any(example.query in text for text in example.passages)  # neither its own passage with the question
        question, rest = bi_encoder.encode_passages([example.query, example.passages[0]])
        own = as_logits(float(question @ rest)) + QUESTION_BONUS
        assert example.scores[0] == pytest.approx(own, abs=0.05)
    (moraine,) = (example for example in examples if example.query == ASKED)
    assert moraine.passages[0] == REST


def test_a_protected_question_is_left_out(asking: Path) -> None:
    protected = frozenset({"what is a moraine made of"})
    ingredient = Ingredient("asking", "questions", 10)
    gather = gatherer(asking, protected=protected)
    examples = gather.ingredient(ingredient, GroupSettings(per_query=5))
    assert [example.query for example in examples] == ["How is sourdough bread begun?"]
    assert gather.dropped == 1


def test_there_are_at_most_as_many_questions_as_groups(asking: Path) -> None:
    assert len(gatherer(asking).ingredient(Ingredient("asking", "questions", 1), GroupSettings(per_query=5))) == 1


def test_an_index_without_questions_is_an_error(built_root: Path) -> None:
    with pytest.raises(TrainingError) as refused:
        gatherer(built_root).ingredient(Ingredient("small", "questions", 10), GroupSettings())
    assert str(refused.value) == (
        "No passage of index small contains a question; remove this ingredient, or name another index."
    )
