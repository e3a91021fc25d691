"""BM25's k1 and b are chosen by recall on some queries and reported on others."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.bm25.settings import PRESETS
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.errors import IndexingError, SettingsError
from indexing.index import Index, open_index
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import PassageId, Query, QueryId
from indexing.tune import K1, B, Bm25Tuning, _split, tune
from indexing.words.analyzers import analyzer_for
from tests.conftest import write_lines
from tests.support.fakes import Reports


def judged(split: str, **queries: tuple[str, Mapping[str, int]]) -> JudgedSet:
    """Queries by id, each with its text and its grades."""
    return JudgedSet(
        split,
        tuple(Query(QueryId(key), text) for key, (text, _) in queries.items()),
        {
            QueryId(key): {PassageId(name): grade for name, grade in grades.items()}
            for key, (_, grades) in queries.items()
        },
    )


@pytest.fixture(scope="module")
def bees(tmp_path_factory: pytest.TempPathFactory, tiny_bi_encoder: Path) -> Index:
    """Two passages that hold `bee`: one of length 1, one of length 10 that holds it 3 times. Mean length 5.5."""
    folder = tmp_path_factory.mktemp("bees")
    lines = ["short\tbee", "long\tbee bee bee lamp ship lens glass wood snow rock"]
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(write_lines(folder / "c.tsv", lines)), name="bees", root=folder, settings=settings)
    return open_index("bees", root=folder)


def tuned(
    index: Index, train: JudgedSet, held_out: JudgedSet | None = None, *, minimum_grade: int = 1, depth: int = 1
) -> Bm25Tuning:
    """Tuned at depth 1 unless another is named, so that recall counts the first place alone."""
    return tune(index, train, held_out, minimum_grade=minimum_grade, depth=depth)


# The short passage scores 1 / (1 + k1 * (1 - b + b * 1 / 5.5)), the long one 3 / (3 + k1 * (1 - b + b * 10 / 5.5)),
# so the short one is first where 3 * (1 - b + b / 5.5) < 1 - b + b * 10 / 5.5, which is b > 0.611, whatever k1 is.
SHORT = judged("train", a=("bee", {"short": 1}))
LONG = judged("dev", b=("bee", {"long": 1}))


def test_recall_is_that_computed_by_hand(bees: Index) -> None:
    tuning = tuned(bees, SHORT, LONG)
    assert {(row.k1, row.b): row.recall for row in tuning.pairs} == {
        (row.k1, row.b): float(row.b > 0.611) for row in tuning.pairs
    }
    assert (tuning.chosen.recall, tuning.chosen.held_out) == (1.0, 0.0)
    assert (tuning.current.k1, tuning.current.b, tuning.current.recall, tuning.current.held_out) == (0.9, 0.4, 0.0, 1.0)
    assert (tuning.presets["msmarco-dev"].recall, tuning.presets["trec-dl"].recall) == (1.0, 0.0)


def test_the_mean_is_over_queries(bees: Index) -> None:
    train = judged("train", a=("bee", {"short": 1}), b=("bees", {"short": 1}), c=("a bee", {"long": 1}))
    tuning = tuned(bees, train, LONG)
    assert tuning.chosen.recall == pytest.approx(2 / 3)
    assert tuning.current.recall == pytest.approx(1 / 3)
    assert (tuning.queries, tuning.held_out_queries) == (3, 1)


def test_the_best_comes_first(bees: Index) -> None:
    recalls = [row.recall for row in tuned(bees, SHORT, LONG).pairs]
    assert recalls == sorted(recalls, reverse=True)
    assert recalls[0] > recalls[-1]


def test_every_pair_is_measured_once(bees: Index) -> None:
    pairs = [(row.k1, row.b) for row in tuned(bees, SHORT, LONG).pairs]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == {(k1, b) for k1 in K1 for b in B} | {(0.9, 0.4)} | set(PRESETS.values())


def test_a_tie_keeps_what_the_index_has(bees: Index) -> None:
    tuning = tuned(bees, LONG, SHORT)  # the first of the grid finds it too
    assert (tuning.chosen.k1, tuning.chosen.b) == (0.9, 0.4)
    assert tuning.pairs[0].recall == tuning.chosen.recall == 1.0


@pytest.mark.parametrize(("minimum", "recall"), [(1, 0.5), (2, 1.0)])
def test_grades_below_the_least_are_not_relevant(bees: Index, minimum: int, recall: float) -> None:
    both = judged("train", a=("bee", {"short": 1, "long": 2}))
    tuning = tuned(bees, both, both, minimum_grade=minimum)
    assert tuning.current.recall == recall  # the long one is first; the short one is relevant with 1


def test_passages_that_the_index_does_not_hold_are_not_missed(bees: Index) -> None:
    train = judged("train", a=("bee", {"long": 1, "elsewhere": 1}), b=("lamp", {"elsewhere": 3}))
    assert tuned(bees, train, train).current.recall == 1.0  # query b has no relevant passage here: it doesn't count


@pytest.mark.parametrize("text", ["unicorn", "the of and", "?"])
def test_a_query_without_known_terms_finds_nothing(bees: Index, text: str) -> None:
    train = judged("train", a=("bee", {"short": 1}), b=(text, {"short": 1}))
    assert tuned(bees, train, train, depth=1000).current.recall == 0.5


@pytest.mark.parametrize("depth", [1, 3])  # neither is where scores tie
def test_recall_is_that_of_the_index_itself(small_index: Index, small_corpus: Path, depth: int) -> None:
    train = judged_sets(small_corpus)["train"]
    shares = []
    for query in train.queries:
        rows, scores = small_index.bm25.search(analyzer_for().terms(query.text), depth=20)
        best = [row for _, row in sorted(zip(-scores, rows.tolist(), strict=True))[:depth]]
        relevant = {name for name, grade in train.qrels[query.id].items() if grade >= 1}
        shares.append(len(relevant & {small_index.passages.id_at(row) for row in best}) / len(relevant))
    assert tuned(small_index, train, train, depth=depth).current.recall == pytest.approx(sum(shares) / 2)
    assert 0 < sum(shares) < 2


def test_without_held_out_queries_half_are_kept_apart() -> None:
    names = {f"q{number}": ("bee", {"short": 1}) for number in range(7)}
    train = judged("train", **names)
    choosing, reporting = _split(train, None)
    ids = [{query.id for query in part.queries} for part in (choosing, reporting)]
    assert (len(ids[0]), len(ids[1])) == (3, 4)
    assert not ids[0] & ids[1]
    assert ids[0] | ids[1] == set(names)
    assert [set(part.qrels) for part in (choosing, reporting)] == ids
    assert _split(train, None) == (choosing, reporting)  # the same each time


def test_the_half_kept_apart_chooses_nothing(bees: Index) -> None:
    names = {f"q{number}": ("bee", {"short": 1}) for number in range(6)}
    _, reporting = _split(judged("train", **names), None)
    turned = {query.id: {PassageId("long"): 1} for query in reporting.queries}  # what the others would not choose
    train = judged("train", **names)
    tuning = tuned(bees, JudgedSet("train", train.queries, {**train.qrels, **turned}))
    assert (tuning.chosen.recall, tuning.chosen.held_out, tuning.current.held_out) == (1.0, 0.0, 1.0)


def test_progress_counts_every_query_of_both_sets(bees: Index) -> None:
    reports = Reports()
    two = judged("train", a=("bee", {"short": 1}), b=("bee", {"gone": 1}))
    tune(bees, two, LONG, minimum_grade=1, depth=1, progress=reports)
    assert reports.rows == [("tune", 1, 3)] * 3


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_queries_to_halve_are_told(bees: Index, count: int) -> None:
    train = judged("train", **{f"q{number}": ("bee", {"short": 1}) for number in range(count)})
    with pytest.raises(SettingsError, match=f"^{count} judged queries are too few"):
        tuned(bees, train)


def test_judgments_of_passages_of_another_index_are_refused(bees: Index) -> None:
    with pytest.raises(SettingsError, match="'gone', and index bees has 'short', 'long'"):
        tune(bees, judged("train", a=("bee", {"gone": 1})), None, minimum_grade=1, depth=1)


@pytest.mark.parametrize("grades", [{"short": 0}, {}])
def test_queries_without_a_relevant_passage_are_told_with_the_index(bees: Index, grades: dict[str, int]) -> None:
    none = judged("train", a=("bee", grades))
    with pytest.raises(SettingsError, match="No query of the train set has a passage of grade 1 or more in index bees"):
        tuned(bees, none, LONG)


def test_an_index_without_postings_is_refused_with_the_command_that_builds_it(bees: Index) -> None:
    with pytest.raises(IndexingError, match=r"keeps no postings.*build --corpus CORPUS --index bees"):
        tuned(replace(bees, postings=None), SHORT, LONG)
