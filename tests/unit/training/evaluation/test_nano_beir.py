"""NanoBEIR by sentence-transformers' evaluator, on a hand-made folder in the hub's layout and a tiny model."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from sentence_transformers import CrossEncoder

from indexing.errors import CorpusError, HubError, ModelError, SettingsError
from tests.unit.indexing.corpus.hub_folders import Records, in_splits
from training.evaluation.nano_beir import NanoBeir, evaluate_nano_beir, nano_beir_json, nano_beir_table
from training.evaluation.settings import NANO_BEIR_SETS

TEXTS = {
    "p1": "Bees make honey from nectar.",
    "p2": "A moraine is a ridge of stones that a glacier left.",
    "p3": "Rye bread keeps fresh for a week.",
    "p4": "Red buoys stand to port.",
}
QUERIES = {"q1": "how is honey made", "q2": "what is a moraine"}
LISTS = {"q1": ["p3", "p1", "p4"], "q2": ["p4", "p3"]}  # q2's positive, p2, was missed
POSITIVES = {"q1": "p1", "q2": "p2"}


def tables() -> dict[str, dict[str, Records]]:
    return {
        "corpus": {NANO_BEIR_SETS["msmarco"]: [{"_id": key, "text": text} for key, text in TEXTS.items()]},
        "queries": {NANO_BEIR_SETS["msmarco"]: [{"_id": key, "text": text} for key, text in QUERIES.items()]},
        "qrels": {NANO_BEIR_SETS["msmarco"]: [{"query-id": key, "corpus-id": name} for key, name in POSITIVES.items()]},
        "bm25": {NANO_BEIR_SETS["msmarco"]: [{"query-id": key, "corpus-ids": names} for key, names in LISTS.items()]},
    }


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> str:
    return in_splits(tmp_path_factory.mktemp("hub") / "nano", tables())


def logits(model: Path, query: str, names: list[str]) -> dict[str, float]:
    encoder = CrossEncoder(str(model), device="cpu", activation_fn=torch.nn.Identity())
    return dict(zip(names, encoder.predict([(QUERIES[query], TEXTS[name]) for name in names]).tolist(), strict=True))


def rank(model: Path, query: str, names: list[str]) -> int:
    """Of the positive by the model's logits."""
    scores = logits(model, query, names)
    return 1 + sum(score > scores[POSITIVES[query]] for score in scores.values())


def evaluated(model: Path, nano: str, **options: bool | int) -> NanoBeir:
    return evaluate_nano_beir(str(model), source=nano, sets=["msmarco"], **options)  # type: ignore[arg-type]  # of each test


def test_missed_positives_are_ranked_too_by_default(tiny_cross_encoder: Path, nano: str) -> None:
    one, two = rank(tiny_cross_encoder, "q1", LISTS["q1"]), rank(tiny_cross_encoder, "q2", [*LISTS["q2"], "p2"])
    found = evaluated(tiny_cross_encoder, nano).reranked["msmarco"]
    assert found["MRR@10"] == pytest.approx((1 / one + 1 / two) / 2)
    assert found["nDCG@10"] == pytest.approx((1 / math.log2(one + 1) + 1 / math.log2(two + 1)) / 2)
    without = evaluated(tiny_cross_encoder, nano, always_rerank_positives=False).reranked["msmarco"]
    assert without["MRR@10"] == pytest.approx((1 / one + 0) / 2)


def test_bm25s_own_order_is_measured_beside_it(tiny_cross_encoder: Path, nano: str) -> None:
    # p1 at rank 2; p2 not in the list
    assert evaluated(tiny_cross_encoder, nano).bm25["msmarco"]["MRR@10"] == pytest.approx((1 / 2 + 0) / 2)


def test_only_the_first_of_bm25s_list_are_re_ranked(tiny_cross_encoder: Path, nano: str) -> None:
    found = evaluated(tiny_cross_encoder, nano, rerank_k=1, always_rerank_positives=False)
    assert found.reranked["msmarco"]["MRR@10"] == 0  # p3 and p4 alone


def test_the_mean_is_over_the_sets(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    both = {
        name: {NANO_BEIR_SETS["nq"]: splits[NANO_BEIR_SETS["msmarco"]], **splits} for name, splits in tables().items()
    }
    both["qrels"][NANO_BEIR_SETS["nq"]] = [{"query-id": "q1", "corpus-id": "p3"}, {"query-id": "q2", "corpus-id": "p4"}]
    found = evaluate_nano_beir(str(tiny_cross_encoder), source=in_splits(tmp_path / "n", both), sets=["msmarco", "nq"])
    assert found.bm25["nq"]["MRR@10"] == 1  # both first
    assert found.bm25["mean"]["MRR@10"] == pytest.approx((1 / 4 + 1) / 2)
    own = found.reranked
    assert own["mean"]["MAP"] == pytest.approx((own["msmarco"]["MAP"] + own["nq"]["MAP"]) / 2)


def test_ranking_is_by_logits_that_a_sigmoid_would_make_equal(
    tiny_cross_encoder: Path, tmp_path: Path, nano: str
) -> None:
    folder = Path(shutil.copytree(tiny_cross_encoder, tmp_path / "wide"))
    model = CrossEncoder(str(folder), device="cpu")
    head = model.model.classifier
    with torch.no_grad():
        head.weight.mul_(1000)
        head.bias.add_(5000)
    model.save_pretrained(str(folder), create_model_card=False)
    scores = logits(folder, "q1", LISTS["q1"])
    assert min(scores.values()) > 100  # of which a sigmoid makes 1
    one, two = rank(folder, "q1", LISTS["q1"]), rank(folder, "q2", [*LISTS["q2"], "p2"])
    assert evaluated(folder, nano).reranked["msmarco"]["MRR@10"] == pytest.approx((1 / one + 1 / two) / 2)


def test_what_makes_a_mean_comparable_is_recorded(tiny_cross_encoder: Path, nano: str) -> None:
    found = json.loads(json.dumps(nano_beir_json(evaluated(tiny_cross_encoder, nano, rerank_k=2))))
    assert (found["sets"], found["rerank_k"], found["always_rerank_positives"]) == (["msmarco"], 2, True)
    assert (found["source"], found["model"], found["max_length"]) == (nano, str(tiny_cross_encoder), 512)


def test_the_table_says_how_it_came_about(tiny_cross_encoder: Path, nano: str) -> None:
    lines = nano_beir_table(evaluated(tiny_cross_encoder, nano, always_rerank_positives=False)).splitlines()
    assert lines[0] == "| | nDCG@10 | MRR@10 | MAP |"
    assert lines[2].startswith("| msmarco | ")
    assert lines[3].startswith("| mean | ")
    assert lines[2].removeprefix("| msmarco") == lines[3].removeprefix("| mean")  # of one set
    assert "1 sets of" in lines[-1]
    assert "BM25's first 100 re-ranked, as retrieved" in lines[-1]


@pytest.mark.parametrize(
    ("sets", "rerank_k", "message"),
    [([], 100, "aren't all different"), (["msmarko"], 100, "msmarko"), (["nq", "nq"], 100, "nq"), (["nq"], 0, "is 0")],
)
def test_settings_that_cant_be_are_reported(sets: list[str], rerank_k: int, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        evaluate_nano_beir("m", source="s", sets=sets, rerank_k=rerank_k)


def test_a_set_that_the_folder_lacks_is_reported_with_the_layout(tiny_cross_encoder: Path, nano: str) -> None:
    with pytest.raises(CorpusError, match=r"(?s)split 'NanoNQ'.*configurations corpus, queries, qrels and bm25"):
        evaluate_nano_beir(str(tiny_cross_encoder), source=nano, sets=["nq"])


def test_a_list_that_names_a_passage_without_text_is_reported(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    broken = tables()
    broken["bm25"] = {NANO_BEIR_SETS["msmarco"]: [{"query-id": "q1", "corpus-ids": ["p1", "zz"]}]}
    with pytest.raises(CorpusError, match="zz"):
        evaluate_nano_beir(str(tiny_cross_encoder), source=in_splits(tmp_path / "n", broken), sets=["msmarco"])


def test_a_hub_that_isnt_there_is_reported(tiny_cross_encoder: Path) -> None:
    with pytest.raises(HubError, match="Check the network, or download sentence-transformers/NanoBEIR-en"):
        evaluate_nano_beir(str(tiny_cross_encoder), sets=["msmarco"])


def test_a_model_that_cant_be_loaded_is_reported(tmp_path: Path, nano: str) -> None:
    with pytest.raises(ModelError, match="Re-ranker"):
        evaluated(tmp_path, nano)


def test_the_sets_are_the_evaluators() -> None:
    from sentence_transformers.cross_encoder.evaluation.nano_beir import DATASET_NAME_TO_HUMAN_READABLE

    assert {name: f"Nano{shown}" for name, shown in DATASET_NAME_TO_HUMAN_READABLE.items()} == NANO_BEIR_SETS
