"""A race's table and plot say what each recipe is worth and what it costs."""

import itertools
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from training.race.plot import HEIGHT, pareto, plot
from training.race.standings import BASE, Standing
from training.race.table import race_table

BCE = Standing("bce", rounds=2, minutes=2.0, pairs=12_000, ndcg=0.7, low=0.6, high=0.8)
LISTNET = Standing("listnet", rounds=2, minutes=4.0, pairs=12_000, ndcg=0.65, low=0.55, high=0.75)
LAMBDA = Standing("lambda", rounds=1, minutes=1.0, pairs=3_000, ndcg=0.5, low=0.4, high=0.6)
TWIN = replace(LAMBDA, recipe="lambda-preprocessed", same_as="lambda")
FAULTY = Standing("distill-mse", fault="Examples have no scores.")
START = Standing(BASE, ndcg=0.3, low=0.2, high=0.4)
ALL = [BCE, LISTNET, LAMBDA, TWIN, FAULTY, START]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_table_has_a_row_for_each() -> None:
    assert race_table(ALL).splitlines() == [
        "| recipe | nDCG@10 | 95 % interval | against the first | rounds | minutes | pairs | pairs/s |",
        "|---|---:|---|---|---:|---:|---:|---:|",
        "| bce | 0.7000 | 0.6000 to 0.8000 |  | 2 | 2.0 | 12,000 | 100 |",  # 12,000 / (2 * 60)
        "| listnet | 0.6500 | 0.5500 to 0.7500 |  | 2 | 4.0 | 12,000 | 50 |",
        "| lambda | 0.5000 | 0.4000 to 0.6000 |  | 1 | 1.0 | 3,000 | 50 |",
        "| lambda-preprocessed (the same training as lambda) | 0.5000 | 0.4000 to 0.6000 |  | 1 | 1.0 | 3,000 | 50 |",
        "| distill-mse | | Examples have no scores. | | | | | |",
        "| not trained | 0.3000 | 0.2000 to 0.4000 |  |  |  |  |  |",
    ]


def test_of_several_seeds_the_table_tells_the_lowest_and_the_highest() -> None:
    twice = replace(BCE, by_seed=[0.71, 0.69])
    assert race_table([twice, FAULTY, replace(START, by_seed=[0.3])]).splitlines() == [
        "| recipe | nDCG@10 | 95 % interval | against the first | 2 seeds | rounds | minutes | pairs | pairs/s |",
        "|---|---:|---|---|---|---:|---:|---:|---:|",
        "| bce | 0.7000 | 0.6000 to 0.8000 |  | 0.6900 to 0.7100 | 2 | 2.0 | 12,000 | 100 |",
        "| distill-mse | | Examples have no scores. | | | | | | |",
        "| not trained | 0.3000 | 0.2000 to 0.4000 |  |  |  |  |  |  |",
    ]


def test_each_is_compared_with_the_first_query_by_query() -> None:
    queries = [str(number) for number in range(8)]
    first = replace(BCE, by_query=dict.fromkeys(queries, 0.7))
    worse = replace(LISTNET, by_query=dict.fromkeys(queries, 0.65))
    mixed = replace(LAMBDA, by_query={query: 0.6 if number % 2 else 0.8 for number, query in enumerate(queries)})
    lines = race_table([first, worse, mixed, START]).splitlines()
    cells = [line.split(" | ")[3] for line in lines[2:]]
    assert cells[0] == cells[3] == ""  # the first itself, and one without values by query
    assert cells[1] == "-0.0500 (95 %: -0.0500 to -0.0500), worse"  # 0.65 - 0.7 on each query
    assert cells[2].startswith("+0.0000 (95 %: -")  # 0.1 less on four queries, 0.1 more on the other four
    assert cells[2].endswith(", no difference shown")


def test_speed_of_what_was_not_trained_is_0() -> None:
    assert START.pairs_per_second == 0


def at(name: str, minutes: float, ndcg: float) -> Standing:
    return Standing(name, rounds=1, minutes=minutes, ndcg=ndcg)


@pytest.mark.parametrize(
    ("given", "front"),
    [
        # b costs more than a and is worse; d is as good as c and costs more
        ([at("a", 1, 0.5), at("b", 2, 0.4), at("c", 3, 0.7), at("d", 4, 0.7)], ["a", "c"]),
        ([at("d", 4, 0.9), at("c", 3, 0.7), at("a", 1, 0.5)], ["a", "c", "d"]),
        ([at("worse", 1, 0.4), at("better", 1, 0.5)], ["better"]),
        ([], []),
    ],
)
def test_the_front_is_what_none_beats_at_its_cost(given: list[Standing], front: list[str]) -> None:
    assert [item.recipe for item in pareto(given, lambda item: item.minutes)] == front


def test_where_more_is_cheaper_the_fastest_comes_first() -> None:
    found = pareto([BCE, LISTNET, LAMBDA], lambda item: -item.pairs_per_second)
    assert [item.recipe for item in found] == ["bce"]  # the fastest and the best


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_plot_is_a_picture_with_two_panels() -> None:
    svg = plot(ALL)
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert len(list(root.iter(f"{SVG}g"))) == 2
    labels = texts(svg)
    assert labels.count("training minutes") == labels.count("pairs per second") == 1
    assert labels.count("nDCG@10 on the dev queries") == 2


def test_every_recipe_that_was_raced_is_a_point_in_both() -> None:
    svg = plot(ALL)
    assert len(list(ElementTree.fromstring(svg).iter(f"{SVG}circle"))) == 2 * 3
    labels = texts(svg)
    assert {name: labels.count(name) for name in ("bce", "listnet", "lambda", "not trained")} == dict.fromkeys(
        ("bce", "listnet", "lambda", "not trained"), 2
    )
    assert not {"lambda-preprocessed", "distill-mse"} & set(labels)


def test_better_stands_higher_and_dearer_further_right() -> None:
    first, *_ = ElementTree.fromstring(plot(ALL)).iter(f"{SVG}g")
    bce, listnet, cheap = ((float(c.get("cx", "")), float(c.get("cy", ""))) for c in first.iter(f"{SVG}circle"))
    assert cheap[0] < bce[0] < listnet[0]
    assert bce[1] < listnet[1] < cheap[1]  # up is less


def test_the_line_joins_the_front() -> None:
    lines = [element.get("points", "").split() for element in ElementTree.fromstring(plot(ALL)).iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [2, 1]  # lambda and bce by minutes, bce by speed


def test_names_are_written_so_that_they_are_text() -> None:
    assert "a<b&c" in texts(plot([replace(BCE, recipe="a<b&c"), START]))


@pytest.mark.parametrize("given", [[BCE], [replace(BCE, minutes=0.0), START], [START, FAULTY]])
def test_few_standings_make_a_picture_too(given: list[Standing]) -> None:
    assert ElementTree.fromstring(plot(given)).tag == f"{SVG}svg"


def test_names_of_points_in_one_place_stand_apart() -> None:
    crowd = [
        Standing(
            f"recipe-{number}", rounds=1, minutes=1.0, pairs=600 + number, ndcg=0.7 + number / 1000, low=0.6, high=0.8
        )
        for number in range(10)
    ]
    root = ElementTree.fromstring(plot(crowd))
    for panel in root.findall(f"{SVG}g"):
        texts = [text for text in panel.findall(f"{SVG}text") if (text.text or "").startswith("recipe-")]
        heights = sorted(float(text.attrib["y"]) for text in texts)
        assert len(heights) == 10
        assert min(high - low for low, high in itertools.pairwise(heights)) >= 11.9
        assert all(0 < height < HEIGHT for height in heights)
