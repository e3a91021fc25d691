"""Recipes are raced under one budget, the better half goes on, and a stopped race goes on where it was."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from indexing import atomic
from indexing.errors import SettingsError, TrainingError
from indexing.records import PassageId, Query, QueryId
from tests.conftest import PASSAGES
from tests.support.judged_lists import ranking
from tests.support.tiny_training import SUBJECTS, StoppedError, equal, examples, plain, settings, weights
from training.__main__ import main, parser
from training.data.settings import DataSettings
from training.evaluation.candidates import Candidates
from training.example import Example
from training.fitting import fit as fitting
from training.fitting import plan
from training.fitting.dev_set import ndcg_by_query
from training.fitting.model import open_pair_model
from training.race import race as racing
from training.race.race import ReportRound, race, rounds_of, winner_folder
from training.race.settings import RaceRequest, RaceSettings
from training.race.standings import BASE, RESULTS, Standing
from training.race.winner import keep_winner
from training.recipes.settings import FitSettings, TrainSettings
from training.source import Source
from training.train.request import DevSettings, LearningRequest
from training.train.workspace import check_origin
from training.versions.registry import find_version

pytestmark = pytest.mark.usefixtures("in_float32", "known_speed")
MODEL: dict[str, Any] = {"max_length": 64, "dropout": 0.0, "seed": 1}
RECIPES = ("bce", "bce-preprocessed", "listnet", "distill-mse", "adrmse")


@pytest.fixture
def known_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step takes a hundredth of a second, so that every budget here is for more steps than are asked for."""
    monkeypatch.setattr(plan, "seconds_a_step", lambda *_: 0.01)


def dev() -> Candidates:
    """Four queries whose lists hold every passage; one of each list is relevant."""
    queries = tuple(Query(QueryId(str(number)), words) for number, words in enumerate(SUBJECTS))
    relevant = dict(zip("0123", ("a1", "b1", "c1", "d3"), strict=True))
    return Candidates(
        queries,
        {QueryId(key): {PassageId(name): 1} for key, name in relevant.items()},
        {query.id: ranking(*PASSAGES) for query in queries},
        {PassageId(name): text for name, text in PASSAGES.items()},
    )


def gather(recipe: str, dropped: "Counter[str]") -> Iterable[Example]:
    """The same examples for all, without scores for one recipe that wants them."""
    dropped["protected"] += 1
    given = examples()
    if recipe == "distill-mse":
        given = [Example("judges", item.query, item.passages, labels=item.labels) for item in given]
    return given


def trained_by(base: Path, **given: Any) -> TrainSettings:
    """Settings of all recipes: fast, in float32."""
    return plain(settings(base, RECIPES[0], **given))


def asked(base: Path, recipes: tuple[str, ...] = RECIPES, **given: Any) -> RaceSettings:
    values: dict[str, Any] = {"minutes": 60.0, "train": trained_by(base, steps=2, batch=4)} | given
    return RaceSettings(recipes=recipes, **values)


Told = list[tuple[int, str, float | None]]


def telling(told: Told, *, stop_before: tuple[int, str] | None = None) -> ReportRound:
    def report(number: int, recipe: str, ndcg: float | None) -> None:
        if ndcg is None and (number, recipe) == stop_before:
            raise StoppedError
        told.append((number, recipe, ndcg))

    return report


def trained(told: Told) -> list[tuple[int, str]]:
    return [(number, recipe) for number, recipe, ndcg in told if ndcg is None]


@pytest.mark.parametrize(
    ("recipes", "rounds"),
    [(1, [1]), (2, [2]), (3, [3, 2]), (4, [4, 2]), (5, [5, 3, 2]), (13, [13, 7, 4, 2]), (14, [14, 7, 4, 2])],
)
def test_half_of_the_recipes_go_on_each_round_down_to_two(recipes: int, rounds: list[int]) -> None:
    assert rounds_of(recipes) == rounds


Raced = tuple[Path, list[Standing], Told]


@pytest.fixture
def raced(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, cache: dict[str, Raced]) -> Raced:
    """A race that nothing stopped: its folder, its standings and what it told."""
    if "raced" not in cache:
        folder, told = tmp_path_factory.mktemp("race"), Told()
        standings = race(folder, asked(tiny_cross_encoder), dev(), gather, report=telling(told))
        cache["raced"] = folder, standings, told
    return cache["raced"]


@pytest.fixture(scope="module")
def cache() -> dict[str, Raced]:
    return {}


def by_name(standings: list[Standing]) -> dict[str, Standing]:
    return {standing.recipe: standing for standing in standings}


def test_three_trainings_make_two_rounds(raced: Raced) -> None:
    _, _, told = raced
    first = [name for number, name in trained(told) if number == 1]
    second = [name for number, name in trained(told) if number == 2]
    assert first == ["bce", "listnet", "adrmse"]
    after = {name: ndcg for number, name, ndcg in told if number == 1 and ndcg is not None}
    assert len(second) == 2
    assert min(after[name] for name in second) >= max(after[name] for name in first if name not in second)


def test_standings_are_ordered_by_rounds_then_by_quality(raced: Raced) -> None:
    _, standings, told = raced
    found = by_name(standings)
    assert set(found) == {*RECIPES, BASE}
    assert standings[-1].recipe == BASE
    keys = [(-standing.rounds, -standing.ndcg) for standing in standings[:-1]]
    assert keys == sorted(keys)
    assert [found[name].rounds for name in ("bce", "listnet", "adrmse")].count(2) == 2
    last = {name: ndcg for _, name, ndcg in told if ndcg is not None}
    assert {name: found[name].ndcg for name in last} == last


def test_a_standing_is_the_mean_over_the_dev_queries_with_its_interval(raced: Raced) -> None:
    for standing in raced[1]:
        if not standing.fault:
            assert set(standing.by_query) == {"0", "1", "2", "3"}
            assert standing.ndcg == pytest.approx(sum(standing.by_query.values()) / 4)
            assert standing.low <= standing.ndcg <= standing.high


def test_the_base_stands_untrained_beside_them(raced: Raced, tiny_cross_encoder: Path) -> None:
    base = by_name(raced[1])[BASE]
    assert (base.rounds, base.minutes, base.pairs) == (0, 0, 0)
    assert base.by_query


def test_a_recipe_with_the_same_loss_on_the_same_rows_is_trained_once(raced: Raced) -> None:
    folder, standings, told = raced
    found = by_name(standings)
    assert found["bce-preprocessed"].same_as == "bce"
    assert found["bce-preprocessed"].by_query == found["bce"].by_query
    assert "bce-preprocessed" not in {name for _, name in trained(told)}
    assert winner_folder(folder, found["bce-preprocessed"], 17) == winner_folder(folder, found["bce"], 17)


def test_a_recipe_that_cannot_learn_from_the_data_says_why(raced: Raced) -> None:
    found = by_name(raced[1])["distill-mse"]
    assert "have no scores" in found.fault
    assert found.rounds == 0


def test_pairs_are_counted_from_the_second_step_on(raced: Raced) -> None:
    found = by_name(raced[1])
    # 2 steps of 4 rows a round, of which the first is not timed; a list has 8 pairs
    assert found["bce"].pairs == found["bce"].rounds * 4
    assert found["listnet"].pairs == found["listnet"].rounds * 4 * 8
    assert all(found[name].minutes > 0 for name in ("bce", "listnet", "adrmse"))


def test_the_weights_of_the_last_round_are_kept(raced: Raced) -> None:
    folder, standings, _ = raced
    for name in ("bce", "listnet", "adrmse"):
        kept = winner_folder(folder, by_name(standings)[name], 17)
        assert open_pair_model(str(kept), **MODEL).num_labels == 1
        assert list(kept.parent.iterdir()) == [kept]


Scripted = Callable[..., None]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Gives models these values of nDCG@10, one a measurement, and stops the race where they end."""

    def values(*found: float) -> None:
        left = iter(found)

        def measure(*_: object) -> dict[QueryId, float]:
            value = next(left, None)
            if value is None:
                raise StoppedError
            return {QueryId("0"): value}

        monkeypatch.setattr(racing, "ndcg_by_query", measure)

    return values


def test_a_round_that_was_stopped_has_the_field_that_it_began_with(
    tiny_cross_encoder: Path, tmp_path: Path, scripted: Scripted
) -> None:
    given = asked(tiny_cross_encoder, ("bce", "listnet", "ranknet"))
    told: Told = []
    scripted(0.1, 0.9, 0.8, 0.7, 0.2)  # not trained, the first round, and bce in the second, where it falls behind
    with pytest.raises(StoppedError):
        race(tmp_path, given, dev(), gather, report=telling(told))
    assert trained(told)[3:] == [(2, "bce"), (2, "listnet")]
    more: Told = []
    scripted(0.6)
    standings = race(tmp_path, given, dev(), no_gather, report=telling(more))
    assert trained(more) == [(2, "listnet")]
    assert [item.recipe for item in standings] == ["listnet", "bce", "ranknet", BASE]


def test_a_recipe_s_twin_is_known_after_a_stop(tiny_cross_encoder: Path, tmp_path: Path, scripted: Scripted) -> None:
    def gather_once(recipe: str, dropped: "Counter[str]") -> Iterable[Example]:
        if recipe == "bce-preprocessed":
            raise StoppedError
        return examples()

    given = asked(tiny_cross_encoder, ("bce", "bce-preprocessed", "listnet"))
    scripted(0.1, 0.3, 0.2)
    with pytest.raises(StoppedError):
        race(tmp_path, given, dev(), gather_once, report=telling([]))
    found = by_name(race(tmp_path, given, dev(), gather, report=telling([])))
    assert found["bce-preprocessed"].same_as == "bce"


def test_a_recipe_that_wants_what_is_not_given_stops_no_other(
    tiny_cross_encoder: Path, tmp_path: Path, scripted: Scripted
) -> None:
    def without_index(recipe: str, dropped: "Counter[str]") -> Iterable[Example]:
        if recipe == "cold-start":
            raise SettingsError("cold-start trains for one corpus; name its index.")
        return examples()

    scripted(0.1, 0.3)
    given = asked(tiny_cross_encoder, ("cold-start", "bce"))
    found = by_name(race(tmp_path, given, dev(), without_index, report=telling([])))
    assert found["cold-start"].fault == "cold-start trains for one corpus; name its index."
    assert found["bce"].rounds == 1


def test_a_recipe_that_breaks_off_stops_no_other_and_takes_no_other_s_place(
    tiny_cross_encoder: Path, tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = fitting.fit

    def diverging(work: Path, given: FitSettings, **more: Any) -> Any:
        if given.recipe == "listnet" and given.seed == 18:  # in the second round
            raise TrainingError("The training has diverged; give a lower --learning-rate.")
        return train(work, given, **more)

    monkeypatch.setattr(racing, "fit", diverging)
    given = asked(tiny_cross_encoder, ("bce", "listnet", "ranknet"))
    told: Told = []
    scripted(0.1, 0.7, 0.9, 0.3)  # not trained, and the first round; then the race stops before bce is measured
    with pytest.raises(StoppedError):
        race(tmp_path, given, dev(), gather, report=telling(told))
    assert trained(told)[3:] == [(2, "listnet"), (2, "bce")]
    more: Told = []
    scripted(0.8)
    found = by_name(race(tmp_path, given, dev(), no_gather, report=telling(more)))
    assert trained(more) == [(2, "bce")]
    assert {name: found[name].rounds for name in given.recipes} == {"bce": 2, "listnet": 1, "ranknet": 1}
    assert "diverged" in found["listnet"].fault


def test_a_race_in_which_every_recipe_breaks_off_says_why(
    tiny_cross_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverging(*_: Any, **__: Any) -> Any:
        raise TrainingError("The training has diverged; give a lower --learning-rate.")

    monkeypatch.setattr(racing, "fit", diverging)
    with pytest.raises(TrainingError, match="No recipe got through its first round: The training has diverged"):
        race(tmp_path, asked(tiny_cross_encoder, ("bce", "listnet")), dev(), gather, report=telling([]))


def test_a_finished_race_is_read_and_not_run_again(raced: Raced, tiny_cross_encoder: Path) -> None:
    folder, standings, _ = raced
    told: Told = []
    again = race(folder, asked(tiny_cross_encoder), dev(), no_gather, report=telling(told))
    assert told == []
    assert again == standings


def no_gather(recipe: str, dropped: "Counter[str]") -> Iterable[Example]:
    raise AssertionError(f"rows of {recipe} are there")


@pytest.fixture
def stop_before_measuring(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets a race measure so many models, and stops it in place of the next measurement."""

    def after(count: int) -> None:
        left = iter(range(count))

        def measure(*given: Any) -> Mapping[QueryId, float]:
            if next(left, None) is None:
                raise StoppedError
            return ndcg_by_query(*given)

        monkeypatch.setattr(racing, "ndcg_by_query", measure)

    return after


def test_a_stopped_race_trains_only_what_was_not_trained_and_ends_as_if_it_never_was(
    raced: Raced, tiny_cross_encoder: Path, tmp_path: Path, stop_before_measuring: Callable[[int], None]
) -> None:
    folder, standings, whole = raced
    first, second, third, fourth, fifth = trained(whole)
    asked_for = asked(tiny_cross_encoder)
    told: Told = []
    with pytest.raises(StoppedError):
        race(tmp_path, asked_for, dev(), gather, report=telling(told, stop_before=third))
    assert trained(told) == [first, second]
    more: Told = []
    stop_before_measuring(1)  # the third, not the fourth, with which the second round begins
    with pytest.raises(StoppedError):
        race(tmp_path, asked_for, dev(), no_gather, report=telling(more))
    assert trained(more) == [third, fourth]
    stop_before_measuring(2)
    last: Told = []
    again = race(tmp_path, asked_for, dev(), no_gather, report=telling(last))
    assert trained(last) == [fourth, fifth]
    assert {item.recipe: item.by_query for item in again} == {item.recipe: item.by_query for item in standings}
    for _, name in (fourth, fifth):
        one, two = (
            weights(open_pair_model(str(winner_folder(place, by_name(found)[name], 17)), **MODEL))
            for place, found in ((folder, standings), (tmp_path, again))
        )
        assert equal(one, two)


@pytest.mark.parametrize("given", [{"minutes": 30.0}, {"seeds": (1,)}, {"recipes": ("bce",)}])
def test_a_race_goes_on_only_with_its_own_settings(
    raced: Raced, tiny_cross_encoder: Path, given: dict[str, Any]
) -> None:
    with pytest.raises(TrainingError, match="holds a race with other settings"):
        race(raced[0], asked(tiny_cross_encoder, **given), dev(), gather, report=telling([]))


def test_where_no_recipe_can_learn_the_reason_is_told(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    given = asked(tiny_cross_encoder, ("distill-mse",))
    with pytest.raises(TrainingError, match="No recipe can learn from these data: Examples of judges have no scores"):
        race(tmp_path, given, dev(), gather, report=telling([]))


def test_a_budget_too_small_for_twenty_steps_of_the_dearest_recipe_is_refused(
    tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    given = asked(tiny_cross_encoder, ("bce", "listnet", "adrmse"), minutes=0.015)
    # 0.9 s over 2 rounds, the first shared by 3: 0.15 s each, 15 steps of 0.01 s; 0.015 minutes * 20 / 15 is below 1
    with pytest.raises(TrainingError, match=r"of 0.015 minutes gives listnet 15 steps in the .* give --budget 1m"):
        race(tmp_path, given, dev(), gather, report=telling([]))
    assert not list(tmp_path.rglob("model-*"))


@pytest.mark.parametrize(
    "given", [{"recipes": ()}, {"recipes": ("bce", "bce")}, {"minutes": 0}, {"minutes": float("inf")}, {"seeds": ()}]
)
def test_settings_that_make_no_race_are_refused(tiny_cross_encoder: Path, given: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"recipes": ("bce",), "minutes": 1.0, "train": trained_by(tiny_cross_encoder)}
    with pytest.raises(SettingsError, match="race"):
        RaceSettings(**(usual | given))


def test_seeds_are_averaged(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    given = asked(tiny_cross_encoder, ("listnet",), seeds=(1, 2))
    both = by_name(race(tmp_path, given, dev(), gather, report=telling([])))["listnet"]
    one, two = (
        ndcg_by_query(open_pair_model(str(winner_folder(tmp_path, both, seed)), **MODEL), dev()) for seed in (1, 2)
    )
    assert not equal(*(weights(open_pair_model(str(winner_folder(tmp_path, both, seed)), **MODEL)) for seed in (1, 2)))
    for query, value in both.by_query.items():
        assert value == pytest.approx((one[QueryId(query)] + two[QueryId(query)]) / 2)
    assert both.by_seed == pytest.approx([sum(values.values()) / len(values) for values in (one, two)])
    assert both.pairs == 4 * 8  # of one seed: the second step's 4 lists


@pytest.mark.parametrize(("text", "minutes"), [("30", 30), ("30m", 30), ("90s", 1.5), ("2h", 120), ("0.5h", 30)])
def test_a_budget_is_given_in_seconds_minutes_or_hours(text: str, minutes: float) -> None:
    assert parser().parse_args(["race", "--budget", text]).budget == pytest.approx(minutes)


@pytest.mark.parametrize("text", ["0m", "soon", "-5m", "3d", ""])
def test_what_is_no_time_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["race", f"--budget={text}"])
    assert "is no time; give 30m, 90s or 2h" in capsys.readouterr().err


def test_the_command_races_and_writes_table_and_plot(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "race"
    command = f"race --budget 1s --recipes listnet ranknet --data index:small --dev small --root {built_root}"
    assert main([*command.split(), "--base", str(tiny_cross_encoder), "--output", str(output), "--steps", "2"]) == 0
    printed = capsys.readouterr()
    lines = (output / "race.md").read_text().splitlines()
    assert {line.split("|")[1].strip() for line in lines[2:]} == {"listnet", "ranknet", "not trained"}
    assert (output / "race.md").read_text() in printed.out
    assert "round 1: listnet trains" in printed.err
    assert ElementTree.fromstring((output / "race.svg").read_text()).tag.endswith("svg")
    assert {row["recipe"] for row in json.loads((output / RESULTS).read_text())["standings"]} >= {"listnet", BASE}


def test_the_winner_becomes_a_version_of_the_seed_that_did_best(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    given = asked(tiny_cross_encoder, ("listnet", "ranknet"), seeds=(1, 2))
    first, *others = race(tmp_path / "race", given, dev(), gather, report=telling([]))
    data = DataSettings(sources=(Source("index", "small"),))
    request = RaceRequest(
        folder=tmp_path / "race", settings=given, data=data, dev=DevSettings("small"), root=built_root
    )
    told = [replace(first, by_seed=[0.1, 0.9]), *others]
    made = keep_winner(told, request, tmp_path / "models/winner/1", command="python -m training race")
    kept, own, other = (
        weights(open_pair_model(str(folder), **MODEL).bfloat16())
        for folder in (made, *(winner_folder(tmp_path / "race", first, seed) for seed in (2, 1)))
    )
    assert equal(kept, own)
    assert not equal(kept, other)
    manifest = find_version("winner/1", tmp_path / "models").manifest
    assert (manifest.recipe, manifest.seed) == (first.recipe, 2)
    assert manifest.metrics == {"small dev": {"nDCG@10": 0.9}}
    assert manifest.examples == {first.recipe: {"tiny": len(examples())}}


def test_the_command_keeps_the_winner_and_never_over_what_is_there(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"race --budget 1s --recipes listnet --data index:small --dev small --root {built_root} --steps 2"
    command += f" --base {tiny_cross_encoder} --output {tmp_path / 'race'} --winner {tmp_path / 'models/winner/1'}"
    assert main(command.split()) == 0
    assert "python -m training race --budget 0.0167m" in (tmp_path / "models/winner/1/README.md").read_text()
    assert main(command.split()) == 2
    assert "models/winner/1 is there already" in capsys.readouterr().err


def test_a_folder_is_raced_in_by_one_process(
    tmp_path: Path, built_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"race --budget 1m --data index:small --dev small --root {built_root} --output {tmp_path}"
    with atomic.locked(tmp_path):
        assert main(command.split()) == 2
    assert f"Another process runs a race in {tmp_path}; wait for it, or stop it." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_race_goes_on_only_with_its_own_data(
    tmp_path: Path, built_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = LearningRequest(data=DataSettings(sources=(Source("index", "small"),)))
    check_origin(tmp_path, request.gathered_from())
    command = f"race --budget 1m --data index:small --dev small --root {built_root} --output {tmp_path}"
    assert main(command.split()) == 2
    assert "began with dev None, now it is" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--evaluate-every 5", "--patience 2", "--save-every 9"])
def test_a_race_refuses_what_its_rounds_decide(
    tmp_path: Path, built_root: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    command = f"race --budget 1m --data index:small --dev small --root {built_root} --output {tmp_path} {option}"
    assert main([*command.split(), *(["--evaluate-every", "5"] if "patience" in option else [])]) == 2
    assert "A race measures after each round; leave out --" in capsys.readouterr().err


def test_a_race_without_judged_queries_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["race", "--budget", "1m", "--output", str(tmp_path / "race")]) == 2
    assert "give --dev INDEX" in capsys.readouterr().err
