"""A click log becomes judgments that bear their mark, and trains; nothing takes them for people's grades."""

import json
from collections import Counter
from pathlib import Path

import pytest

from indexing.errors import CorpusError, SettingsError
from indexing.judged.qrels import read_judgments
from indexing.judged.sets import judged_sets, read_judged
from tests.conftest import PASSAGES, write_lines
from tests.support import tiny_training
from tests.unit.training.judgments.clicks.logs import swapped, write_log
from training.data.collect import collect
from training.data.open_indexes import OpenIndexes
from training.data.settings import DataSettings
from training.judgments.clicks.expected import ClickSettings
from training.judgments.clicks.judge import FILES, ClickJudgments, judge_clicks, write_clicks
from training.judgments.protection import Protection
from training.mining.settings import MiningSettings
from training.recipes.catalog import find_loss_recipe
from training.source import Source

LEAST = ClickSettings(least_views=20, bounds=(0.6, 1.2, 1.8))
"""Of the two passages of `swapped`, whose ratios are 1.5 and 0.5, the first gets grade 2 and the second 0."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    wax = swapped("What do bees store in wax?", "a1", "a4", name="wax")
    return write_log(tmp_path / "log.jsonl", *wax, *swapped("how bread rises", "c1", "b1", name="bread"))


def judged(log: Path, settings: ClickSettings = LEAST) -> ClickJudgments:
    return judge_clicks([log], settings, note=lambda sentence: pytest.fail(sentence))


def test_judgments_are_written_with_their_mark_and_the_counts_behind_them(tmp_path: Path, log: Path) -> None:
    queries = write_lines(tmp_path / "queries.tsv", ["9\twhat do bees store in wax", "8\tnever asked"])
    made = judged(log)
    named = write_clicks(made, tmp_path / "out", queries=queries, note=lambda _: None)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    bread = next(query.id for query in named.queries if query.text == "how bread rises")
    assert (tmp_path / "out" / FILES[0]).read_text().splitlines() == [
        "9\twhat do bees store in wax",
        f"{bread}\thow bread rises",
    ]
    assert (tmp_path / "out" / FILES[1]).read_text().splitlines() == [
        "9\tclicks\ta1\t2",
        "9\tclicks\ta4\t0",
        f"{bread}\tclicks\tc1\t2",
        f"{bread}\tclicks\tb1\t0",
    ]
    assert (tmp_path / "out" / FILES[2]).read_text().splitlines()[1:3] == [
        f"{bread}\tc1\t20\t9\t6.0000\t1.5000\t2",
        f"{bread}\tb1\t20\t3\t6.0000\t0.5000\t0",
    ]
    record = json.loads((tmp_path / "out" / FILES[3]).read_text())
    assert (record["source"], record["judgments"], record["grades"]) == ("clicks", 4, {"0": 2, "1": 0, "2": 2, "3": 0})
    assert record["log"][0]["name"] == "log.jsonl"
    with pytest.raises(SettingsError, match="exists already"):
        write_clicks(made, tmp_path / "out")


def test_a_click_log_trains(tmp_path: Path, log: Path, built_root: Path, tiny_cross_encoder: Path) -> None:
    write_clicks(judged(log), tmp_path / "out")
    source = f"judged:small,queries={tmp_path / 'out' / FILES[0]},qrels={tmp_path / 'out' / FILES[1]}"
    data = DataSettings(
        sources=(Source.parse(source),), mining=MiningSettings(per_query=3, minimum_grade=1, relative_margin=None)
    )
    dropped = Counter[str]()
    recipe = find_loss_recipe("listnet")
    examples = list(
        collect(recipe, data, protection=Protection(), dropped=dropped, indexes=OpenIndexes(root=built_root))
    )
    assert {example.source for example in examples} == {"clicks small"}  # as model cards count them
    labels = {example.query: dict(zip(example.passages, example.labels or (), strict=True)) for example in examples}
    wax, bread = labels["What do bees store in wax?"], labels["how bread rises"]
    assert (wax[PASSAGES["a1"]], wax[PASSAGES["a4"]]) == (2, 0)
    assert (bread[PASSAGES["c1"]], bread[PASSAGES["b1"]]) == (2, 0)
    asked = tiny_training.settings(tiny_cross_encoder, "listnet", steps=1, batch=2)
    assert tiny_training.train(tmp_path / "training", asked, given=examples).steps == 1


def test_files_with_the_mark_say_so_and_lie_beside_a_corpus_unread(tmp_path: Path, log: Path) -> None:
    write_clicks(judged(log), tmp_path / "out")
    queries, qrels = (tmp_path / "out" / name for name in FILES[:2])
    notes: list[str] = []
    made = read_judged(queries, qrels, split="test", note=notes.append)
    assert (made.source, notes) == ("clicks", [f"{qrels}: 4 judgments were made from clicks, not by people."])
    assert made.notes == tuple(notes)
    notes.clear()
    assert judged_sets(tmp_path / "out", note=notes.append) == {}
    assert "qrels.clicks.tsv isn't read as judgments" in notes[0]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["1 0 a1 2", "1 clicks a2 1"], "made from clicks, where the lines before are made by people"),
        (["1 clicks a1 2", "1 0 a2 1"], "made by people, where the lines before are made from clicks"),
        (["1 model:m a1 2", "1 clicks a2 1"], "made from clicks, where the lines before are made by the model m"),
    ],
)
def test_clicks_and_grades_in_one_file_are_refused(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(CorpusError, match=rf"qrels:2: {told} \(keep the two in files of their own\)"):
        read_judgments(write_lines(tmp_path / "qrels", lines))


def test_the_table_of_least_views_holds_the_chosen_one(log: Path) -> None:
    chosen = ClickSettings(least_views=21, least_expected=1)
    assert judged(log, chosen).steps() == [
        *((least, 4, 2) for least in (1, 2, 5, 10, 20)),
        *((least, 0, 0) for least in (21, 50, 100)),
    ]


def test_a_log_too_short_for_a_judgment_is_refused_with_what_it_has(tmp_path: Path, log: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        write_clicks(judged(log, ClickSettings(least_views=21)), tmp_path / "out")
    assert str(refused.value) == (
        "No passage has 21 views and 1 expected clicks for one query (the most of one are 20 and 6); give fewer, or a "
        "longer log."
    )
    assert not (tmp_path / "out").exists()


def test_passages_that_an_index_lacks_are_left_out_but_count_for_their_places(log: Path) -> None:
    found = judged(log)
    within = found.within("small", holds={"a1", "c1", "b1"}.__contains__)
    assert [pair.passage_id for pair in within.pairs] == ["c1", "b1", "a1"]
    assert within.rates == found.rates
    assert within.notes == ("1 passage left out: index small doesn't hold a4.",)
    assert found.within("small", holds=lambda _: True) is found
    with pytest.raises(CorpusError) as refused:
        found.within("other", holds=lambda _: False)
    assert str(refused.value) == (
        "Index other holds none of the 4 passages in the log (a1, a4, b1, c1); choose the index that was searched when "
        "it was recorded."
    )
