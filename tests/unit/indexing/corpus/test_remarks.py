"""What a corpus that can be read says of itself: ids and texts that programs changed on the way."""

import pytest

from indexing.corpus.remarks import Remarks


def _told(*passages: tuple[str, ...]) -> tuple[str, ...]:
    remarks = Remarks()
    for passage in passages:
        remarks.count(*passage)
    return remarks.sentences()


def test_usual_passages_say_nothing() -> None:
    assert _told(("a", "Nan was here."), ("1.2", "null and void"), ("E+11", "beta"), ("2.0", "none of it")) == ()


def test_ids_of_pandas_are_told() -> None:
    assert "All ids end in '.0'" in _told(("1.0", "alpha"), ("2.0", "beta"))[0]


@pytest.mark.parametrize("key", ['="00123"', "1.2E+11", "1,2E+11", "5E+15"])
def test_ids_of_a_spreadsheet_are_told(key: str) -> None:
    assert _told(("a", "alpha"), (key, "beta")) == (
        f"1 id is as a spreadsheet writes them, such as {key!r}: judgments may have them in full; save the column as "
        "text.",
    )


@pytest.mark.parametrize("text", ["nan", "NaN", "None", "NULL", "<NA>", "N/A", "#N/A"])
def test_texts_that_stand_for_a_missing_value_are_told(text: str) -> None:
    assert _told(("a", "alpha"), ("b", text), ("c", text)) == (
        f"2 texts are what programs write for a missing value, such as {text!r} of passage 'b': they are read as "
        "words; remove them if nobody wrote them.",
    )


def test_ids_and_titles_that_stand_for_a_missing_value_are_told() -> None:
    assert _told(("a", "alpha", "nan"), ("b", "beta", "nan"), ("None", "gamma", "Nan and Pop")) == (
        "1 id is what programs write for a missing value, such as 'None': they are read as words; remove them if "
        "nobody wrote them.",
        "2 titles are what programs write for a missing value, such as 'nan' of passage 'a': they are read as words; "
        "remove them if nobody wrote them.",
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<p class='x'>Rye</p>", "HTML, such as \"<p class='x'>\""),
        ("Rye &amp; oats", "HTML, such as '&amp;'"),
        ("Rye.\\nOats.", "escapes, such as '\\\\n'"),
        ("caf\\u00e9", "escapes, such as '\\\\u00e9'"),
        ("caf\ufffd", "characters that a program couldn't read, such as '\ufffd'"),
    ],
)
def test_what_nobody_means_to_search_is_told_where_it_is_not_rare(text: str, what: str) -> None:
    told = f"1 text holds {what} in passage 'b': that is read as words; convert the texts if it isn't meant."
    assert _told(("a", "alpha"), ("b", text)) == (told,)
    assert _told(*((f"{number}", "alpha") for number in range(99)), ("b", text)) == ()


@pytest.mark.parametrize("text", ["a < b && c > d", "<pi>", "AT&T; R&D", "$\\nu + \\tau$", "C:\\new\\\\nothing"])
def test_texts_that_look_alike_are_not_taken_for_markup(text: str) -> None:
    assert _told(("a", text), ("b", text)) == ()
