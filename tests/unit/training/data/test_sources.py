"""A source is read as it is written: form, place, and only the options that its form has."""

import pytest

from indexing.errors import SettingsError
from training.data.sources import index_of, split_source


@pytest.mark.parametrize(
    ("source", "form", "place", "options"),
    [
        ("hub", "hub", "", {}),
        ("index:small", "index", "small", {}),
        ("jsonl:a,queries=b", "jsonl", "a,queries=b", {}),  # has no options, so it is all path
        ("top1000:C:/a,b,qrels=q", "top1000", "C:/a,b", {"qrels": "q"}),
        ("run:r.trec,index=small", "run", "r.trec", {"index": "small"}),
        ("run:r,s,queries=q,1,index=small", "run", "r,s", {"queries": "q,1", "index": "small"}),
        ("run:r,qrels=q", "run", "r,qrels=q", {}),
        ("judged:small,qrels=a,queries=b=c", "judged", "small", {"qrels": "a", "queries": "b=c"}),
    ],
)
def test_what_stands_behind_a_place_is_an_option_of_its_form(
    source: str, form: str, place: str, options: dict[str, str]
) -> None:
    assert split_source(source) == (form, place, options)


def test_an_option_that_is_given_twice_is_told() -> None:
    with pytest.raises(SettingsError, match="has two index; leave a or b out"):
        split_source("run:r,index=a,queries=q,index=b")


@pytest.mark.parametrize(
    ("source", "index"),
    [
        ("index:small", "small"),
        ("judged:small,queries=q,qrels=r", "small"),
        ("run:r,queries=q,index=small", "small"),
        ("run:r", ""),
        ("hub:small", ""),
        ("jsonl:a,index=small", ""),
    ],
)
def test_the_index_that_a_source_is_read_with_is_known_before_it_is_read(source: str, index: str) -> None:
    assert index_of(source) == index
