"""A card says what share of passages with its score was relevant, or shows a bar without a percentage."""

from dataclasses import replace

import pytest

from app.views.search.results import search_figures
from app.views.teach.sheet import GradingSheet, passage_html
from app.views.widgets.passage.cards import (
    bar_html,
    card_html,
    first_stage_cards,
    relative_scores,
    reranked_cards,
    worth_html,
)
from indexing.records import PassageId, Ranking
from search.calibration.curve import Estimate
from tests.unit.search.calibration.test_calibration import trace


def test_a_calibrated_card_says_what_share_was_relevant() -> None:
    estimate = Estimate(0.62, 0.55, 0.69)
    assert "of passages with this score, 62 % were relevant [55, 69]" in worth_html(estimate)
    assert "width:62%" in bar_html(estimate, 1.0)


def test_without_a_calibration_a_card_has_a_bar_and_no_percentage() -> None:
    found = trace(0.5, calibration=None)
    best, last = reranked_cards(found, None, shown=10)
    assert (best.rank, last.rank) == (1, 2)
    assert "width:100%" in best.bar
    assert "width:0%" in last.bar  # the lowest of the list
    assert not best.worth
    assert "%" not in card_html(best, found).replace("width:100%", "")
    assert 'role="img" aria-label="score 1.00, where the best of this list has 1"' in best.bar  # no words beside it


def test_a_bar_is_silent_only_where_words_tell_the_same() -> None:
    heard = [f"{card.bar}{card.worth}" for card in reranked_cards(trace(0.5), None, shown=10)]
    assert all('aria-hidden="true"' in one and "were relevant" in one for one in heard)
    assert 'aria-label="rank 1"' in card_html(reranked_cards(trace(0.5), None, shown=10)[0], trace(0.5))


def test_a_passage_that_is_graded_shows_the_score_of_a_search_s_card() -> None:
    found = trace(0.5)
    (card, _) = reranked_cards(found, None, shown=10)
    sheet = GradingSheet(
        rater="ann",
        query=found.query,
        query_id=None,
        held_out=False,
        index="small",
        build="b1",
        passages=(found.passages[card.passage_id],),
        cards={card.passage_id: card},
        grades={card.passage_id: 2},
        analyzer=found.analyzer,
    )
    shown = passage_html(sheet, 0)
    assert card.worth
    assert card.bar in shown
    assert card.worth in shown
    assert "your grade: partly" in shown
    blind = passage_html(replace(sheet, cards={}), 0)
    assert not [mark for mark in ("rank", "sl-bar", "sl-worth", "why?") if mark in blind]


def test_bars_are_relative_to_the_best_of_the_list() -> None:
    found = Ranking.sort([(PassageId("a"), 4.0), (PassageId("b"), 1.0)])
    assert relative_scores(found) == {"a": 4 / 4, "b": 1 / 4}
    below_zero = Ranking.sort([(PassageId("a"), 1.0), (PassageId("b"), -1.0), (PassageId("c"), -3.0)])
    assert relative_scores(below_zero) == {"a": 1.0, "b": 2 / 4, "c": 0.0}
    assert relative_scores(Ranking.sort([])) == {}
    assert relative_scores(Ranking.sort([(PassageId("a"), -3.0)])) == {"a": 1.0}


def test_a_calibrated_list_keeps_its_moves_and_a_weak_one_loses_them() -> None:
    strong, weak = trace(1.9), trace(-5.0)
    assert "sl-up" in reranked_cards(strong, None, shown=10)[0].movement
    assert [card.movement for card in reranked_cards(weak, None, shown=10)] == ["", ""]
    names = {
        kind: [figure.name for figure in search_figures(found, None, reranker=None)]
        for kind, found in (("strong", strong), ("weak", weak))
    }
    assert names == {"strong": ["Time", "Found", "Best", "Moved"], "weak": ["Time", "Found", "Best"]}


@pytest.mark.parametrize("best", [1.9, -5.0])
def test_the_first_stage_of_a_re_ranked_answer_shows_bars_alone(best: float) -> None:
    cards = first_stage_cards(trace(best), None, shown=10)
    assert all(not card.worth and "sl-bar" in card.bar for card in cards)
