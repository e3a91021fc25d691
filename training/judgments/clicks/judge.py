"""Judgments from a click log, in files that bear the mark `clicks`, so that nobody takes them for grades by people."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.errors import CorpusError, SettingsError
from indexing.judged.by_text import Named, name_queries
from indexing.judged.qrels import CLICKS, Judgments
from indexing.judged.queries import normalize_query, read_queries
from indexing.notes import Note, counted, log_note, shown
from indexing.records import PassageId
from training.judgments.clicks.expected import STEPS, ClickedPair, ClickSettings, PlaceRate, clicked_pairs, enough
from training.judgments.clicks.expected import place_rates as rates_of
from training.judgments.clicks.log import read_log
from training.judgments.clicks.views import Views, count_views
from training.judgments.marked import line_field, qrels_lines, query_lines, write_lines
from training.judgments.received import ReadFile

FILES = ("queries.clicks.tsv", "qrels.clicks.tsv", "clicks.tsv", "clicks.json")
"""Queries, judgments, the counts behind each judgment, and how they were made. `clicks` is no split, so that a corpus
beside these files doesn't take them for its own judgments."""


@dataclass(frozen=True, kw_only=True)
class ClickJudgments:
    """What a log says of relevance, with all that a user needs to choose the least number of views."""

    settings: ClickSettings
    views: Views
    rates: tuple[PlaceRate, ...]
    pairs: tuple[ClickedPair, ...]
    """All pairs that were seen."""
    notes: tuple[str, ...]
    """What was left out or merged."""
    log: tuple[ReadFile, ...] = ()
    """The files that were read."""

    @property
    def judged(self) -> list[ClickedPair]:
        """The pairs with enough views and expected clicks."""
        return enough(self.pairs, self.settings)

    @property
    def grades(self) -> dict[int, int]:
        """How many judgments have each grade from 0 to 3."""
        counts = Counter(pair.grade(self.settings.bounds) for pair in self.judged)
        return {grade: counts[grade] for grade in range(len(self.settings.bounds) + 1)}

    def steps(self) -> list[tuple[int, int, int]]:
        """For several least numbers of views, the chosen one among them: the number, judgments and queries."""
        table = []
        for least in sorted({*STEPS, self.settings.least_views}):
            pairs = enough(self.pairs, replace(self.settings, least_views=least))
            table.append((least, len(pairs), len({pair.query for pair in pairs})))
        return table

    def within(self, index: str, *, holds: Callable[[PassageId], bool]) -> "ClickJudgments":
        """The same of passages that an index holds; how often each place is clicked stays that of the whole log.

        Raises:
            CorpusError: it holds none of those that were seen.
        """
        seen = sorted({pair.passage_id for pair in self.pairs})
        absent = {passage for passage in seen if not holds(passage)}
        if seen and len(absent) == len(seen):
            raise CorpusError(
                f"Index {index} holds none of the {counted(len(seen), 'passage')} in the log ({shown(seen)}); choose "
                "the index that was searched when it was recorded."
            )
        if not absent:
            return self
        note = f"{counted(len(absent), 'passage')} left out: index {index} doesn't hold {shown(sorted(absent))}."
        pairs = tuple(pair for pair in self.pairs if pair.passage_id not in absent)
        return replace(self, pairs=pairs, notes=(*self.notes, note))

    def too_few(self) -> str:
        """A sentence for where no pair has enough."""
        most = max((pair.views for pair in self.pairs), default=0)
        expected = max((pair.expected for pair in self.pairs), default=0.0)
        return (
            f"No passage has {counted(self.settings.least_views, 'view')} and {self.settings.least_expected:g} "
            f"expected clicks for one query (the most of one are {most:,} and {expected:.2g}); give fewer, or a "
            "longer log."
        )

    def as_json(self) -> dict[str, Any]:
        """Settings, counts and click rates."""
        total = self.views.total
        return {
            "source": CLICKS,
            "settings": asdict(self.settings),
            "searches": self.views.searches,
            "queries": len(self.views.texts),
            "views": total.views,
            "clicks": total.clicks,
            "views_are": "impressions" if self.views.by_impressions else "results",
            "places": [{**asdict(row), "rate": row.rate} for row in self.rates],
            "least_views": [dict(zip(("views", "judgments", "queries"), row, strict=True)) for row in self.steps()],
            "judgments": len(self.judged),
            "judged_queries": len({pair.query for pair in self.judged}),
            "grades": {str(grade): count for grade, count in self.grades.items()},
            "notes": list(self.notes),
        }


def judge_clicks(files: Sequence[Path], settings: ClickSettings, *, note: Note = log_note) -> ClickJudgments:
    """Read a log and count what it says; `note` and the result's notes get what is left out.

    Raises:
        CorpusError: a line can't be read, or the log tells nothing of relevance.
    """
    notes: list[str] = []

    def tell(sentence: str) -> None:
        notes.append(sentence)
        note(sentence)

    views = count_views(read_log(files, note=tell), places=settings.places, note=tell)
    pairs = tuple(clicked_pairs(views))
    return ClickJudgments(
        settings=settings,
        views=views,
        rates=tuple(rates_of(views)),
        pairs=pairs,
        notes=tuple(notes),
        log=tuple(map(ReadFile.of, files)),
    )


def write_clicks(
    judgments: ClickJudgments, folder: Path, *, queries: Path | None = None, note: Note = log_note
) -> Named:
    """Write FILES; queries get the ids of those in `queries` with the same text, others an id made of their text.

    Raises:
        CorpusError: an id can't stand in a line of fields, or two queries of the file have the same text.
        SettingsError: one of the files exists already, or no pair has views enough.
    """
    for name in FILES:
        if (folder / name).exists():
            raise SettingsError(f"{folder / name} exists already; give another --output, or move it away.")
    judged = judgments.judged
    if not judged:
        raise SettingsError(judgments.too_few())
    texts = read_queries(queries, note=note) if queries is not None else []
    grades: dict[str, dict[PassageId, int]] = {}
    for pair in judged:
        text = judgments.views.texts[pair.query]
        grades.setdefault(text, {})[pair.passage_id] = pair.grade(judgments.settings.bounds)
    named = name_queries(Judgments(grades, by_text=True), texts, path=Path(judgments.log[0].name), note=note)
    record = {**judgments.as_json(), "log": [asdict(file) for file in judgments.log]}
    _write(judgments, folder, named, record)
    return named


def _write(judgments: ClickJudgments, folder: Path, named: Named, record: dict[str, Any]) -> None:
    bounds = judgments.settings.bounds
    ids = {normalize_query(query.text): query.id for query in named.queries if query.id in named.qrels}
    asked = [query for query in named.queries if query.id in named.qrels]
    counts = ["query_id\tpassage_id\tviews\tclicks\texpected\tratio\tgrade"]
    for pair in judgments.judged:
        figures = f"{pair.views}\t{pair.clicks}\t{pair.expected:.4f}\t{pair.ratio:.4f}\t{pair.grade(bounds)}"
        query_id = ids.get(
            pair.query, judgments.views.texts[pair.query]
        )  # a text that is an id, as name_queries takes it
        counts.append(f"{line_field(query_id)}\t{line_field(pair.passage_id)}\t{figures}")
    lines = {
        FILES[0]: query_lines(asked),
        FILES[1]: qrels_lines(asked, named.qrels, mark=CLICKS),
        FILES[2]: counts,
    }
    for name, rows in lines.items():
        write_lines(folder / name, rows)
    atomic.write_json(folder / FILES[3], record)
