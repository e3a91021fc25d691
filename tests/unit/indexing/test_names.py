"""Of the names that exist, the nearest to one that doesn't come first."""

from indexing.names import nearest_first


def test_a_near_miss_comes_first_whatever_its_case() -> None:
    names = ["bce", "mine", "lambda/1", "lambda/12"]
    assert nearest_first("LAMBDA/1", names)[:2] == ["lambda/1", "lambda/12"]
    # of the letters of both names 2 * 8 / (8 + 9) and 2 * 8 / (9 + 9) are shared
    assert nearest_first("lambda/13", names)[:2] == ["lambda/1", "lambda/12"]


def test_names_that_are_equally_far_keep_their_order() -> None:
    assert nearest_first("xyz", ["b", "a", "c"]) == ["b", "a", "c"]
    assert nearest_first("x", []) == []
