"""Every source gives examples, protected queries are in none of them, and what is left out is counted."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import SecondLookError, SettingsError, TrainingError
from indexing.index import Index
from indexing.judged.sets import judged_sets
from indexing.records import QueryId
from search.pipeline import RetrieveAndRerank
from tests.conftest import PASSAGES, QRELS, QUERIES, write_lines
from tests.unit.indexing.corpus.hub_folders import repository
from training.data.collect import collect
from training.data.open_indexes import OpenIndexes
from training.data.questions import ColdStart
from training.data.settings import DataSettings
from training.example import CONTRADICTED, Example
from training.judgments.protection import Protection
from training.mining.mine import Miner, mine_to
from training.mining.settings import MiningSettings, NegativesLayout
from training.recipes.catalog import LAMBDA_HARD_NEG, LOSS_RECIPES, find_loss_recipe
from training.recipes.row_files import write_rows
from training.source import SOURCE_USAGE, Source
from training.targets import TargetSettings
from training.teachers import teacher as teachers

OPEN = Protection()
HONEY, BREAD = QUERIES["train"].values()
NAMES = {text: name for name, text in PASSAGES.items()}
LINES = [
    {"query": f"question {number}", "positives": [f"answer {number}"], "negatives": ["no", "not this"]}
    for number in range(4)
]
MINING = MiningSettings(per_query=3, relative_margin=None)


def jsonl(folder: Path, records: list[dict[str, Any]] | None = None, name: str = "judged.jsonl") -> str:
    lines = [json.dumps(record) for record in (LINES if records is None else records)]
    return f"jsonl:{write_lines(folder / name, lines)}"


def data_of(*sources: str, **settings: Any) -> DataSettings:
    return DataSettings(sources=tuple(map(Source.parse, sources)), **settings)


def read(
    data: DataSettings, root: Path, *, recipe: str = "listnet", protection: Protection = OPEN
) -> tuple[list[Example], Counter[str], Counter[str]]:
    """All examples, what was left out, and how much of each phase was done."""
    dropped: Counter[str] = Counter()
    phases: Counter[str] = Counter()

    def progress(name: str, done: int, total: int) -> None:
        phases[name] += done
        assert total == 0 or phases[name] <= total

    examples = collect(
        find_loss_recipe(recipe),
        data,
        protection=protection,
        dropped=dropped,
        indexes=OpenIndexes(root),
        progress=progress,
    )
    return list(examples), dropped, phases


def graded(example: Example) -> Mapping[str, float]:
    """Label of each passage, by its id."""
    assert example.labels is not None
    return {NAMES[text]: label for text, label in zip(example.passages, example.labels, strict=True)}


def test_an_index_source_has_its_corpus_s_train_judgments_with_mined_negatives(built_root: Path) -> None:
    examples, dropped, phases = read(data_of("index:small", mining=MINING), built_root)
    assert [(example.query_id, example.query) for example in examples] == list(QUERIES["train"].items())
    for example in examples:
        grades, judged = graded(example), QRELS["train"][example.query_id or ""]
        assert len(grades) == 3 + 1
        assert {name for name, label in grades.items() if label > 0} == {name for name in judged if judged[name] > 0}
        assert example.scores is None
    assert not dropped
    assert phases == {"mine small": 2}


def test_a_recipe_that_needs_scores_gets_the_index_s_cosines_as_logits(built_root: Path, bi_encoder: BiEncoder) -> None:
    examples, *_ = read(data_of("index:small", mining=MINING), built_root, recipe="distill-mse")
    assert len(examples) == 2
    for example in examples:
        cosines = bi_encoder.encode_passages(example.passages) @ bi_encoder.encode_query(example.query)
        assert example.scores == pytest.approx(((cosines - 0.5) * 20).tolist(), abs=0.05)


def test_local_judgments_need_no_index(tmp_path: Path) -> None:
    examples, dropped, _ = read(data_of(jsonl(tmp_path)), tmp_path)
    assert [example.query for example in examples] == [f"question {number}" for number in range(4)]
    assert examples[0].passages == ("answer 0", "no", "not this")
    assert examples[0].labels == (1.0, 0.0, 0.0)
    assert not dropped


def test_feedback_is_a_source(tmp_path: Path) -> None:
    line = {"query": "bees", "passage_id": "a", "passage": "honey", "grade": 3, "rater": "x", "protected": False}
    lines = [line, line | {"passage": "paper", "grade": 0}, line | {"query": "exam", "protected": True}]
    path = write_lines(tmp_path / "feedback.jsonl", [json.dumps(record | {"index": "small"}) for record in lines])
    examples, dropped, _ = read(data_of(f"feedback:{path}"), tmp_path)
    assert [(example.query, example.passages) for example in examples] == [("bees", ("honey", "paper"))]
    assert dropped == {"protected query": 1}


def test_mined_negatives_are_a_source(tmp_path: Path, pipeline: RetrieveAndRerank, small_corpus: Path) -> None:
    judged = judged_sets(small_corpus)["train"]
    miner = Miner.open(pipeline, MINING, fusion="dense")
    mine_to(tmp_path / "mined", miner, judged, layout=NegativesLayout(("labeled-lists",)))
    examples, *_ = read(data_of(f"mined:{tmp_path / 'mined'}"), tmp_path)
    assert {example.query for example in examples} == {HONEY, BREAD}
    for example in examples:
        query_id = next(key for key, text in QUERIES["train"].items() if text == example.query)
        positives = {name for name, grade in QRELS["train"][query_id].items() if grade > 0}
        assert {name for name, label in graded(example).items() if label > 0} == positives
        assert len(example.passages) == len(positives) + 3


def hub(folder: Path) -> str:
    rows = [
        {
            "query_id": number,
            "query": query,
            "passages": {"passage_text": ["One.", "Two."], "is_selected": [1, selected], "url": ["", ""]},
            "answers": [],
        }
        for number, (query, selected) in enumerate([("first", 0), ("second", 0)])
    ]
    rows.append({**rows[0], "query": "third", "passages": {"passage_text": ["One."], "is_selected": [0], "url": [""]}})
    return f"hub:{repository(folder, {'v1.1': rows})}"


def test_a_folder_in_the_hub_s_layout_is_a_source(tmp_path: Path) -> None:
    examples, dropped, _ = read(data_of(hub(tmp_path / "hub")), tmp_path)
    assert [(example.query, example.labels) for example in examples] == [("first", (1, 0)), ("second", (1, 0))]
    assert dropped == {"query without a relevant passage": 1}


def test_contradictions_are_counted_within_and_across_sources(tmp_path: Path) -> None:
    row = {"query_id": 1, "query": "First?", "passages": {"passage_text": ["one", "A."], "is_selected": [0, 1]}}
    twice = {"query_id": 2, "query": "x", "passages": {"passage_text": ["A.", "a", "B."], "is_selected": [1, 0, 0]}}
    other = f"hub:{repository(tmp_path / 'other', {'v1.1': [row, twice]})}"
    examples, dropped, _ = read(data_of(hub(tmp_path / "hub"), other), tmp_path)
    assert [(example.passages, example.labels) for example in examples[2:]] == [(("A.",), (1,)), (("A.", "B."), (1, 0))]
    assert dropped == {"query without a relevant passage": 1, CONTRADICTED: 2}


def test_sources_are_read_one_after_the_other_each_up_to_the_limit(tmp_path: Path, built_root: Path) -> None:
    sources = (jsonl(tmp_path), "index:small", hub(tmp_path / "hub"))
    examples, *_ = read(data_of(*sources, limit=1, mining=MINING), built_root)
    queries = [example.query for example in examples]
    assert queries[0] == "question 0"
    assert queries[1] in (HONEY, BREAD)
    assert queries[2:] == ["first"]


@pytest.mark.parametrize(
    ("protection", "left"),
    [
        (Protection(texts=frozenset({"question 1", "question 3"})), ["question 0", "question 2"]),
        (Protection(ids=frozenset({QueryId("id 0")})), ["question 1", "question 2", "question 3"]),
    ],
)
def test_protected_queries_are_left_out_and_counted(tmp_path: Path, protection: Protection, left: list[str]) -> None:
    records = [
        {**line, "query": f"Question  {number}?", "query_id": f"id {number}"} for number, line in enumerate(LINES)
    ]
    examples, dropped, _ = read(data_of(jsonl(tmp_path, records)), tmp_path, protection=protection)
    assert [example.query.lower().rstrip("?") for example in examples] == left
    assert dropped == {"protected query": 4 - len(left)}


def test_protected_queries_of_an_index_are_left_out_and_counted(built_root: Path) -> None:
    protection = Protection(texts=frozenset({HONEY}))
    examples, dropped, _ = read(data_of("index:small", mining=MINING), built_root, protection=protection)
    assert [example.query for example in examples] == [BREAD]
    assert dropped == {"protected query": 1}


def test_a_collection_s_held_out_ids_protect_only_its_own_queries(
    tmp_path: Path, built_root: Path, small_corpus: Path
) -> None:
    protection = Protection(own={small_corpus.resolve(): frozenset({QueryId("1")})})
    data = data_of("index:small", jsonl(tmp_path, [LINES[0] | {"query_id": "1"}]), mining=MINING)
    examples, dropped, _ = read(data, built_root, protection=protection)
    assert [example.query for example in examples] == [BREAD, "question 0"]
    assert dropped == {"protected query": 1}


def test_a_teacher_scores_unprotected_examples(tmp_path: Path, tiny_bi_encoder: Path) -> None:
    data = data_of(jsonl(tmp_path), teacher=f"first-stage:{tiny_bi_encoder}")
    protection = Protection(texts=frozenset({"question 1"}))
    examples, dropped, phases = read(data, tmp_path, recipe="distill-mse", protection=protection)
    assert [len(example.scores or ()) for example in examples] == [3, 3, 3]
    assert (dropped, phases) == ({"protected query": 1}, {"teach": 3})


def test_a_first_stage_that_names_no_model_teaches_with_the_index_s_own(
    built_root: Path, tiny_bi_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def note(model: str) -> BiEncoder:
        opened.append(model)
        return BiEncoder(model)

    monkeypatch.setattr(teachers, "BiEncoder", note)
    for teacher in ("first-stage", "late-interaction"):
        read(data_of("index:small", teacher=teacher), built_root, recipe="distill-mse")
    assert opened == [str(tiny_bi_encoder)] * 2


def test_a_teacher_of_a_recipe_that_learns_from_judgments_is_refused_or_told(
    tmp_path: Path, tiny_bi_encoder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = data_of(jsonl(tmp_path), teacher=f"first-stage:{tiny_bi_encoder}")
    with pytest.raises(SettingsError, match=r"bce learns from judgments alone, so teacher first-stage:.* would teach"):
        read(data, tmp_path, recipe="bce")
    read(data, tmp_path, recipe="listnet")
    assert caplog.messages[-1].startswith("listnet learns from the grades of a list that has any, and there teacher")


def test_hard_negatives_are_added_from_the_index(tmp_path: Path, built_root: Path) -> None:
    line = {"query": HONEY, "positives": [PASSAGES["a1"]], "negatives": ["no"]}
    examples, _, phases = read(data_of(jsonl(tmp_path, [line]), index="small"), built_root, recipe="lambda-hard-neg")
    ((_, *others),) = [example.passages for example in examples]
    assert others[0] == "no"
    assert len(others) == 1 + 9
    assert set(others[1:]) <= set(PASSAGES.values()) - {PASSAGES["a1"]}
    assert examples[0].labels == (1.0, *[0.0] * 10)
    assert phases == {"mine": 1}
    plain, *_ = read(data_of(jsonl(tmp_path, [line]), index="small"), built_root, recipe="lambda")
    assert plain[0].passages == (PASSAGES["a1"], "no")


def test_hard_negatives_without_an_index_are_refused_with_the_indexes_names(tmp_path: Path, built_root: Path) -> None:
    with pytest.raises(SettingsError, match=r"^lambda-hard-neg mines negatives from an index; name one of: small\.$"):
        read(data_of(jsonl(tmp_path)), built_root, recipe="lambda-hard-neg")
    examples, *_ = read(data_of("index:small"), built_root, recipe="lambda-hard-neg")
    assert {example.query for example in examples} == {HONEY, BREAD}


def test_hard_negatives_are_mined_as_the_recipe_s_authors_do() -> None:
    hard = LAMBDA_HARD_NEG.mining
    assert hard is not None
    assert (hard.per_query, hard.ranks) == (9, (3, 30))
    assert (hard.relative_margin, hard.absolute_margin) == (None, None)


def test_a_cold_start_makes_queries_from_the_passages(built_root: Path, small_index: Index) -> None:
    cold = ColdStart(queries=5, per_list=4, depth=10)
    for data in (DataSettings(index="small", cold=cold), data_of("index:small", cold=cold)):
        examples, _, phases = read(data, built_root, recipe="cold-start")
        assert len(examples) == 5
        assert {len(example.passages) for example in examples} == {4}
        assert phases == {"ask the passages": 5}
    limited, *_ = read(replace(data, limit=2), built_root, recipe="cold-start")
    assert len(limited) == 2
    protection = Protection(texts=frozenset({examples[0].query}))
    fewer, *_ = read(data, built_root, recipe="cold-start", protection=protection)
    assert examples[0].query not in {example.query for example in fewer}


def test_a_cold_start_without_an_index_is_refused_with_the_indexes_names(built_root: Path) -> None:
    with pytest.raises(SettingsError, match=r"^cold-start trains for one corpus; name its index, one of: small\.$"):
        read(DataSettings(), built_root, recipe="cold-start")


def test_an_index_without_judgments_is_refused(tmp_path: Path, small_corpus: Path, tiny_bi_encoder: Path) -> None:
    (tmp_path / "corpus").mkdir()
    shutil.copy(small_corpus / "collection.tsv", tmp_path / "corpus")
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(tmp_path / "corpus"), name="bare", root=tmp_path / "root", settings=settings)
    with pytest.raises(
        SettingsError,
        match=r"bare has no judged train queries \(there: none\); choose other data, or a recipe that needs no "
        r"judgments\.$",
    ):
        read(data_of("index:bare"), tmp_path / "root")


def run_file(folder: Path) -> Path:
    """A run of both train queries, of a dev query, and with a passage that the index lacks."""
    ranked = {"1": "a1 a3 a2 b1 c1 d1", "2": "c1 zz c2 a1 b1 d1", "3": "d2 d1 a1"}
    lines = [
        f"{key} Q0 {name} 0 {-place} r" for key, names in ranked.items() for place, name in enumerate(names.split())
    ]
    return write_lines(folder / "run.trec", lines)


def test_a_run_s_scores_are_a_teacher(tmp_path: Path, built_root: Path) -> None:
    source = f"run:{run_file(tmp_path)},index=small"
    examples, dropped, _ = read(data_of(source), built_root, recipe="distill-mse")
    assert [(example.query_id, example.query) for example in examples] == list(QUERIES["train"].items())
    assert [NAMES[text] for text in examples[1].passages] == ["c1", "c2", "a1", "b1", "d1"]
    assert (examples[0].source, examples[0].labels) == ("run run.trec", None)
    for example in examples:
        scores = example.scores or ()
        assert (sum(scores), sum(score**2 for score in scores)) == pytest.approx((0, 4 * len(scores)), abs=1e-4)
    assert dropped == {"query without a text": 1, "passage that the index lacks": 1}


def test_a_run_has_the_scores_that_its_recipe_needs(tmp_path: Path, built_root: Path) -> None:
    data = data_of(f"run:{run_file(tmp_path)},index=small")
    for recipe in ("distill-mse", "distill-margin-mse", "adrmse", "listnet", "lambda", "listmle", "ranknet"):
        examples, *_ = read(data, built_root, recipe=recipe)
        form = LOSS_RECIPES[recipe].form
        assert write_rows(tmp_path / recipe, examples, form, seed=1).examples == {"run run.trec": 2}
    for recipe in ("bce", "cmnrl"):
        with pytest.raises(TrainingError, match=r"run run\.trec have no labels.*choose a recipe"):
            write_rows(tmp_path / recipe, read(data, built_root, recipe=recipe)[0], LOSS_RECIPES[recipe].form, seed=1)


def test_a_run_s_protected_queries_are_left_out_by_id_and_text_within_the_limit(
    tmp_path: Path, built_root: Path
) -> None:
    data = data_of(f"run:{run_file(tmp_path)},index=small")
    for protection in (Protection(texts=frozenset({HONEY})), Protection(ids=frozenset({QueryId("1")}))):
        examples, dropped, _ = read(data, built_root, recipe="adrmse", protection=protection)
        assert [example.query for example in examples] == [BREAD]
        assert dropped["protected query"] == 1
    examples, *_ = read(replace(data, limit=1), built_root, recipe="adrmse")
    assert [example.query for example in examples] == [HONEY]


def test_a_run_reads_its_own_index_and_may_have_its_own_queries(tmp_path: Path, built_root: Path) -> None:
    queries = write_lines(tmp_path / "q.tsv", ["3\twhich stones does ice leave"])
    source = f"run:{run_file(tmp_path)},queries={queries},index=small"
    examples, *_ = read(data_of(source, index="another"), built_root, recipe="adrmse")
    assert [(example.query, len(example.passages)) for example in examples] == [("which stones does ice leave", 3)]
    with pytest.raises(SettingsError, match=r"run\.trec needs index; add ,index=NAME\.$"):
        read(data_of(f"run:{run_file(tmp_path)}"), built_root, recipe="adrmse")


def judged_source(folder: Path) -> str:
    queries = write_lines(folder / "own.tsv", ["x1\twhat do bees store", "x2\twhere do wasps live", "x3\tunjudged"])
    qrels = write_lines(folder / "own.qrels", ["x1 0 a1 3", "x1 0 gone 1", "x2 0 a4 1", "x9 0 a1 1"])
    return f"judged:small,queries={queries},qrels={qrels}"


def test_judgments_in_any_files_are_mined_like_an_index_s_own(tmp_path: Path, built_root: Path) -> None:
    data = data_of(judged_source(tmp_path), mining=MINING)
    examples, dropped, phases = read(data, built_root)
    assert [(example.query_id, example.query) for example in examples] == [
        ("x1", "what do bees store"),
        ("x2", "where do wasps live"),
    ]
    for example, positive in zip(examples, ({"a1": 3.0}, {"a4": 1.0}), strict=True):
        grades = graded(example)
        assert {name: label for name, label in grades.items() if label > 0} == positive
        assert len(grades) == 1 + 3
    assert dropped == {
        "query without judgments": 1,
        "query without a text": 1,
        "passage that the index lacks": 1,
    }
    assert phases == {"mine small": 2}
    scored, *_ = read(data, built_root, recipe="distill-mse")
    assert all(example.scores for example in scored)
    hard, *_ = read(data, built_root, recipe="lambda-hard-neg")
    assert {len(example.passages) for example in hard} == {10}  # 1 positive and the 9 of its own mining


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("judged:small,queries=gone,qrels=gone", "The queries file gone doesn't exist; give one that does."),
        ("judged:other,queries=gone,qrels=gone", "other"),
    ],
)
def test_judgments_that_cannot_be_read_are_named(built_root: Path, source: str, message: str) -> None:
    with pytest.raises(SecondLookError, match=message):
        read(data_of(source), built_root)


def test_the_given_teacher_uses_an_index_s_first_stage_scores(built_root: Path, tiny_bi_encoder: Path) -> None:
    data = data_of("index:small", mining=MINING)
    plain, own_scores, other = (
        read(replace(data, teacher=teacher), built_root, recipe="distill-mse")[0]
        for teacher in ("", "given", f"given+first-stage:{tiny_bi_encoder}")
    )
    assert [example.passages for example in own_scores] == [example.passages for example in plain]
    assert own_scores[0].scores == pytest.approx(plain[0].scores)
    # the first stage is also the second teacher, so that their mean says the same
    assert other[0].scores == pytest.approx(plain[0].scores, abs=0.1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sources": ()}, f"No source of training data is named; give {SOURCE_USAGE}."),
        ({"limit": 0}, "limit is 0 examples; give 1 or more."),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        DataSettings(**values)
    assert str(refused.value) == message


def test_every_index_that_is_read_is_named() -> None:
    assert data_of("index:b", "hub", "index:a", index="c").indexes() == ["a", "b", "c"]
    assert data_of("index:a", index="a").indexes() == ["a"]
    assert DataSettings().indexes() == []
    assert data_of("run:r,index=b", "judged:a,queries=q,qrels=r", "jsonl:r").indexes() == ["a", "b"]


def test_distill_list_mixes_grades_with_scores_by_the_settings_weights(tmp_path: Path) -> None:
    candidates = [{"text": "yes", "grade": 3, "score": 2}, {"text": "no", "grade": 0, "score": 4}]
    line = json.dumps({"query_id": "1", "query": "which", "candidates": candidates})
    source = f"lists:{write_lines(tmp_path / 'lists.jsonl', [line])}"
    target = TargetSettings(grade=1, teacher=0.5, temperature=2)
    (mixed,), *_ = read(data_of(source, target=target), tmp_path, recipe="distill-list")
    assert mixed.scores == ((3 + 1) / 2, (0 + 2) / 2)
    (plain,), *_ = read(data_of(source, target=target), tmp_path, recipe="listnet")
    assert plain.scores == (2, 4)
    assert plain.labels == (3, 0)


def test_settings_without_target_weights_of_their_own_read_as_before_there_were_any() -> None:
    assert "target" not in DataSettings().as_json()
    assert DataSettings(target=TargetSettings(grade=1)).as_json()["target"]["grade"] == 1
