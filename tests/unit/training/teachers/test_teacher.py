"""Teachers score examples on one scale of logits: a cross-encoder, the bi-encoder, or a run beside the queries."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import CorpusError, HubError, ModelError, SettingsError, TrainingError
from indexing.records import Floats, PassageId, QueryId, Ranking
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.late_interaction import LateInteractionReranker
from search.trec import read_run
from tests.conftest import PASSAGES, QUERIES, write_lines
from tests.support.fakes import FixedReranker, Reports
from tests.support.judged_lists import scored
from training.data.ingredients import IngredientReader
from training.data.open_indexes import OpenIndexes
from training.data.prepare import SPLADE_RUN, prepare
from training.example import Example
from training.judgments.protection import Protection
from training.mining.groups import GroupSettings, run_of_logits
from training.recipes.stages import Ingredient
from training.targets import RUN_SPREAD
from training.teachers.late_interaction import LateInteractionTeacher
from training.teachers.teacher import (
    BLOCK_SIZE,
    FirstStageTeacher,
    MeanTeacher,
    RerankerTeacher,
    Teacher,
    open_teacher,
    teach,
    uses_own_scores,
)

BEES = Example("test", "how do bees make honey", (PASSAGES["a1"], PASSAGES["b1"]), labels=(1.0, 0.0))
BREAD = Example("test", "why does bread rise", (PASSAGES["c1"], PASSAGES["c2"], PASSAGES["d1"]), labels=(1.0, 1.0, 0.0))


class LengthTeacher:
    """A passage is worth its characters; remembers how many examples came at once."""

    def __init__(self) -> None:
        self.blocks: list[int] = []

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        self.blocks.append(len(examples))
        return [np.array([len(text) for text in example.passages], dtype=np.float32) for example in examples]


def test_a_re_ranker_teaches_its_raw_logits() -> None:
    logits = {text: float(place) - 7 for place, text in enumerate((*BEES.passages, *BREAD.passages))}
    reranker = FixedReranker(logits)
    logits_by_example = RerankerTeacher(reranker).scores([BEES, BREAD, replace(BEES, passages=BEES.passages[::-1])])
    assert [values.tolist() for values in logits_by_example] == [[-7, -6], [-5, -4, -3], [-6, -7]]
    assert reranker.pairs == 5  # of seven: the third example's are the first's


def test_the_first_stage_teaches_cosines_as_logits(bi_encoder: BiEncoder) -> None:
    logits = FirstStageTeacher(bi_encoder).scores([BEES, BREAD])
    for example, values in zip((BEES, BREAD), logits, strict=True):
        cosines = bi_encoder.encode_passages(example.passages) @ bi_encoder.encode_query(example.query)
        assert values.dtype == np.float32
        assert values == pytest.approx((cosines - 0.5) * 20, abs=1e-2)  # 0.05 of cosine is 1, and 0.5 is 0


def test_a_teacher_s_scores_replace_others_and_labels_stay() -> None:
    example = Example("test", "q", ("one", "three"), labels=(1.0, 0.0), scores=(9.0, 9.0), query_id=QueryId("7"))
    (scored,) = teach([example], LengthTeacher())
    assert scored == Example("test", "q", ("one", "three"), labels=(1.0, 0.0), scores=(3.0, 5.0), query_id=QueryId("7"))


def test_examples_are_scored_lazily_in_blocks() -> None:
    teacher = LengthTeacher()
    done = Reports()
    examples = [Example("test", f"q{number}", ("a" * (number + 1),), labels=(1.0,)) for number in range(BLOCK_SIZE + 5)]
    scored = teach(examples, teacher, progress=done)
    assert next(scored).scores == (1.0,)
    assert teacher.blocks == [BLOCK_SIZE]  # the rest isn't read yet
    assert [example.scores for example in scored] == [(float(number + 1),) for number in range(1, BLOCK_SIZE + 5)]
    assert (teacher.blocks, done.counts) == ([BLOCK_SIZE, 5], [BLOCK_SIZE, 5])


@pytest.mark.usefixtures("in_float32")
def test_teachers_are_opened_by_name(tiny_bi_encoder: Path, tiny_cross_encoder: Path) -> None:
    first = open_teacher(f"first-stage:{tiny_bi_encoder}").scores([BEES])
    assert first[0] == pytest.approx(FirstStageTeacher(BiEncoder(str(tiny_bi_encoder))).scores([BEES])[0], abs=1e-4)
    second = open_teacher(f"reranker:{tiny_cross_encoder}").scores([BEES])
    expected = CrossEncoderReranker(str(tiny_cross_encoder)).score(BEES.query, BEES.passages).logits
    assert second[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["", "judges", "reranker", "reranker:", "reranker:none", "bi-encoder:x"])
def test_an_unknown_teacher_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"is unknown; give first-stage.* or several joined by"):
        open_teacher(name)


def test_a_teacher_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)):
        open_teacher(f"reranker:{tmp_path}")


def test_a_run_s_scores_get_one_spread_for_all_queries() -> None:
    run = {QueryId("wide"): scored(a=900, b=300), QueryId("narrow"): scored(a=0.2, b=0.1, c=0.0)}
    rankings = run_of_logits(run)
    # 900 and 300 lie one standard deviation of 300 above and below their mean of 600
    assert rankings[QueryId("wide")].scores.tolist() == pytest.approx([RUN_SPREAD, -RUN_SPREAD])
    # of 0.2, 0.1 and 0 the mean is 0.1 and the standard deviation sqrt(2/3) * 0.1
    assert rankings[QueryId("narrow")].scores.tolist() == pytest.approx(
        [1.5**0.5 * RUN_SPREAD, 0, -(1.5**0.5) * RUN_SPREAD], abs=1e-6
    )
    assert [ranking.passage_ids for ranking in rankings.values()] == [("a", "b"), ("a", "b", "c")]


def test_a_run_of_equal_scores_yields_no_logits() -> None:
    assert run_of_logits({QueryId("1"): scored(a=2, b=2)}) == {}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, small_corpus: Path, tiny_bi_encoder: Path) -> Path:
    """A folder of indexes with one, `running`, whose corpus has a run beside its queries."""
    folder = tmp_path_factory.mktemp("running")
    shutil.copytree(small_corpus, folder / "corpus")
    lines = [f"1 Q0 {name} {rank} {100 - rank} splade" for rank, name in enumerate(("a3", "zz", "a1", "b1", "c1"), 1)]
    lines += ["2 Q0 c2 1 7 splade", "2 Q0 c1 2 7 splade", "9 Q0 a1 1 5 splade", "9 Q0 a2 2 4 splade"]
    write_lines(folder / "corpus" / "run.train.trec", lines)
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(folder / "corpus"), name="running", root=folder / "root", settings=settings)
    return folder


def gatherer(root: Path, *, protected: frozenset[str] = frozenset()) -> IngredientReader:
    return IngredientReader(OpenIndexes(root), protection=Protection(texts=protected))


def test_a_run_ingredient_is_taught_by_the_run_beside_the_queries(running: Path) -> None:
    ingredient = Ingredient("running", "run", 10)
    (example,) = gatherer(running / "root").ingredient(ingredient, GroupSettings(per_query=8))
    # query 2 has equal scores, 9 is no train query, and the index lacks passage zz
    assert (example.source, example.query) == ("run running", QUERIES["train"]["1"])
    assert example.passages == tuple(PASSAGES[name] for name in ("a3", "a1", "b1", "c1"))
    values = np.array([99, 97, 96, 95])
    assert example.scores == pytest.approx((values - values.mean()) / values.std() * RUN_SPREAD, abs=1e-5)
    assert example.labels is None


def test_ranks_and_size_of_a_run_s_groups_follow_the_settings(running: Path) -> None:
    ingredient = Ingredient("running", "run", 10, ranks=(2, 3), repeats=2)
    examples = gatherer(running / "root").ingredient(ingredient, GroupSettings(per_query=2))
    assert [set(example.passages) for example in examples] == [{PASSAGES["a1"], PASSAGES["b1"]}] * 2


def test_a_protected_query_is_in_no_example_of_a_run(running: Path) -> None:
    protected = frozenset({QUERIES["train"]["1"]})
    gather = gatherer(running / "root", protected=protected)
    assert gather.ingredient(Ingredient("running", "run", 10), GroupSettings()) == []
    assert gather.dropped == 1


def test_a_missing_run_is_named(built_root: Path) -> None:
    with pytest.raises(TrainingError, match=r"needs a run, but .*run\.train\.trec doesn't exist"):
        gatherer(built_root).ingredient(Ingredient("small", "run", 10), GroupSettings())


def given_runs(folder: Path, run: list[str]) -> Path:
    """Judged data as it comes, with a run of one of them."""
    write_lines(
        folder / "trec-dl-2022/corpus.jsonl", ['{"_id": "p1", "text": "One."}', '{"_id": "p2", "text": "Two."}']
    )
    write_lines(folder / "trec-dl-2022/queries.tsv", ["1\tfirst", "2\tsecond"])
    if run:
        write_lines(folder / "trec-dl-2022" / SPLADE_RUN, run)
    return folder


def test_a_run_is_laid_out_with_what_the_collection_holds(tmp_path: Path) -> None:
    lines = ["1 Q0 p2 1 9.5 s", "1 Q0 far 2 9.0 s", "1 Q0 p1 3 -2.25 s", "2 Q0 far 1 3.0 s", "7 Q0 p1 1 3.0 s"]
    corpus = prepare(given_runs(tmp_path / "given", lines), tmp_path / "corpora")["trec-dl-2022"]
    expected = Ranking.sort([(PassageId("p2"), 9.5), (PassageId("p1"), -2.25)])
    assert read_run(corpus / "run.train.trec") == {QueryId("1"): expected}


def test_without_a_run_none_is_laid_out(tmp_path: Path) -> None:
    corpus = prepare(given_runs(tmp_path / "given", []), tmp_path / "corpora")["trec-dl-2022"]
    assert {path.name for path in corpus.iterdir()} == {"collection.tsv", "queries.train.tsv"}


def test_a_run_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"splade_p_p_ensemble_distil\.trec:2"):
        prepare(given_runs(tmp_path / "given", ["1 Q0 p2 1 9.5 s", "1 Q0 p1"]), tmp_path / "corpora")


def test_late_interaction_scores_each_example_by_its_own_query(bi_encoder: BiEncoder) -> None:
    logits = LateInteractionTeacher(bi_encoder).scores([BEES, BREAD])
    for example, values in zip((BEES, BREAD), logits, strict=True):
        assert values == pytest.approx(
            LateInteractionReranker(bi_encoder).score(example.query, example.passages).logits, abs=0.1
        )
        assert values.dtype == np.float32


class CountingEncoder:
    """Tokens' vectors from the letters of a text; remembers which texts were encoded."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Floats]:
        return self.encode_tokens(texts)

    def encode_tokens(self, texts: Sequence[str]) -> list[Floats]:
        self.encoded += texts
        return [np.array([[ord(letter) / 128, 1] for letter in text], dtype=np.float32) for text in texts]


def of(*passages: str) -> Example:
    return Example("test", "q", passages, labels=(1.0,) * len(passages))


PAIR_BYTES = 2 * 2 * 2  # of a text of two letters: two vectors of two float16 numbers


def late(encoder: CountingEncoder, cache_bytes: int) -> LateInteractionTeacher:
    return LateInteractionTeacher(cast(BiEncoder, encoder), cache_bytes=cache_bytes)


def test_tokens_of_a_repeated_passage_are_encoded_once() -> None:
    encoder = CountingEncoder()
    teacher = late(encoder, 2 * PAIR_BYTES)
    first = teacher.scores([of("aa", "bb", "aa")])
    again = teacher.scores([of("bb", "aa", "bb")])
    assert encoder.encoded == ["q", "aa", "bb", "q"]
    assert (again[0][1], again[0][0]) == (first[0][0], first[0][1])  # to the bit, kept or not


def test_the_least_recently_used_passages_make_room_for_others() -> None:
    encoder = CountingEncoder()
    teacher = late(encoder, 2 * PAIR_BYTES)
    for passages in (("aa", "bb"), ("aa",), ("cc",), ("aa", "cc"), ("bb",)):
        teacher.scores([of(*passages)])
    # cc takes the place of bb, as aa was met again in between
    assert [text for text in encoder.encoded if text != "q"] == ["aa", "bb", "cc", "bb"]


def test_a_list_larger_than_the_cache_is_scored_all_the_same() -> None:
    encoder = CountingEncoder()
    (logits,) = late(encoder, 0).scores([of("aa", "bb", "cc")])
    assert logits.shape == (3,)
    late_again = late(CountingEncoder(), 1 << 20).scores([of("aa", "bb", "cc")])
    assert logits.tolist() == late_again[0].tolist()


def test_teachers_that_are_open_are_not_opened_again(tiny_bi_encoder: Path) -> None:
    opened: dict[str, Teacher] = {}
    name = f"late-interaction:{tiny_bi_encoder}"
    open_teacher(f"given+{name}", opened)
    before = dict(opened)
    assert set(before) == {"given", name}
    assert open_teacher(name, opened) is before[name]
    open_teacher(f"{name}+first-stage:{tiny_bi_encoder}", opened)
    assert opened[name] is before[name]


def test_the_given_teacher_returns_the_examples_own_scores() -> None:
    scored = replace(BEES, scores=tuple(float(place) for place in range(len(BEES.passages))))
    (logits,) = open_teacher("given").scores([scored])
    assert logits.tolist() == list(scored.scores or ())
    assert logits.dtype == np.float32
    assert isinstance(open_teacher("given+late-interaction"), MeanTeacher)
    with pytest.raises(HubError, match=r"'a\+given-b' is no folder"):  # a folder of that name, not two teachers
        open_teacher("reranker:a+given-b")
    judged = replace(BEES, labels=(1.0,) + (0.0,) * (len(BEES.passages) - 1), scores=None)
    with pytest.raises(SettingsError) as refused:
        open_teacher("given").scores([judged])
    assert str(refused.value) == (
        f"Teacher 'given' uses the examples' own scores, but those of {BEES.source} have none; choose another teacher."
    )


def test_a_teacher_s_name_shows_whether_it_uses_the_examples_own_scores() -> None:
    assert all(map(uses_own_scores, ("given", "given+late-interaction", "first-stage:x+given")))
    assert not any(map(uses_own_scores, ("", "late-interaction", "reranker:a+given-b")))


def test_several_teachers_give_their_mean() -> None:
    fixed = RerankerTeacher(FixedReranker(dict.fromkeys(BEES.passages, 10.0)))
    (logits,) = MeanTeacher([fixed, LengthTeacher()]).scores([BEES])
    assert logits.tolist() == [(10 + len(text)) / 2 for text in BEES.passages]


def test_teachers_are_named_and_joined() -> None:
    assert isinstance(open_teacher("late-interaction"), LateInteractionTeacher)
    assert isinstance(open_teacher("late-interaction+first-stage"), MeanTeacher)
    with pytest.raises(SettingsError, match="Teacher 'reranker:' is unknown"):
        open_teacher("late-interaction+reranker:")
