"""The language of texts is told by letters and common words, and what models don't know is said."""

from pathlib import Path

import pytest

from indexing.words.detection import detect, text_language
from indexing.words.known_languages import known_languages, unknown_language_note


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The dog runs across the street and barks at a cat.", "english"),
        ("Der Hund läuft über die Straße und bellt.", "german"),
        ("Le chat est sur la table avec les souris.", "french"),
        ("Собака бежит по улице и лает на кошку.", "russian"),
        ("Собака біжить по вулиці і гавкає на кота.", "ukrainian"),
        ("سگ در خیابان می‌دود و پارس می‌کند", "persian"),
        ("日本語の文章です", "japanese"),
        ("这是中文", "chinese"),
        ("bee honey wax", ""),
        ("12 34", ""),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert text_language(text) == language


def test_most_texts_decide_and_all_are_counted() -> None:
    german, english = "Der Hund ist in dem Haus.", "The dog is in the house."
    found = detect([german, german, german, english, "xyz"])
    assert (found.language, found.shares, found.texts) == ("german", {"german": 0.75, "english": 0.25}, 5)
    assert detect(["这是中文"]).language == "none"  # Snowball has no stems of it
    assert detect(["xyz"]).language == "english"
    assert detect([german, english, "这是中文"]).language == "none"  # a third each


def test_a_model_knows_the_languages_of_its_card_or_its_name(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlanguage:\n- de\n- en\nlicense: mit\n---\n# Model\n")
    assert known_languages(str(tmp_path)) == frozenset({"german", "english"})
    (tmp_path / "README.md").write_text("---\nlanguage: multilingual\n---\n")
    assert known_languages(str(tmp_path)) is None
    assert known_languages("cross-encoder/ms-marco-MiniLM-L6-v2") == frozenset({"english"})
    assert known_languages("intfloat/multilingual-e5-small") is None
    assert known_languages("somebody/model") is None


def test_unknown_languages_are_told_by_share() -> None:
    models = {"bi-encoder": "sentence-transformers/all-MiniLM-L6-v2", "re-ranker": "shipped"}
    assert unknown_language_note({"english": 0.97, "german": 0.03}, models) == ""
    assert unknown_language_note({"german": 1.0}, {"bi-encoder": "somebody/model"}) == ""
    assert unknown_language_note({"english": 0.6, "german": 0.4}, models) == (
        "Of the sampled passages 40% are in German, which the bi-encoder and the re-ranker know little of: there, "
        "trust BM25, or choose models for it."
    )
