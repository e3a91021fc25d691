"""Without judgments there are queries of the corpus's own passages, scored by the first stage."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder

from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError, TrainingError
from indexing.index import Index
from indexing.records import Passage, PassageId
from tests.conftest import PASSAGES
from tests.support.fakes import Reports
from training.data.cold_start import cold_examples
from training.data.questions import ColdStart, make_queries
from training.example import Example
from training.fitting.model import open_pair_model
from training.judgments.protection import Protection
from training.targets import QUESTION_BONUS
from training.train.self_taught import self_taught

OPEN = Protection()
SETTINGS = ColdStart(queries=12, per_list=5, depth=10)
WORDS = [
    "tiger zebra lion river stone stone",
    "tiger zebra lion river",
    "lion river stone",
    "lion river cloud",
    "cavern",
]
ANSWER = "It is a ridge of stones that a glacier pushed along and left behind when it melted away."


def passages(*texts: str) -> list[Passage]:
    return [Passage(PassageId(str(number)), text) for number, text in enumerate(texts)]


def queries_of(
    sample: Sequence[Passage], settings: ColdStart = SETTINGS, *, protection: Protection = OPEN, count: int = 0
) -> dict[str, str]:
    """Query by passage id."""
    queries = make_queries(sample, settings, protection=protection, count=count or len(sample))
    return {str(question.passage_id): question.text for question in queries}


def test_queries_are_the_distinctive_words_of_a_passage_in_order() -> None:
    # passages that hold a term: lion and river 4, stone, tiger and zebra 2, cloud and cavern 1
    # in the first: stone 2 / log(2 + 2), tiger and zebra 1 / log(2 + 2), lion and river 1 / log(2 + 4); four are kept
    assert queries_of(passages(*WORDS)) == {
        "0": "tiger zebra lion stone",
        "1": "tiger zebra lion river",
        "2": "lion river stone",
        "3": "lion river",  # nothing else says cloud
        # and of one word nobody else uses there is no query
    }


def test_a_passage_whose_words_make_the_query_stays_whole() -> None:
    first, *_ = sorted(
        make_queries(passages(*WORDS), SETTINGS, protection=OPEN, count=5), key=lambda question: question.passage_id
    )
    assert first.rest == WORDS[0]


def test_questions_come_first() -> None:
    questions = [f"What is moraine number {number} made of?" for number in range(3)]
    sample = passages(*(f"{question} {ANSWER}" for question in questions), *WORDS[:4])
    queries = queries_of(sample, ColdStart(queries=5))
    assert [question for question in queries.values() if question in questions] == list(queries.values())[:3]
    assert len(queries) == 5
    assert set(queries_of(sample, ColdStart(queries=2)).values()) < set(questions)


def test_a_passage_without_a_query_is_skipped() -> None:
    sample = passages(*(f"cavern{number}" for number in range(20)), *WORDS[:4])
    assert len(queries_of(sample, ColdStart(queries=4))) == 4


def test_no_protected_query_is_made() -> None:
    question = "What is a moraine made of?"
    sample = passages(f"{question} {ANSWER}", *WORDS)
    protection = Protection(texts=frozenset({"what is a moraine made of", "lion river"}))
    assert {question, "lion river"} <= set(queries_of(sample).values())
    assert not {question, "lion river"} & set(queries_of(sample, protection=protection).values())


def test_passages_of_a_large_corpus_are_sampled_evenly() -> None:
    sample = passages(*(f"lion river {letter}" for letter in "abcdefghi"))
    queries = queries_of(sample, count=400_001)  # more than twice 200,000: every third
    assert set(queries) == {"0", "3", "6"}


def test_the_same_seed_makes_the_same_queries() -> None:
    sample = passages(*(f"lion river stone {number}" for number in range(30)))
    first, again, other = (list(queries_of(sample, ColdStart(queries=5, seed=seed))) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("values", "stated"),
    [
        ({"queries": 0}, "queries is 0, depth 60 and per_list 8"),
        ({"depth": 1}, "queries is 3000, depth 1 and per_list 8"),
        ({"per_list": 1}, "queries is 3000, depth 60 and per_list 1"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, int], stated: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ColdStart(**values)
    assert str(refused.value) == f"{stated}; give at least 1, 2 and 2."


def test_examples_are_lists_with_the_first_stage_s_logits(small_index: Index, bi_encoder: BiEncoder) -> None:
    done = Reports()
    examples = list(cold_examples(small_index, bi_encoder, SETTINGS, protection=OPEN, progress=done))
    assert len(examples) == sum(done.counts) == 12
    for example in examples:
        assert example.source == "questions of small"
        assert example.scores is not None
        assert len(example.passages) == len(set(example.passages)) == len(example.scores) == 5
        assert set(example.passages) <= set(PASSAGES.values())
        query, own = bi_encoder.encode_passages([example.query, example.passages[0]])
        expected = (float(query @ own) - 0.5) * 20 + QUESTION_BONUS
        assert example.scores[0] == pytest.approx(expected, abs=0.05)
        assert all(word in example.passages[0].lower() for word in example.query.split())


def test_the_other_passages_have_cosine_and_a_share_of_bm25(small_index: Index, bi_encoder: BiEncoder) -> None:
    for example in cold_examples(small_index, bi_encoder, SETTINGS, protection=OPEN):
        query, *others = bi_encoder.encode_passages([example.query, *example.passages[1:]])
        lowest = (np.array([float(query @ other) for other in others]) - 0.5) * 20
        scores = np.array((example.scores or ())[1:])
        assert (scores >= lowest - 0.05).all()
        assert (scores <= lowest + 0.2 * 20 + 0.05).all()  # the best BM25 score of a query is worth 0.2


def test_a_corpus_without_a_usable_query_is_an_error(small_index: Index, bi_encoder: BiEncoder) -> None:
    class FullProtection(Protection):
        def covers(self, query: object) -> bool:
            return True

    with pytest.raises(TrainingError) as refused:
        list(cold_examples(small_index, bi_encoder, SETTINGS, protection=FullProtection()))
    assert str(refused.value) == (
        "No query can be made from the passages of index small, whose texts are too short; name another index."
    )


@pytest.mark.usefixtures("in_float32")
def test_the_targets_of_the_second_pass_are_the_mean_of_teacher_and_model(tiny_cross_encoder: Path) -> None:
    texts = (PASSAGES["a1"], PASSAGES["b1"], PASSAGES["c1"])
    example = Example("cold", "how do bees make honey", texts, scores=(6.0, 2.0, 1.0))
    plain = CrossEncoder(str(tiny_cross_encoder), device="cpu", activation_fn=torch.nn.Identity())
    logits = plain.predict([(example.query, text) for text in texts], show_progress_bar=False)
    teacher = np.array(example.scores)
    # the model's logits are given the teacher's mean and standard deviation, and then half of the say
    scaled = (logits - logits.mean()) / logits.std() * teacher.std() + teacher.mean()
    done = Reports()
    model = open_pair_model(str(tiny_cross_encoder), max_length=160, dropout=0.5, seed=1).train()
    (queries,) = self_taught([example], model, progress=done)
    assert queries.scores == pytest.approx(0.5 * scaled + 0.5 * teacher, abs=1e-4)
    assert queries.scores != pytest.approx(example.scores, abs=0.1)
    assert (queries.source, queries.query, queries.passages, done.counts) == (
        "cold, self-taught",
        example.query,
        texts,
        [1],
    )


@pytest.mark.usefixtures("in_float32")
def test_equal_scores_of_the_teacher_teach_nothing(tiny_cross_encoder: Path) -> None:
    model = open_pair_model(str(tiny_cross_encoder), max_length=160, dropout=0.0, seed=1)
    sample = Example("cold", "q", (PASSAGES["a1"], PASSAGES["b1"]), scores=(3.0, 3.0))
    assert [example.scores for example in self_taught([sample], model)] == [(3.0, 3.0)]
