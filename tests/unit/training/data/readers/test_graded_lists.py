"""Lists of graded or scored candidates: grades, order, teachers in files of their own, and what is refused."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from indexing.errors import CorpusError, SettingsError, TrainingError
from training.data.readers.local import local_examples
from training.example import NO_JUDGMENT, NO_TEACHER, Example
from training.source import Source

SPOON = {"text": "Spoons are made of steel.", "grade": 3, "place": 1}
FORK = {"text": "Forks are made of steel, too.", "grade": 3, "place": 4}
MOON = {"text": "The moon is made of rock.", "grade": 0}


def _write(path: Path, *records: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def _list(*candidates: dict[str, Any], query: str = "what are spoons made of", key: Any = "q1") -> dict[str, Any]:
    return {"query_id": key, "query": query, "candidates": list(candidates)}


def _read(text: str, dropped: Counter[str] | None = None) -> list[Example]:
    counted = Counter[str]() if dropped is None else dropped
    return list(local_examples(Source.parse(text), on_skip=lambda reason: counted.update([reason])))


def test_grades_are_labels_and_the_order_lowers_them_within_a_grade(tmp_path: Path) -> None:
    file = _write(tmp_path / "lists.jsonl.gz", _list(SPOON, MOON, FORK))
    (example,) = _read(f"lists:{file}")
    assert dict(zip(example.passages, example.labels or (), strict=True)) == {
        SPOON["text"]: 3.0,
        FORK["text"]: pytest.approx(3 - 3 * 0.04),  # three places after the first
        MOON["text"]: 0.0,
    }
    assert example.scores is None
    assert example.query_id == "q1"
    assert example.source == f"lists {tmp_path.name}"


def test_a_title_comes_before_its_text(tmp_path: Path) -> None:
    file = _write(tmp_path / "lists.jsonl", _list({**SPOON, "title": "Cutlery"}, {**MOON, "title": None}))
    assert _read(f"lists:{file}")[0].passages == (f"Cutlery {SPOON['text']}", MOON["text"])
    with pytest.raises(CorpusError, match=r"lists\.jsonl:1: 'candidates\[0\]\.title' is a number, not text"):
        _read(f"lists:{_write(file, _list({**SPOON, 'title': 3}, MOON))}")


@pytest.mark.parametrize("name", ["relevance", "rel", "rating", "relevance_score", "is_selected", "Grade"])
def test_grades_of_another_name_are_refused(tmp_path: Path, name: str) -> None:
    file = _write(
        tmp_path / "lists.jsonl", _list({"text": "a", name: 1, "score": 2}, {"text": "b", name: 0, "score": 1})
    )
    with pytest.raises(CorpusError, match=rf"lists\.jsonl:1: candidates\[0\]\.{name} is by its name a grade"):
        _read(f"lists:{file}")
    kept = _write(tmp_path / "lists.jsonl", _list({**SPOON, name: 7}, {**MOON, name: 0}))  # beside a grade of ours
    assert _read(f"lists:{kept}")[0].labels == (3.0, 0.0)


def test_order_never_takes_a_whole_grade(tmp_path: Path) -> None:
    file = _write(tmp_path / "lists.jsonl", _list({**SPOON, "grade": 1, "place": 90}, MOON))
    assert _read(f"lists:{file}")[0].labels == pytest.approx((0.6, 0.0))


def test_teachers_of_several_files_are_averaged_by_folder_and_query(tmp_path: Path) -> None:
    lists = _write(tmp_path / "mine/lists.jsonl", _list(SPOON, MOON))
    first = _write(
        tmp_path / "late.jsonl",
        {"set": "others", "query_id": "q1", "small": [9, 9], "large": [9, 9]},
        {"set": "mine", "query_id": "q1", "small": [4, 0], "large": [2, 1]},  # means 3 and .5
    )
    second = _write(tmp_path / "cross.jsonl", {"query_id": "q1", "scores": [1, 1.5]})
    (example,) = _read(f"lists:{lists},teacher={first}+{second}")
    assert example.scores == (2.0, 1.0)  # (3 + 1) / 2, (.5 + 1.5) / 2
    assert example.labels == (3.0, 0.0)


def test_scores_of_its_own_are_kept(tmp_path: Path) -> None:
    file = _write(tmp_path / "lists.jsonl", _list({**SPOON, "score": 0.75}, {**MOON, "score": 0}))
    assert _read(f"lists:{file}")[0].scores == (0.75, 0.0)


def test_unjudged_candidates_are_left_out_where_others_are_judged(tmp_path: Path) -> None:
    unjudged = {"text": "Nobody read this one.", "label": -1, "score": 2}
    scored = [{"text": entry["text"], "label": entry["grade"], "score": 1} for entry in (SPOON, MOON)]
    file = _write(
        tmp_path / "lists.jsonl",
        _list(*scored, unjudged),
        _list(unjudged, {**unjudged, "text": "Nor this one.", "score": 1}, key="q2", query="who read this"),
        _list({"text": "Without anything."}, {"text": "Here too."}, key="q3", query="what of these"),
    )
    dropped = Counter[str]()
    judged, unread = _read(f"lists:{file}", dropped)
    assert judged.passages == (SPOON["text"], MOON["text"])
    assert unread.labels is None
    assert unread.scores == (2.0, 1.0)
    assert dropped == {NO_JUDGMENT: 1}


def test_list_that_the_teacher_did_not_score_is_left_out(tmp_path: Path) -> None:
    lists = _write(tmp_path / "lists.jsonl", _list(SPOON, MOON), _list(FORK, MOON, key="q2", query="forks"))
    teacher = _write(tmp_path / "late.jsonl", {"query_id": "q2", "late": [1, 0]})
    dropped = Counter[str]()
    assert [example.query for example in _read(f"lists:{lists},teacher={teacher}", dropped)] == ["forks"]
    assert dropped == {NO_TEACHER: 1}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"query_id": 1, "query": "q"}, "'candidates' is not a list of objects"),
        (_list({"grade": 1}), "'candidates[0].text' is missing"),
        (_list({**SPOON, "label": 2}), "candidates[0] has both 'grade' and 'label'"),
        (_list({**SPOON, "grade": -2}), "candidates[0].grade is -2, not 0, 1, 2 ..., or -1"),
        (_list(MOON, {**SPOON, "place": 0}), "candidates[1].place is 0, not 1 or more"),
        (_list({**SPOON, "grade": "high"}), "candidates[0].grade is not a finite number"),
        (_list({**SPOON, "score": float("nan")}), "candidates[0].score is not a finite number"),
    ],
)
def test_faulty_line_is_refused_with_its_place(tmp_path: Path, record: dict[str, Any], said: str) -> None:
    file = _write(tmp_path / "lists.jsonl", _list(SPOON, MOON), record)
    with pytest.raises(CorpusError) as refused:
        _read(f"lists:{file}")
    assert said in str(refused.value)
    assert f"{file}:2" in str(refused.value)


def test_scores_of_other_lists_are_refused(tmp_path: Path) -> None:
    lists = _write(tmp_path / "lists.jsonl", _list(SPOON, MOON))
    short = _write(tmp_path / "short.jsonl", {"query_id": "q1", "late": [1, 2, 3]})
    with pytest.raises(CorpusError, match=r"lists.jsonl:1: query 'q1' has 2 candidates, and its teacher 3 scores"):
        _read(f"lists:{lists},teacher={short}")
    uneven = _write(tmp_path / "uneven.jsonl", {"query_id": "q1", "small": [1], "large": [1, 2]})
    with pytest.raises(CorpusError, match=r"uneven.jsonl:1: 'small' and 'large' have 1 and 2 scores"):
        _read(f"lists:{lists},teacher={uneven}")
    other = _write(tmp_path / "other.jsonl", {"query_id": "q9", "late": [1, 2]})
    with pytest.raises(TrainingError, match=r"None of the 1 lists of .* has scores in"):
        _read(f"lists:{lists},teacher={other}")


def test_absent_file_of_scores_is_refused_before_reading(tmp_path: Path) -> None:
    lists = _write(tmp_path / "lists.jsonl", _list(SPOON, MOON))
    with pytest.raises(SettingsError, match=r"teacher file .*late\.jsonl doesn't exist"):
        _read(f"lists:{lists},teacher={tmp_path / 'late.jsonl'}")


def test_published_source_names_files_without_folders() -> None:
    source = Source.parse("lists:/a/lists.jsonl,teacher=/b/x.jsonl+/c/y.jsonl")
    assert str(source.without_folders()) == "lists:lists.jsonl,teacher=x.jsonl+y.jsonl"


def test_lists_of_ids_or_ranks_are_no_teachers(tmp_path: Path) -> None:
    lists = _write(tmp_path / "lists.jsonl", _list(SPOON, MOON))
    for name in ("doc_ids", "ranks", "Labels"):
        scores = _write(tmp_path / f"{name}.jsonl", {"query_id": "q1", "late": [3.0, -4.0], name: [1, 2]})
        with pytest.raises(CorpusError, match=rf"{name}.jsonl:1: '{name}' is by its name no teacher's scores"):
            _read(f"lists:{lists},teacher={scores}")


def test_one_id_for_two_queries_or_two_scores_of_one_list_are_refused(tmp_path: Path) -> None:
    two = _write(tmp_path / "two.jsonl", _list(SPOON, MOON), _list(SPOON, MOON, query="what is the moon made of"))
    with pytest.raises(CorpusError, match=r"two.jsonl:2: query id 'q1' isn't that of one query"):
        _read(f"lists:{two}")
    one = _write(tmp_path / "one.jsonl", _list(SPOON, MOON))
    twice = _write(tmp_path / "twice.jsonl", *({"query_id": "q1", "late": [0.0, value]} for value in (1.0, 9.0)))
    with pytest.raises(CorpusError, match=r"twice.jsonl:2: query 'q1' has other scores in a line before"):
        _read(f"lists:{one},teacher={twice}")
