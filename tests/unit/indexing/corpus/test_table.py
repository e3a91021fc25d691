"""Tables are read by their header row, and quotation marks are undone only where they are CSV's."""

from pathlib import Path

import pytest

from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.errors import CorpusError
from indexing.records import Passage, PassageId


def read(path: Path, content: str, **fields: str) -> tuple[list[Passage], tuple[str, ...]]:
    path.write_text(content, encoding="utf-8", newline="")
    corpus = Corpus(path, fields=Fields(**fields))
    return list(corpus), corpus.notes


def passages(*values: tuple[str, ...]) -> list[Passage]:
    return [Passage(PassageId(key), *texts) for key, *texts in values]


def test_dprs_header_row_and_quotation_marks_are_undone_and_told(tmp_path: Path) -> None:
    content = 'id\ttext\ttitle\n1\t"The ""Red Mill""."\t"""Mill"""\n2\t"A ferry."\tFerry\n'
    given, notes = read(tmp_path / "c.tsv", content)
    assert given == passages(("1", 'The "Red Mill".', '"Mill"'), ("2", "A ferry.", "Ferry"))
    assert notes == (
        f"{tmp_path}/c.tsv:1: the header row id, text, title was left out.",
        f"{tmp_path}/c.tsv: the quotation marks of CSV around 3 values were undone.",
    )


@pytest.mark.parametrize(
    "texts",
    [
        ('"Yes," he said.', "No."),
        ('"Yes."', "No."),
        ("No.", '"Yes."', '"Yes," he said.'),
        ('"Yes', "No."),
        ('5" pipes', "No."),
        ('"Yes."',),
        ('"Yes ""so"" he said', "No."),
    ],
)
def test_marks_that_belong_to_a_text_stay(tmp_path: Path, texts: tuple[str, ...]) -> None:
    lines = "".join(f"{number}\t{text}\n" for number, text in enumerate(texts))
    for header in ("", "pid\tpassage\n"):
        if header and len(texts) == 1:
            continue  # then all texts are in marks below a header row, as in CSV
        given, notes = read(tmp_path / "c.tsv", header + lines)
        assert [passage.text for passage in given] == list(texts)
        assert not [note for note in notes if "quotation" in note]


@pytest.mark.parametrize("header", ["", "pid\tpassage\n"])
def test_marks_around_just_the_values_that_need_them_are_csvs(tmp_path: Path, header: str) -> None:
    given, _ = read(tmp_path / "c.tsv", header + '1\tA ferry.\n2\t"The ""Red"" mill."\n3\t"a\tb"\n')
    assert [passage.text for passage in given] == ["A ferry.", 'The "Red" mill.', "a b"]


def test_a_line_that_contradicts_csv_after_the_decision_is_named(tmp_path: Path) -> None:
    lines = "".join(f'{number}\t"The ""Red"" mill {number}."\n' for number in range(1_100))
    with pytest.raises(CorpusError, match=r"c\.tsv:1101: a quotation mark in it isn't doubled"):
        read(tmp_path / "c.tsv", lines + '1100\t"Yes," he said.\n')


def test_a_header_row_gives_the_order_of_columns(tmp_path: Path) -> None:
    given, _ = read(tmp_path / "c.tsv", "URL\tTitle\tText\tDocID\nx\tMill\tIt turns.\t1\n")
    assert given == passages(("1", "It turns.", "Mill"))


def test_a_header_row_of_other_names_is_read_by_given_names(tmp_path: Path) -> None:
    given, _ = read(tmp_path / "c.tsv", "nr\tinhalt\n1\tIt turns.\n", id="nr", text="inhalt")
    assert given == passages(("1", "It turns."))


def test_a_first_row_that_looks_like_a_header_of_other_names_is_told(tmp_path: Path) -> None:
    given, notes = read(tmp_path / "c.tsv", "nr\tinhalt\n1\tIt turns.\n2\tIt stands.\n")
    assert len(given) == 3
    assert notes == (
        f"{tmp_path}/c.tsv:1: passage 'nr' looks like a header row; if it is one, name its columns: --id-field nr "
        "--text-field inhalt.",
    )


@pytest.mark.parametrize("second", ["id\ttext", "ID\tText", "\ufeffid\ttext"])
@pytest.mark.parametrize("form", ["tsv", "csv"])
def test_a_header_row_within_a_joined_file_is_left_out(tmp_path: Path, form: str, second: str) -> None:
    content = f"id\ttext\n1\tIt turns.\n{second}\n2\tIt stands.\n"
    given, _ = read(tmp_path / f"c.{form}", content if form == "tsv" else content.replace("\t", ","))
    assert given == passages(("1", "It turns."), ("2", "It stands."))


def test_a_text_that_goes_on_in_the_next_line_of_a_tsv_is_refused_where_a_header_shows_it(tmp_path: Path) -> None:
    content = 'id\ttext\ttitle\n1\t"It turns\nin the wind"\tMill\n2\tIt stands\tFerry\n'
    with pytest.raises(CorpusError, match=r"c\.tsv:2: a quotation mark opens its last field and isn't closed"):
        read(tmp_path / "c.tsv", content)
    assert read(tmp_path / "c.csv", content)[0][0].text == "It turns in the wind"
    assert read(tmp_path / "d.tsv", 'id\ttext\ttitle\n1\t"Yes" it says\n')[0] == passages(("1", '"Yes" it says'))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_may_have_values_of_several_lines(tmp_path: Path, separator: str) -> None:
    content = f'id{separator}text\r\n1{separator}"It\r\nturns,\tand; ""stands""."\r\n2{separator}Up\r\n'
    given, notes = read(tmp_path / "c.csv", content)
    assert given == passages(("1", 'It turns, and; "stands".'), ("2", "Up"))
    assert len(notes) == 1


def test_a_bad_row_of_csv_is_named_by_its_first_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"c\.csv:4: 3 values, the header row has 2"):
        read(tmp_path / "c.csv", 'id,text\n1,"It\nturns."\n2,"a\nb",c\n')


def test_csv_without_line_feeds_or_with_a_huge_first_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"c\.csv:1: the lines end in carriage returns alone; end them as usual: tr "):
        read(tmp_path / "c.csv", "id,text\r1,It turns.\r2,It stands.\r")
    with pytest.raises(CorpusError, match=r"c\.csv:1: no header row that names an id and a text, but 'xxx"):
        read(tmp_path / "c.csv", "x" * 200_000)
    given, _ = read(tmp_path / "c.csv", 'id,text,"two\rlines"\n1,It turns.,\n')
    assert given == passages(("1", "It turns."))


@pytest.mark.parametrize("rows", ["0\tD1\tThe cat sat.\n1\tD2\tThe dog ran.\n", "D1\tA cat\tThe cat sat on the mat.\n"])
def test_titles_longer_than_texts_are_told_where_no_header_names_them(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "c.tsv"
    assert read(path, rows)[1] == (
        f"{path}: the third values, which are titles, are longer than the second ones, which are texts; if they are "
        "meant otherwise, as where rows were numbered, name the columns in a header row (such as id, title, text).",
    )
    assert len(read(path, f"number\tid\ttext\n{rows}")[1]) == 1  # the header row


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"id": "ID"}, "there is no field 'ID', only 'id', 'text'"), ({"text": "id"}, "fields 'id', 'text' hold no id")],
)
def test_a_named_column_that_csv_lacks_is_told_with_those_that_it_has(
    tmp_path: Path, fields: dict[str, str], reason: str
) -> None:
    with pytest.raises(CorpusError, match=f"c.csv:1: {reason}.*name other columns with --id-field"):
        read(tmp_path / "c.csv", "id;text\n1;a, b\n", **fields)
