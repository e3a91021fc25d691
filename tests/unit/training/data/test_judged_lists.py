"""Lists of a judged set hold its grades, no relevant passage as a negative, and scores on one scale."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from indexing.errors import SettingsError, TrainingError
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import PassageId, Query, QueryId
from search.pipeline import RetrieveAndRerank
from search.settings import Fusion
from tests.conftest import PASSAGES, QRELS, QUERIES
from tests.support.fakes import Reports
from training.data.judged_lists import ListSettings, judged_examples
from training.example import Example, ignore
from training.mining.first_stage import ServedFirstStage
from training.mining.settings import MiningSettings

OPEN = MiningSettings(relative_margin=None, per_query=6)
NAMES = {text: name for name, text in PASSAGES.items()}
BEES = Query(QueryId("1"), QUERIES["train"]["1"])


@pytest.fixture
def train(small_corpus: Path) -> JudgedSet:
    return judged_sets(small_corpus)["train"]


def judged_set(*queries: Query, **grades: int) -> JudgedSet:
    """These queries, all with the same grades."""
    judgments = {PassageId(name): grade for name, grade in grades.items()}
    return JudgedSet("train", queries, {query.id: judgments for query in queries})


def read(pipeline: RetrieveAndRerank, judged: JudgedSet, **options: Any) -> list[Example]:
    """Examples with settings of lists, and of `mining` where given."""
    mining, on_skip = options.pop("mining", OPEN), options.pop("on_skip", ignore)
    return list(judged_examples(pipeline, judged, mining, ListSettings(**options), on_skip=on_skip))


def labels(example: Example) -> dict[str, float]:
    """Label of each passage, by its id."""
    assert example.labels is not None
    return {NAMES[text]: label for text, label in zip(example.passages, example.labels, strict=True)}


def test_a_list_has_the_positives_judged_zeros_and_mined_negatives(
    pipeline: RetrieveAndRerank, train: JudgedSet
) -> None:
    examples = read(pipeline, train)
    assert [(example.query_id, example.query) for example in examples] == list(QUERIES["train"].items())
    for example in examples:
        list_labels, judged = labels(example), QRELS["train"][example.query_id or ""]
        assert example.source == "judged small"
        assert len(list_labels) == len(example.passages) == 8
        assert list_labels.items() >= judged.items()  # two positives and one zero each
        assert all(label == 0 for name, label in list_labels.items() if name not in judged)
        assert example.scores is None


def test_at_most_four_positives_the_best_graded(pipeline: RetrieveAndRerank) -> None:
    judged = judged_set(BEES, a1=1, a2=3, a3=2, a4=3, a5=2, b1=1)
    (example,) = read(pipeline, judged, per_list=12)  # half of the places would be 6
    list_labels = labels(example)
    assert {name: label for name, label in list_labels.items() if label > 0} == {"a2": 3, "a4": 3, "a3": 2, "a5": 2}
    assert not {"a1", "b1"} & list_labels.keys()  # relevant, so no negatives either
    assert len(list_labels) == 4 + OPEN.per_query


def test_positives_take_half_of_a_short_list(pipeline: RetrieveAndRerank) -> None:
    (example,) = read(pipeline, judged_set(BEES, a1=3, a2=2, a3=1), per_list=4)
    assert sorted(labels(example).values()) == [0, 0, 2, 3]  # 4 // 2 = 2 positives
    (example,) = read(pipeline, judged_set(BEES, a1=3, a2=2, a3=1), per_list=4, others=3)
    assert sorted(labels(example).values()) == [0, 0, 0, 3]


def test_judged_zeros_take_half_of_the_remaining_places_and_those_that_mining_leaves(
    pipeline: RetrieveAndRerank,
) -> None:
    zeros = dict.fromkeys(("b1", "b2", "b3", "b4", "b5", "c1", "c2", "c3"), 0)
    (example,) = read(
        pipeline, judged_set(BEES, a1=1, **zeros), mining=MiningSettings(relative_margin=None, per_query=19)
    )
    assert sum(name in zeros for name in labels(example)) == 4  # (8 - 1 + 1) // 2
    nothing = MiningSettings(relative_margin=None, max_score=-1.0)  # no unjudged passage scores so low
    (example,) = read(pipeline, judged_set(BEES, a1=1, **zeros), mining=nothing)
    assert sum(name in zeros for name in labels(example)) == 7


def test_a_zero_that_reads_like_a_relevant_passage_is_left_out(pipeline: RetrieveAndRerank) -> None:
    shared = MiningSettings(relative_margin=None, per_query=6, near_duplicate=0.01)  # one shared term is enough
    (example,) = read(pipeline, judged_set(BEES, c1=1, c2=0, d5=0), mining=shared)
    assert "c2" not in labels(example)  # flour and yeast
    assert "d5" in labels(example)


def test_grades_below_the_minimum_are_neither(pipeline: RetrieveAndRerank) -> None:
    strict = MiningSettings(relative_margin=None, minimum_grade=2, per_query=6)
    (example,) = read(pipeline, judged_set(BEES, a1=2, a3=1), mining=strict)
    assert labels(example)["a1"] == 2
    assert "a3" not in labels(example)


@pytest.mark.parametrize("fusion", ["rrf", "bm25", "dense"])
def test_every_passage_has_its_first_stage_score(pipeline: RetrieveAndRerank, train: JudgedSet, fusion: Fusion) -> None:
    stage = ServedFirstStage(pipeline, fusion=fusion, depth=100)
    for example, query in zip(read(pipeline, train, fusion=fusion, with_scores=True), train.queries, strict=True):
        # every passage taken for relevant: of these the stage gives each score
        expected = stage.candidates(query, dict.fromkeys(map(PassageId, PASSAGES), 1)).relevant_scores
        assert example.scores == pytest.approx([expected[PassageId(NAMES[text])] for text in example.passages])


def test_passages_are_in_random_order_by_the_seed(pipeline: RetrieveAndRerank, train: JudgedSet) -> None:
    first, same, other = (read(pipeline, train, seed=seed) for seed in (1, 1, 2))
    assert first == same
    assert [example.passages for example in first] != [example.passages for example in other]
    places = {
        example.passages.index(PASSAGES["a1"]) for seed in range(9) for example in read(pipeline, train, seed=seed)[:1]
    }
    assert len(places) > 2


def test_queries_without_positives_and_passages_that_the_index_lacks_are_counted(
    pipeline: RetrieveAndRerank, train: JudgedSet
) -> None:
    more = (*train.queries, Query(QueryId("3"), "x"), Query(QueryId("4"), "y"), Query(QueryId("5"), "z"))
    lost = {QueryId("3"): {PassageId("a1"): 0}, QueryId("4"): {PassageId("gone"): 3}}
    reasons: Counter[str] = Counter()
    judged = JudgedSet("train", more, {**train.qrels, **lost})
    examples = read(pipeline, judged, on_skip=lambda why: reasons.update([why]))
    assert [example.query_id for example in examples] == ["1", "2"]
    # 3 and 5 have no judgment above 0, and of 4 the index lacks the only one
    assert reasons == {"query without a relevant passage": 3, "passage that the index lacks": 1}


def test_a_query_without_a_negative_is_skipped_with_a_reason(pipeline: RetrieveAndRerank) -> None:
    reasons: list[str] = []
    nothing = MiningSettings(relative_margin=None, max_score=-1.0)
    assert read(pipeline, judged_set(BEES, a1=1), mining=nothing, on_skip=reasons.append) == []
    assert reasons == ["query without a passage beside the relevant ones"]


def test_queries_are_mined_lazily(pipeline: RetrieveAndRerank, train: JudgedSet) -> None:
    seen = Reports()
    examples = judged_examples(pipeline, train, OPEN, ListSettings(), progress=seen)
    assert seen.rows == []
    assert len(list(islice(examples, 1))) == 1
    assert seen.rows == []  # the first query is done once the second is asked for
    assert len(list(examples)) == 1
    assert seen.rows == [("mine small", 1, 2)] * 2


def test_a_limit_draws_queries_by_the_seed(pipeline: RetrieveAndRerank) -> None:
    queries = [Query(QueryId(str(number)), f"honey {number}") for number in range(20)]
    first, same, other = (read(pipeline, judged_set(*queries, a1=1), limit=5, seed=seed) for seed in (1, 1, 2))
    assert first == same
    assert len({example.query for example in first}) == 5
    assert {example.query for example in first} != {example.query for example in other}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"per_list": 1}, "per_list is 1; give 2 passages or more."),
        ({"limit": 0}, "limit is 0 queries; give 1 or more, or no limit."),
    ],
)
def test_settings_that_allow_no_list_are_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ListSettings(**values)  # type: ignore[arg-type]  # each is a number of the right kind
    assert str(refused.value) == message


def test_an_unknown_fusion_is_refused_before_anything_is_mined(pipeline: RetrieveAndRerank, train: JudgedSet) -> None:
    with pytest.raises(SettingsError, match="splade"):
        judged_examples(pipeline, train, OPEN, ListSettings(fusion="splade"))  # type: ignore[arg-type]  # on purpose


def test_a_judged_set_without_usable_queries_is_an_error(pipeline: RetrieveAndRerank) -> None:
    with pytest.raises(TrainingError, match=r"None of the 1 judged train queries has a passage of grade 1 or more"):
        judged_examples(pipeline, judged_set(BEES, a1=0), OPEN, ListSettings())
