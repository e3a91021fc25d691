"""Text is shown as text; in read-only mode nothing of the file system is."""

import re
import string
from pathlib import Path

import pytest

from app.views.widgets.notices import plain, shown
from indexing import places
from indexing.catalogue import current_build
from indexing.errors import IndexingError, SettingsError
from indexing.manifest import rebuild
from search.served_settings import rollback

MARKUP = (
    "![x](http://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "<img src=x>",
    ":red[x]",
    ":material/x:",
    "$x$",
    "`x`",
    "**x**",
    "~~x~~",
    "# x",
    "> x",
    "| a |",
    "http://evil.example",
    "www.evil.example",
    "ann@evil.example",
    "&lt;",
    "&#60;",
    "- x",
    "+ x",
    "= x",
    "---",
    "===",
    "1. x",
    "2) x",
    "a\nb\n---",
    "x\n- y",
    "\\",
)


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_escaped_and_the_text_is_unchanged(text: str) -> None:
    escaped = plain(text)
    assert escaped != text
    assert re.sub(r"\\([" + re.escape(string.punctuation) + "])", r"\1", escaped) == text


@pytest.mark.parametrize("text", ["plain words", "v1.2.3, 3-4 = -1 + 5", "R&D & so on", "don't", "naïve 東京 ß"])
def test_ordinary_text_stays(text: str) -> None:
    assert plain(text) == text


def test_characters_that_turn_the_direction_are_left_out() -> None:
    assert plain("a\u202eb\u2066c\u2069") == "abc"
    assert plain("\u05d0\u200d\u0301") == "\u05d0\u200d\u0301"  # joiners and marks belong to words


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("There is no index 'x' in /srv/data/indexes (there: a).", "There is no index 'x' in …/indexes (there: a)."),
        ("/etc/passwd: Permission denied.", "…/passwd: Permission denied."),
        ("Re-ranker '/a/b/c' and “~/d/e”", "Re-ranker '…/c' and “…/e”"),
        (f"{places.CHECKOUT}/data/reranker holds none", "…/reranker holds none"),
        ("and/or, https://example.org/x, mine/1", "and/or, https://example.org/x, mine/1"),
    ],
)
def test_in_read_only_mode_a_path_is_cut_to_its_last_part(
    sentence: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "1")
    assert shown(sentence) == expected
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "0")
    assert shown(sentence) == sentence


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Give a lower --learning-rate.", "Give a lower “Learning rate”."),
        (
            "Mend it, or --on-bad-line skip; not --on-bad-lines",
            "Mend it, or “Leave out lines that can't be read”; not --on-bad-lines",
        ),
        (
            "Remove it: python -m indexing gc small --index small",
            "Remove it: python -m indexing gc small --index small",
        ),
        ("No passage for '--batches' or '--x'.", "No passage for '--batches' or '--x'."),
    ],
)
def test_options_are_told_as_the_fields_of_the_pages(sentence: str, expected: str) -> None:
    assert shown(sentence) == expected


def test_a_command_is_told_as_what_to_press_where_a_page_can_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(IndexingError) as absent:
        current_build("small.2", root=tmp_path)
    assert shown(str(absent.value)).endswith(
        "(there: none). Build it: “Build” on the Indexes page, under the name small.2."
    )
    assert shown(rebuild(tmp_path / "small/b1")) == "Rebuild it: “Build” on the Indexes page, under the name small"
    with pytest.raises(SettingsError) as none:
        rollback("small", root=tmp_path)
    assert shown(str(none.value)).endswith("choose one: “Decide” on the Evaluate page")
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "1")
    assert "python -m indexing build" in shown(str(absent.value))
