"""Mining a judged set from an index makes a folder of training data that adds up and can be made again."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import losses
from sentence_transformers.cross_encoder.data_collator import CrossEncoderDataCollator

from indexing import places
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError, TrainingError
from indexing.index import Index, open_index
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import PassageId, Query, QueryId
from search.pipeline import RetrieveAndRerank
from search.settings import FUSIONS, Fusion
from tests.conftest import PASSAGES, QRELS, QUERIES, write_lines
from tests.support.fakes import Reports, WordOverlapReranker
from training.data.ingredients import IngredientReader
from training.data.open_indexes import OpenIndexes
from training.judgments.protection import Protection
from training.mining.files import manifest, read_negatives
from training.mining.first_stage import ServedFirstStage
from training.mining.groups import GroupSettings
from training.mining.mine import Miner, mine_negatives, mine_to
from training.mining.settings import NEGATIVE_FORMS, MiningOptions, MiningSettings, NegativesLayout
from training.recipes.stages import Ingredient

OPEN = MiningSettings(relative_margin=None, per_query=3)


@pytest.fixture
def train(small_corpus: Path) -> JudgedSet:
    return judged_sets(small_corpus)["train"]


def record(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "mined.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("source", FUSIONS)
def test_every_source_gives_negatives_that_nobody_judged_relevant(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path, source: Fusion
) -> None:
    report = mine_to(tmp_path / "mined", Miner.open(pipeline, OPEN, fusion=source), train)
    queries = record(tmp_path / "mined")
    assert [query["query_id"] for query in queries] == ["1", "2"]
    for query in queries:
        judged = QRELS["train"][query["query_id"]]
        assert {entry["id"] for entry in query["positives"]} == {name for name, grade in judged.items() if grade > 0}
        assert query["negatives"]
        assert all(judged.get(entry["id"], 0) == 0 for entry in query["negatives"])
    assert report.negatives == sum(len(query["negatives"]) for query in queries)
    assert report.candidates == report.negatives + report.not_drawn + sum(report.dropped.values())
    assert report.positives == sum(report.positive_counts) == 2 + 2
    assert sum(report.negative_counts) == report.negatives


def test_ranks_and_scores_are_the_first_stages(pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path) -> None:
    mine_to(
        tmp_path / "mined",
        Miner.open(pipeline, MiningSettings(relative_margin=None, sampling="top"), fusion="dense"),
        train,
    )
    stage = ServedFirstStage(pipeline, fusion="dense", depth=100)
    for entry, query in zip(record(tmp_path / "mined"), train.queries, strict=True):
        found = {item.passage_id: item for item in stage.candidates(query, train.qrels[query.id]).ranking}
        for negative in entry["negatives"]:
            assert (negative["rank"], negative["score"]) == (found[negative["id"]].rank, found[negative["id"]].score)


@pytest.mark.parametrize("form", NEGATIVE_FORMS)
def test_every_form_holds_whole_texts(pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path, form: str) -> None:
    mine_to(tmp_path / "mined", Miner.open(pipeline, OPEN, fusion="dense"), train)
    texts = set(PASSAGES.values())
    for row in read_negatives(tmp_path / "mined", form):
        assert row.pop("query") in QUERIES["train"].values()
        for name, value in row.items():
            assert name.startswith("label") or {*(value if isinstance(value, list) else [value])} <= texts


@pytest.mark.parametrize(
    ("form", "loss"),
    [
        ("triplets", losses.MultipleNegativesRankingLoss),
        ("n-tuples", losses.CachedMultipleNegativesRankingLoss),
        ("labeled-pairs", losses.BinaryCrossEntropyLoss),
        *(("labeled-lists", loss) for loss in (losses.LambdaLoss, losses.ListNetLoss, losses.RankNetLoss)),
        *(("labeled-lists", loss) for loss in (losses.ListMLELoss, losses.PListMLELoss)),
    ],
)
def test_losses_take_the_rows_as_they_are_read(
    pipeline: RetrieveAndRerank, train: JudgedSet, tiny_cross_encoder: Path, tmp_path: Path, form: str, loss: Any
) -> None:
    mine_to(
        tmp_path / "mined",
        Miner.open(pipeline, OPEN, fusion="dense"),
        train,
        layout=NegativesLayout((form,), scores=True),
    )
    model = CrossEncoder(str(tiny_cross_encoder), device="cpu")
    batch = CrossEncoderDataCollator(preprocess_fn=model.preprocess)(read_negatives(tmp_path / "mined", form).to_list())
    labels = batch.pop("label", None)
    value = loss(model)(list(batch.values()), labels)
    assert math.isfinite(value.item())
    assert value.item() > 0


def test_a_margin_drops_what_is_above_the_lowest_positive(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path
) -> None:
    settings = MiningSettings(relative_margin=0.0, per_query=20, sampling="top")
    report = mine_to(tmp_path / "mined", Miner.open(pipeline, settings, fusion="dense"), train)
    assert report.dropped["relative margin"] > 0
    for query in record(tmp_path / "mined"):
        lowest = min(entry["score"] for entry in query["positives"])
        judged = QRELS["train"][query["query_id"]]
        assert all(entry["score"] <= lowest for entry in query["negatives"] if entry["id"] not in judged)


def test_a_re_ranker_scores_positives_and_candidates_once(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path, reranker: WordOverlapReranker
) -> None:
    report = mine_to(tmp_path / "mined", Miner.open(pipeline, OPEN, fusion="bm25", reranker=reranker), train)
    assert report.scale == "logits of word overlap"
    assert [query for query, _ in reranker.asked] == list(QUERIES["train"].values())
    assert report.rescored == sum(len(passages) for _, passages in reranker.asked)
    logits = {
        (query, passage): logit
        for query, passages in list(reranker.asked)
        for passage, logit in zip(passages, reranker.score(query, passages).logits.tolist(), strict=True)
    }
    for entry in record(tmp_path / "mined"):
        query = QUERIES["train"][entry["query_id"]]
        for passage in (*entry["positives"], *entry["negatives"]):
            assert passage["score"] == logits[query, PASSAGES[passage["id"]]]


def test_the_same_settings_make_the_same_bytes_and_another_seed_does_not(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path
) -> None:
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        settings = MiningSettings(relative_margin=None, sampling="random", seed=seed)
        mine_to(tmp_path / name, Miner.open(pipeline, settings, fusion="rrf"), train)
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).glob("*.jsonl")} for name in ("one", "two")]
    assert files[0] == files[1]
    assert len(files[0]) == len(NEGATIVE_FORMS) + 1
    assert record(tmp_path / "one") != record(tmp_path / "other")


def test_a_querys_negatives_do_not_depend_on_the_other_queries(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path
) -> None:
    turned = JudgedSet("train", train.queries[::-1], train.qrels)
    mine_to(tmp_path / "one", Miner.open(pipeline, OPEN, fusion="rrf"), train)
    mine_to(tmp_path / "two", Miner.open(pipeline, OPEN, fusion="rrf"), turned)
    assert record(tmp_path / "one") == record(tmp_path / "two")[::-1]


def test_the_manifest_says_what_was_mined_from_what_and_how(
    pipeline: RetrieveAndRerank, small_index: Index, train: JudgedSet, tmp_path: Path
) -> None:
    report = mine_to(
        tmp_path / "mined",
        Miner.open(pipeline, OPEN, fusion="bm25"),
        train,
        layout=NegativesLayout(("triplets",), scores=True),
    )
    values = manifest(tmp_path / "mined")
    assert values["index"]["build"] == small_index.manifest.build
    assert values["settings"]["seed"] == OPEN.seed
    assert values["settings"]["ranks"] == [1, 100]
    assert (values["source"], values["reranker"], values["split"]) == ("bm25", None, "train")
    assert values["report"]["dropped"] == report.dropped
    assert values["rows"]["mined"] == 2
    assert values["files"].keys() == {"triplets.jsonl", "mined.jsonl"}
    assert len(read_negatives(tmp_path / "mined", "triplets", scores=True)) == values["rows"]["triplets"] > 0


def test_queries_are_mined_one_at_a_time(pipeline: RetrieveAndRerank, train: JudgedSet) -> None:
    seen = Reports()
    stage = ServedFirstStage(pipeline, fusion="bm25", depth=100)
    mined = Miner(stage, OPEN).mine(train, progress=seen)
    assert next(mined).query_id == "1"
    assert seen.rows == []
    assert next(mined).query_id == "2"
    assert seen.rows == [("mine", 1, 2)]
    assert list(mined) == []
    assert seen.rows == [("mine", 1, 2)] * 2


def test_protected_queries_are_left_out_and_counted(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path
) -> None:
    for name, protection in (
        ("id", Protection(ids=frozenset({QueryId("1")}))),
        ("text", Protection(texts=frozenset({"how do bees make honey"}))),
    ):
        report = mine_to(tmp_path / name, Miner.open(pipeline, OPEN, fusion="bm25"), train, protection=protection)
        assert (report.protected, report.queries) == (1, 1)
        assert [entry["query_id"] for entry in record(tmp_path / name)] == ["2"]
    everything = Protection(ids=frozenset(query.id for query in train.queries))
    with pytest.raises(TrainingError, match="all are protected"):
        mine_to(tmp_path / "none", Miner.open(pipeline, OPEN, fusion="bm25"), train, protection=everything)


def test_an_empty_judged_set_is_told(pipeline: RetrieveAndRerank, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the set is empty; choose other judgments or --protect"):
        mine_to(tmp_path / "none", Miner.open(pipeline, OPEN, fusion="bm25"), JudgedSet("train", (), {}))


def test_what_is_there_is_not_overwritten(pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is there already"):
        mine_to(tmp_path, Miner.open(pipeline, OPEN, fusion="bm25"), train)


def test_where_nothing_is_left_it_says_which_rules_dropped_it(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"for 2 queries .* min score \d+"):
        mine_to(tmp_path / "mined", Miner.open(pipeline, MiningSettings(min_score=1e6), fusion="bm25"), train)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_mining_that_fails(pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path) -> None:
    long = Query(QueryId("9"), "x" * 3000)
    judged = JudgedSet("train", (*train.queries, long), {**train.qrels, long.id: {PassageId("a1"): 1}})
    with pytest.raises(SettingsError, match="Query 9"):
        mine_to(tmp_path / "mined", Miner.open(pipeline, OPEN, fusion="bm25"), judged)
    assert list(tmp_path.iterdir()) == []


def test_a_query_whose_positives_the_index_lacks_is_counted(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path
) -> None:
    qrels = {**train.qrels, QueryId("1"): {PassageId("gone"): 3}}
    judged = JudgedSet("train", train.queries, qrels)
    report = mine_to(tmp_path / "mined", Miner.open(pipeline, OPEN, fusion="bm25"), judged)
    assert (report.queries, report.without_positive) == (2, 1)
    assert record(tmp_path / "mined")[0] == {"query_id": "1", "positives": [], "negatives": []}


def test_a_copy_of_a_positive_is_neither_mined_nor_in_a_training_group(
    small_corpus: Path, tiny_bi_encoder: Path, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    shutil.copytree(small_corpus, tmp_path / "corpus")
    copies = {"e1": PASSAGES["a1"].upper(), "e2": f"{PASSAGES['c1']} Sourdough bread."}
    passages = PASSAGES | copies
    write_lines(tmp_path / "corpus/collection.tsv", [f"{key}\t{text}" for key, text in passages.items()])
    root = tmp_path / "root"
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(tmp_path / "corpus"), name="copies", root=root, settings=settings)
    pipeline = RetrieveAndRerank(open_index("copies", root=root), bi_encoder, None)
    every = MiningSettings(relative_margin=None, per_query=50)
    judged = judged_sets(tmp_path / "corpus")["train"]
    report = mine_to(tmp_path / "mined", Miner.open(pipeline, every, fusion="dense"), judged)
    assert report.dropped["near-duplicate"] == 2
    found = {query["query_id"]: {entry["id"] for entry in query["negatives"]} for query in record(tmp_path / "mined")}
    assert found["1"] & copies.keys() == {"e2"}  # the other query's copy is no copy
    assert len(found["2"] & {"a1", "e1"}) == 1  # they say the same
    gatherer = IngredientReader(OpenIndexes(root), protection=Protection())
    groups = GroupSettings(per_query=50, relative_margin=None)
    own = {QUERIES["train"]["1"]: copies["e1"], QUERIES["train"]["2"]: copies["e2"]}
    for example in gatherer.ingredient(Ingredient("copies", "judged", 10), groups):
        assert own[example.query] not in example.passages
        assert len(set(map(str.lower, example.passages))) == len(example.passages)
        assert len(example.passages) == len(PASSAGES) + (example.query == QUERIES["train"]["1"])


def test_one_call_mines_the_train_split_of_an_index_by_name(
    built_root: Path, pipeline: RetrieveAndRerank, train: JudgedSet, small_corpus: Path, tmp_path: Path
) -> None:
    report = mine_negatives("small", tmp_path / "mined", OPEN, root=built_root)
    protection = Protection.read((), [places.sample(), small_corpus])
    assert report == mine_to(tmp_path / "same", Miner.open(pipeline, OPEN), train, protection=protection)
    assert record(tmp_path / "mined") == record(tmp_path / "same")
    assert (report.queries, report.protected, report.absent) == (1, 1, 0)  # the sample asks one of them too
    options = MiningOptions(fusion="dense", layout=NegativesLayout(("triplets",)))
    assert mine_negatives("small", tmp_path / "dense", OPEN, options, root=built_root).scale == "dense"
    assert {path.name for path in (tmp_path / "dense").iterdir()} == {"triplets.jsonl", "mined.jsonl", "manifest.json"}


def everything_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


def test_a_stopped_mining_goes_on_and_writes_the_same_bytes(
    built_root: Path, small_corpus: Path, tmp_path: Path
) -> None:
    long = f"{'glacier ice valley ' * 200}"
    queries = write_lines(tmp_path / "q.tsv", ["10\thow are combs made", "11\twhat do lamps need", f"12\t{long}"])
    qrels = write_lines(tmp_path / "qrels.tsv", ["10 0 a1 1", "11 0 b1 1", "12 0 d1 1"])
    options = MiningOptions(queries=queries, qrels=qrels)
    settings = MiningSettings(relative_margin=None, per_query=3)
    whole = mine_negatives("small", tmp_path / "whole", settings, options, root=built_root, note=lambda _: None)
    mined = 0

    def stop(phase: str, count: int, total: int) -> None:
        nonlocal mined
        mined += count
        if mined == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mine_negatives("small", tmp_path / "out", settings, options, root=built_root, progress=stop)
    assert not (tmp_path / "out").exists()
    other = MiningSettings(relative_margin=None, per_query=4)
    with pytest.raises(SettingsError, match=r"out\.partial keeps .*per_query 3, now 4"):
        mine_negatives("small", tmp_path / "out", other, options, root=built_root)
    notes: list[str] = []
    assert mine_negatives("small", tmp_path / "out", settings, options, root=built_root, note=notes.append) == whole
    assert "Going on with the mining that was stopped after 2 queries." in notes
    assert any(note.startswith("1 query is longer than the 2,000 characters") for note in notes), notes
    assert everything_in(tmp_path / "out") == everything_in(tmp_path / "whole")
    assert not (tmp_path / "out.partial").exists()


def test_a_query_that_is_a_passage_is_neither_its_own_positive_nor_negative(
    pipeline: RetrieveAndRerank, tmp_path: Path
) -> None:
    own = Query(QueryId("a1"), f" {PASSAGES['a1']} ")
    judged = JudgedSet(
        "train",
        (own, Query(QueryId("b1"), PASSAGES["a1"])),
        {
            QueryId("a1"): {PassageId("a1"): 1, PassageId("a2"): 1},
            QueryId("b1"): {PassageId("a2"): 1},
        },
    )
    mine_to(tmp_path / "mined", Miner.open(pipeline, MiningSettings(relative_margin=None, per_query=50)), judged)
    first, second = record(tmp_path / "mined")
    assert [entry["id"] for entry in first["positives"]] == ["a2"]
    assert "a1" not in {entry["id"] for entry in first["negatives"]}
    assert "a1" in {entry["id"] for entry in second["negatives"]}  # its id is another


def test_queries_without_their_judgments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"q\.tsv alone doesn't say what is judged; give both queries and qrels"):
        MiningOptions(queries=tmp_path / "q.tsv")
