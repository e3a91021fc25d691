"""Numbers of a command line are read strictly, and refused with the value and the range."""

import argparse

import pytest

from indexing.cli.numbers import real, whole


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("100", 100), ("+7", 7), ("0012", 12)])
def test_a_whole_number_in_range_is_read(text: str, value: int) -> None:
    assert whole(1, 100)(text) == value


@pytest.mark.parametrize(
    "text", ["0", "101", "-5", "1_0", "1.0", "1e1", "0x10", "١٢", "nan", "", " 5", "5 ", "5\n", "9" * 1_000_000]
)
def test_another_is_refused_with_the_value_and_the_range(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"give a whole number from 1 to 100\.") as refusal:
        whole(1, 100)(text)
    assert str(refusal.value).startswith(f"is {text[:5]}" if text in ("0", "101", "-5", "1.0", "1e1") else "is ")
    assert len(str(refusal.value)) < 120


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("-0", 0.0), (".5", 0.5), ("1.", 1.0), ("5e-1", 0.5)])
def test_a_number_in_range_is_read(text: str, value: float) -> None:
    assert real(0, 1)(text) == value


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e309", "-1", "1.1", "0,5", "1_0", "٠", "", "0x1p-1", "."])
def test_no_number_or_one_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"give a number from 0 to 1\."):
        real(0, 1)(text)


def test_a_bound_may_be_excluded_or_absent() -> None:
    assert real(above=0)("1e300") == 1e300
    with pytest.raises(argparse.ArgumentTypeError, match="is 0; give a number above 0"):
        real(above=0)("0")
    assert whole()("-12") == -12
    with pytest.raises(argparse.ArgumentTypeError, match="is -1; give a whole number, 0 or more"):
        whole(0)("-1")
    with pytest.raises(argparse.ArgumentTypeError, match="is 3; give a whole number, at most 2"):
        whole(most=2)("3")
