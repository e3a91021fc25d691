"""Texts that were encoded twice are read as they were meant; others are left alone."""

from pathlib import Path

import pytest

from indexing.corpus.corpus import Corpus
from indexing.corpus.mend import mended

MEANT = ("let’s", "the café’s “late” ferry — a ½ cup at 700 °C", "Danilo Ilić", "Страна", "東京")


@pytest.mark.parametrize("text", MEANT)
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_text_that_was_encoded_twice_is_mended(text: str, encoding: str) -> None:
    try:
        twice = text.encode().decode(encoding)
    except UnicodeDecodeError:  # Windows-1252 has five holes, which programs fill as Latin-1 does
        twice = text.encode().decode("latin-1")
    assert mended(twice) == text


@pytest.mark.parametrize("text", [*MEANT, "É : voilà", "« CAFÉ »", "CAFÉ\u00a0: À\u00a0la carte", "naïve Ångström Â"])
def test_another_text_stays_the_same_object(text: str) -> None:
    assert mended(text) is text


def corpus(folder: Path, *, mend: bool) -> Corpus:
    path = folder / "c.tsv"
    path.write_text("1\tletâ€™s say\n2\tlet’s say\n3\tcafÃ©\n", encoding="utf-8")
    return Corpus(path, mend=mend)


def test_mended_texts_are_counted_and_told(tmp_path: Path) -> None:
    given = corpus(tmp_path, mend=True)
    assert [passage.text for passage in given] == ["let’s say", "let’s say", "café"]
    assert given.notes == (
        "2 texts were encoded twice, such as 'letâ€™s' for 'let’s' in passage '1': they are read as they were meant; "
        "--keep-encoding leaves them as they are.",
    )


def test_texts_that_are_kept_as_they_are_are_counted_too(tmp_path: Path) -> None:
    given = corpus(tmp_path, mend=False)
    texts = [passage.text for passage in given]
    assert texts[0] == "letâ€™s say"
    assert "they are read as they are" in given.notes[0]
