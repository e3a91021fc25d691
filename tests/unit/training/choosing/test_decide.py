"""On collections whose truth is known the verdict is the right one of three, and what was decided is served."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import Index, open_index
from indexing.records import PassageId, QueryId
from search.pipeline import RetrieveAndRerank
from search.rerank import stopping as stopping_blocks
from search.rerank.reranker import Reranker, Scores
from search.retrieve import retrieve_dense
from search.served_settings import ServedSettings, serve, served_settings
from search.settings import PipelineSettings
from tests.conftest import PASSAGES, write_lines
from training.choosing import stopping as stopping_choice
from training.choosing.contenders import FirstStageChoice, Grid
from training.choosing.decide import Decision, decide
from training.choosing.evaluated import KeptReading
from training.choosing.kept_decision import KeptDecision, last_decision, reading_folder, serve_decision, to_keep
from training.choosing.kept_decision import keep as keep_decision
from training.choosing.opened import DecideRequest, OpenIndex, request_identity
from training.choosing.sharing import Sharing
from training.choosing.table import decision_text
from training.evaluation.measures import measure_run

GRID = Grid(
    first_stages=(FirstStageChoice(), FirstStageChoice(fusion="bm25")),
    depths=(20,),
    mixes=(),
    orders=("fused",),
    late=False,
)
RNG = random.Random(5)
TRUTH = {str(number): RNG.choice(list(PASSAGES)) for number in range(40)}
"""By query, its only relevant passage."""
TEXTS = {
    query: " ".join(
        RNG.sample(PASSAGES[passage].split(), 1) + RNG.sample(PASSAGES[RNG.choice(list(PASSAGES))].split(), 2)
    )
    for query, passage in TRUTH.items()
}
"""A word of the relevant passage and two of another."""


class KnowingReranker:
    """Knows the relevant passage of each query; what it makes of that is its scale: 1 helps, -1 hurts."""

    name = "knowing"

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self.read = 0

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        self.read += len(passages)
        relevant = {PASSAGES[TRUTH[name]] for name, text in TEXTS.items() if text == query}
        logits = [self._scale * (passage in relevant) for passage in passages]
        return Scores(np.array(logits, dtype=np.float32))  # (passages,) float32


class NoisyReranker(KnowingReranker):
    """Puts the relevant passage first for every other query, and last for the rest."""

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        scores = super().score(query, passages)
        number = next(int(name) for name, text in TEXTS.items() if text == query)
        return Scores(scores.logits * (1 if number % 2 else -1))


def request(folder: Path, *, judged: Sequence[str] = tuple(TRUTH), root: Path | None = None) -> DecideRequest:
    """Files with all queries, of which some are judged."""
    queries = write_lines(folder / "q.tsv", [f"{name}\t{text}" for name, text in TEXTS.items()])
    qrels = write_lines(folder / "j.tsv", [f"{name} 0 {TRUTH[name]} 1" for name in judged])
    return DecideRequest(
        indexes=("small",),
        root=root or folder,
        queries=queries,
        qrels=qrels if judged else None,
        rerankers=("knowing",),
        seconds=60,
        grid=GRID,
    )


def opened(index: Index, encoder: BiEncoder, reranker: Reranker) -> list[OpenIndex]:
    return [OpenIndex(index=index, encoder=encoder, rerankers={"knowing": reranker})]


def test_where_re_ranking_helps_the_verdict_is_to_re_rank(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    found = decide(opened(small_index, bi_encoder, KnowingReranker(1)), request(tmp_path))
    assert found.verdict.kind == "re-rank"
    assert found.verdict.sentence.startswith("Re-rank the best 20 of BM25")
    assert found.reranked is not None
    assert found.reranked.mean == 1
    assert found.reranked.compared is not None
    assert found.reranked.compared.holm < 0.05
    assert found.reranked.latency is not None
    assert found.reranked.latency.p50 > 0
    assert (found.judged, found.comparing, found.to_label) == (40, 20, ())
    assert {"BM25", "first stage", "knowing"} == {row.name for row in found.rows}
    assert json.loads(json.dumps(found.as_json()))["verdict"] == "re-rank"
    assert found.verdict.sentence in decision_text(found)


def test_where_re_ranking_hurts_the_verdict_is_what_to_serve_instead(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    found = decide(opened(small_index, bi_encoder, KnowingReranker(-1)), request(tmp_path))
    assert found.verdict.kind == "don't re-rank"
    assert found.verdict.sentence.startswith("Don't re-rank: serve ")
    assert found.verdict.sentence.endswith("so it loses.")
    assert found.baseline is not None
    assert not found.baseline.contender.reranks


def test_too_few_queries_tell_nothing_and_the_ones_to_label_are_named(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    asked = request(tmp_path, judged=[str(number) for number in range(8)])
    found = decide(opened(small_index, bi_encoder, NoisyReranker(1)), asked)
    assert found.verdict.kind == "can't tell"
    assert "8 judged queries (of which 4 compare) are too few" in found.verdict.sentence
    assert found.verdict.further >= 12 - 8  # six must compare, and as many choose
    assert 0 < len(found.to_label) <= 20
    assert {one.query.id for one in found.to_label} <= {str(number) for number in range(8, 40)}
    overlaps = [one.overlap for one in found.to_label]
    assert overlaps == sorted(overlaps)
    assert overlaps[0] < overlaps[-1]


def test_noise_on_many_queries_isnt_told_and_says_how_many_would_tell(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    found = decide(opened(small_index, bi_encoder, NoisyReranker(1)), request(tmp_path))
    assert found.verdict.kind == "can't tell"
    assert found.verdict.tells is not None
    assert 0.05 < found.verdict.tells < 0.6
    assert f"label about {found.verdict.further} more queries" in found.verdict.sentence
    # no query is without judgments: those judged whose lists hold passages that nobody judged
    assert found.to_label
    assert all(one.unjudged > 0 for one in found.to_label)


def test_without_judgments_there_are_times_and_twenty_queries_to_judge_first(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    found = decide(opened(small_index, bi_encoder, NoisyReranker(1)), request(tmp_path, judged=()))
    assert found.verdict.kind == "can't tell"
    assert found.verdict.sentence == "Can't tell: no query is judged; label the 20 queries listed here first."
    assert [one.name for one in found.timed] == ["first stage", "knowing"]
    assert all(one.latency is not None for one in found.timed)
    overlap = found.timed[1].overlap
    assert overlap is not None
    assert 0 < overlap < 1
    assert "| knowing | knowing |" in decision_text(found)
    with pytest.raises(SettingsError, match="nothing was decided"):
        serve_decision(to_keep(found, split="dev"), root=tmp_path)


def test_a_run_of_today_is_compared_and_re_ranked(small_index: Index, bi_encoder: BiEncoder, tmp_path: Path) -> None:
    lines = [f"{query} Q0 {passage} 1 2 x" for query, passage in TRUTH.items()]
    others = [f"{query} Q0 {other} 2 1 x" for query, passage in TRUTH.items() for other in PASSAGES if other != passage]
    run = write_lines(tmp_path / "today.trec", [*lines, *others[:: len(PASSAGES) - 1]])
    asked = replace(request(tmp_path), runs={"today": run})
    found = decide(opened(small_index, bi_encoder, KnowingReranker(-1)), asked)
    rows = {row.name: row for row in found.rows}
    assert rows["today"].mean == 1
    assert rows["today, re-ranked"].mean < 1
    assert found.baseline is not None
    assert found.baseline.name == "today"
    assert "serve today's list" in found.verdict.sentence
    with pytest.raises(SettingsError, match="Run today comes from another system"):
        serve_decision(to_keep(found, split="dev"), root=tmp_path)


def test_two_indexes_stand_in_one_table(
    small_index: Index, bi_encoder: BiEncoder, own_root: Path, tmp_path: Path
) -> None:
    (own_root / "small").rename(own_root / "other")
    other = open_index("other", root=own_root)
    other = replace(other, manifest=replace(other.manifest, name="other"))
    reranker = KnowingReranker(1)
    both = [*opened(small_index, bi_encoder, reranker), *opened(other, bi_encoder, reranker)]
    found = decide(both, replace(request(tmp_path), indexes=("small", "other")))
    assert {"small: BM25", "other: BM25", "small: knowing", "other: knowing"} <= {row.name for row in found.rows}
    assert found.verdict.kind == "re-rank"


def test_a_second_decision_reads_nothing_again(small_index: Index, bi_encoder: BiEncoder, tmp_path: Path) -> None:
    keep = KeptReading(tmp_path / "kept", {"knowing": "f"})
    first = decide(opened(small_index, bi_encoder, KnowingReranker(1)), request(tmp_path), keep=keep)
    said: list[str] = []
    again = KnowingReranker(1)
    second = decide(opened(small_index, bi_encoder, again), request(tmp_path), keep=keep, note=said.append)
    assert said == ["What knowing read before for small is kept and isn't read again."]
    assert [row.comparing for row in second.rows] == [row.comparing for row in first.rows]


@pytest.mark.parametrize(("scale", "reranker"), [(1, "none"), (-1, "none")])
def test_what_was_decided_is_served(
    own_root: Path, bi_encoder: BiEncoder, tmp_path: Path, scale: float, reranker: str
) -> None:
    index = open_index("small", root=own_root)
    found = decide(opened(index, bi_encoder, KnowingReranker(scale)), request(tmp_path, root=own_root))
    row = found.reranked if scale > 0 else found.baseline
    assert row is not None
    name, served = serve_decision(to_keep(found, split="dev"), root=own_root, by="ann")
    assert name == "small"
    assert served_settings("small", root=own_root) == served
    assert served.settings == row.contender.settings
    assert served.reranker == ("knowing" if scale > 0 else reranker)
    assert (served.by, served.build, served.sentence) == ("ann", index.folder.name, found.verdict.sentence)
    assert served.figures["ndcg@10"] == row.mean
    again: Decision = decide(opened(index, bi_encoder, KnowingReranker(scale)), request(tmp_path, root=own_root))
    now = next(each for each in again.rows if each.name == "served now")
    assert now.contender.settings == row.contender.settings
    assert now.comparing == pytest.approx(dict(row.comparing))


class FirstFour:
    """Reads the dense list's first four passages as good, the third as the best, and all others as equally bad."""

    name = "first four"

    def __init__(self, index: Index, encoder: BiEncoder) -> None:
        lists = {
            text: retrieve_dense(index, encoder.encode_query(text), depth=20).ranking.passage_ids
            for text in TEXTS.values()
        }
        self.best = {query: lists[text][2] for query, text in TEXTS.items()}
        self._logits = {
            text: {PASSAGES[name]: float(place < 4) + 3.0 * (place == 2) for place, name in enumerate(names)}
            for text, names in lists.items()
        }
        self.read = 0

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        self.read += len(passages)
        return Scores(np.array([self._logits[query][passage] for passage in passages], dtype=np.float32))


def test_what_stopping_early_saves_stands_in_the_table_and_can_be_served(
    own_root: Path, bi_encoder: BiEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks of two, four passages are good; after six, two bad ones say that the rest is bad: 6 of 20 are read."""
    for module in (stopping_blocks, stopping_choice):
        monkeypatch.setattr(module, "TOP", 2)
    monkeypatch.setattr(stopping_blocks, "BLOCK", 2)
    index = open_index("small", root=own_root)
    reranker = FirstFour(index, bi_encoder)
    asked = request(tmp_path, root=own_root)
    write_lines(tmp_path / "j.tsv", [f"{query} 0 {passage} 1" for query, passage in reranker.best.items()])
    grid = replace(GRID, first_stages=(FirstStageChoice(fusion="dense"),))
    found = decide(opened(index, bi_encoder, reranker), replace(asked, grid=grid))
    assert found.verdict.kind == "re-rank"
    assert found.stopping is not None
    stopping = found.stopping.stopping
    assert stopping is not None
    assert (stopping.pairs, stopping.all_pairs, stopping.changed, stopping.lost) == (6, 20, 0, 0)
    assert "| 6.0 (-70%) | 0.0% (risk 5%) | 0.0000 |" in decision_text(found)
    assert any("saves 70% of the pairs and loses +0.0000 nDCG@10" in note for note in found.notes)

    kept = to_keep(found, split="dev")
    whole = serve_decision(kept, root=own_root)[1].settings
    assert whole.rerank_stop is None
    early = serve_decision(kept, root=own_root, early=True)[1].settings
    assert early == replace(whole, rerank_stop=stopping.stop)
    pipeline = RetrieveAndRerank(index, bi_encoder, reranker, settings=early)
    before = reranker.read
    trace = pipeline.search(TEXTS["0"])
    assert reranker.read - before == len(trace.final) == 6
    assert trace.final.top(2).passage_ids == pipeline.search(TEXTS["0"], whole).final.top(2).passage_ids


def test_what_saves_nothing_isnt_served_stopping_early(own_root: Path, bi_encoder: BiEncoder, tmp_path: Path) -> None:
    index = open_index("small", root=own_root)
    found = decide(opened(index, bi_encoder, KnowingReranker(1)), request(tmp_path, root=own_root))
    assert found.stopping is None
    with pytest.raises(SettingsError, match="Stopping early isn't possible for small"):
        serve_decision(to_keep(found, split="dev"), root=own_root, early=True)
    assert served_settings("small", root=own_root) is None


def test_a_decision_holds_until_something_that_determined_it_changes(own_root: Path, tmp_path: Path) -> None:
    asked = replace(request(tmp_path, root=own_root), rerankers=("late",))
    identity = request_identity(asked)
    kept = KeptDecision(at="", split="dev", figures={}, identity=json.loads(json.dumps(identity)), seconds=60)
    assert kept.holds(request_identity(asked), seconds=60)
    assert not kept.holds(identity, seconds=61)
    assert not replace(kept, identity={}).holds({}, seconds=0)
    write_lines(tmp_path / "j.tsv", ["0 0 a1 1"])
    assert not kept.holds(request_identity(asked), seconds=60)


def test_contradictions_are_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="needs the texts of its queries"):
        DecideRequest(qrels=tmp_path)
    with pytest.raises(SettingsError, match="'BM25', as one of our own"):
        DecideRequest(runs={"BM25": tmp_path})
    with pytest.raises(SettingsError, match="name a re-ranker"):
        DecideRequest(rerankers=("none",))


def test_whatever_is_served_is_measured_with_its_own_k1_b_and_depth(
    own_root: Path, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    settings = PipelineSettings(depth=7, rerank_depth=3, k1=0.3, b=0.9, rerank_weight=0.5)
    serve("small", ServedSettings(reranker="knowing", settings=settings), root=own_root)
    index = open_index("small", root=own_root)
    found = decide(opened(index, bi_encoder, KnowingReranker(1)), request(tmp_path, root=own_root))
    now = next(row for row in found.rows if row.name == "served now")
    pipeline = RetrieveAndRerank(index, bi_encoder, KnowingReranker(1), settings=settings)
    run = {QueryId(query): pipeline.search(TEXTS[query]).final for query in TRUTH}
    qrels = {QueryId(query): {PassageId(passage): 1} for query, passage in TRUTH.items()}
    expected = measure_run(run, qrels, minimum_grade=1, names=["nDCG@10"]).per_query["nDCG@10"]
    assert {**now.choosing, **now.comparing} == pytest.approx(dict(expected))


def test_what_is_served_by_a_re_ranker_that_isnt_open_is_told(
    own_root: Path, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    serve("small", ServedSettings(reranker="other"), root=own_root)
    index = open_index("small", root=own_root)
    found = decide(opened(index, bi_encoder, KnowingReranker(1)), request(tmp_path, root=own_root))
    assert "What small serves now isn't compared: its re-ranker other isn't open." in found.notes
    assert "served now" not in {row.name for row in found.rows}


def test_the_last_decision_is_kept_as_it_was_and_can_be_served_later(
    own_root: Path, bi_encoder: BiEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    index = open_index("small", root=own_root)
    found = decide(opened(index, bi_encoder, KnowingReranker(1)), request(tmp_path, root=own_root))
    assert last_decision("small") is None
    kept = to_keep(found, split="dev")
    keep_decision(kept, ["small"])
    assert last_decision("small") == kept
    assert (kept.index, kept.refusal) == ("small", "")
    (reading_folder() / "small.json").write_text("{", encoding="utf-8")
    assert last_decision("small") is None


def test_turns_are_taken_for_each_use_of_a_model(small_index: Index, bi_encoder: BiEncoder, tmp_path: Path) -> None:
    held, taken = [False], [0]

    @contextmanager
    def turn() -> Iterator[None]:
        assert not held[0]  # a lock that is taken twice would never be had
        held[0], taken[0] = True, taken[0] + 1
        yield
        held[0] = False

    class HeldReranker(KnowingReranker):
        def score(self, query: str, passages: Sequence[str]) -> Scores:
            assert held[0]
            return super().score(query, passages)

    asked = request(tmp_path, judged=[str(number) for number in range(8)])
    found = decide(opened(small_index, bi_encoder, HeldReranker(1)), asked, sharing=Sharing(turn=turn))
    assert found.rows
    assert taken[0] > 8
    unjudged = request(tmp_path, judged=())
    assert decide(opened(small_index, bi_encoder, HeldReranker(1)), unjudged, sharing=Sharing(turn=turn)).timed
