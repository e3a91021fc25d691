"""What a link holds is read by rules, and what isn't usual is spelled as it is read."""

from dataclasses import asdict, dataclass, replace

from app.views.widgets.linked import LinkRule, differing, one_of, read, within


@dataclass(frozen=True)
class Choice:
    word: str = "red"
    count: int = 10
    share: float = 0.3
    hidden: bool = True
    own: float | None = None


FIELDS = {"w": "word", "n": "count", "s": "share", "h": "hidden", "o": "own"}
RULES = {
    "w": one_of(("red", "blue")),
    "n": within(int, 1, 10_000),
    "s": within(float, 0, 1),
    "h": LinkRule("0 or 1", {"0": False, "1": True}.__getitem__),
    "o": within(float, 0, 3),
}


def test_what_is_spelled_is_read_again() -> None:
    choice = Choice("blue", 9_999, 0.05, False, 1.2)
    link = differing(asdict(choice), asdict(Choice()), FIELDS)
    assert link == {"w": "blue", "n": "9999", "s": "0.05", "h": "0", "o": "1.2"}
    values, notes = read(link, FIELDS, RULES, asdict(Choice()))
    assert (replace(Choice(), **values), notes) == (choice, [])


def test_what_is_usual_is_left_out() -> None:
    assert differing(asdict(Choice(count=3)), asdict(Choice()), FIELDS) == {"n": "3"}


def test_what_a_link_holds_wrongly_is_told_with_what_is_used() -> None:
    bad = {"w": "green", "n": "1.5", "s": "nan", "h": "yes", "o": "3.01", "unknown": "1"}
    values, notes = read(bad, FIELDS, RULES, asdict(Choice()))
    assert values == {}
    assert notes == [
        "The link's w “green” isn't one of red, blue; red is used.",
        "The link's n “1.5” isn't a whole number from 1 to 10,000; 10 is used.",
        "The link's s “nan” isn't a number from 0 to 1; 0.3 is used.",
        "The link's h “yes” isn't 0 or 1; 1 is used.",
        "The link's o “3.01” isn't a number from 0 to 3; the index's own is used.",
    ]


def test_the_ends_of_a_range_belong_to_it() -> None:
    assert read({"n": "1", "s": "1"}, FIELDS, RULES, asdict(Choice()))[0] == {"count": 1, "share": 1.0}
    assert len(read({"n": "0", "s": "-0.1"}, FIELDS, RULES, asdict(Choice()))[1]) == 2
