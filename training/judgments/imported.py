"""Judgments from a file of Quepid's or OpenSearch's for an index: what was read, what doesn't fit, and what is kept."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from indexing import atomic, places
from indexing.errors import CorpusError
from indexing.judged import qrels as marks
from indexing.judged.by_text import name_queries
from indexing.judged.qrels import read_judgments
from indexing.notes import counted, shown
from indexing.records import PassageId, Qrels, Query
from training.judgments.kept import IMPORTED, keep
from training.judgments.marked import qrels_lines, query_lines, write_lines
from training.judgments.received import ReadFile, SentKind

ENDINGS = (".csv", ".json", ".jsonl", ".tsv", ".gz")
"""Of files that may hold such judgments."""
BY_ID = (
    "names queries by ids, whose texts it doesn't hold; give Quepid's query,docid,rating or OpenSearch's judgment "
    "list, or put the file beside the corpus."
)


def judgment_files() -> SentKind:
    """The files that may be sent."""
    return SentKind("A file of judgments", ENDINGS, places.imported())


@dataclass(frozen=True, kw_only=True)
class ImportedJudgments:
    """What a file says, and of it what an index can use."""

    file: ReadFile
    queries: tuple[Query, ...]
    """With ids made of their texts."""
    qrels: Qrels
    absent: tuple[PassageId, ...] = ()
    """Judged passages that the index lacks."""
    left_out: int = 0
    """Judgments of these."""
    notes: tuple[str, ...] = ()
    """What was left out or merged when the file was read."""
    read_queries: int
    """Queries in the file, whatever an index holds."""

    @property
    def judgments(self) -> int:
        """How many judgments there are."""
        return sum(map(len, self.qrels.values()))

    @property
    def grades(self) -> Mapping[int, int]:
        """How many judgments have each grade, the highest first."""
        counts = Counter(grade for grades in self.qrels.values() for grade in grades.values())
        return dict(sorted(counts.items(), reverse=True))

    def within(self, index: str, *, holds: Callable[[PassageId], bool]) -> "ImportedJudgments":
        """The same of passages that an index holds.

        Raises:
            CorpusError: it holds none of them.
        """
        judged = dict.fromkeys(passage for grades in self.qrels.values() for passage in grades)
        absent = [passage for passage in judged if not holds(passage)]
        if len(absent) == len(judged):
            raise CorpusError(
                f"Index {index} holds none of the {counted(len(judged), 'passage')} that {self.file.name} judges "
                f"({shown(absent)}); choose the index whose passages have these ids."
            )
        gone = set(absent)
        qrels = {
            query: {passage: grade for passage, grade in grades.items() if passage not in gone}
            for query, grades in self.qrels.items()
        }
        left = tuple(query for query in self.queries if qrels[query.id])
        within = {query.id: qrels[query.id] for query in left}
        lost = self.judgments - sum(map(len, within.values()))
        return replace(self, queries=left, qrels=within, absent=tuple(absent), left_out=lost)


def read_imported(path: Path, *, named: Callable[[str], str] = str) -> ImportedJudgments:
    """Read Quepid's `query,docid,rating` or OpenSearch's judgment list; the result holds what was left out or merged.

    `named` gives these sentences the file's name in place of its path.

    Raises:
        CorpusError: a line can't be read, with its place and the reason; or queries are named by ids.
    """
    notes: list[str] = []
    judgments = read_judgments(path, note=notes.append)
    if not judgments.by_text:
        raise CorpusError(f"{path} {BY_ID}")
    queries, qrels = name_queries(judgments, (), path=path, note=notes.append)
    return ImportedJudgments(
        file=ReadFile.of(path),
        queries=tuple(queries),
        qrels=qrels,
        notes=tuple(map(named, notes)),
        read_queries=len(queries),
    )


def keep_imported(judgments: ImportedJudgments, index: str, *, build: str) -> Path:
    """Keep them for an index, marked, in place of those that were kept of it before; their folder.

    Raises:
        CorpusError: an id can't stand in a line of fields, or somebody else keeps some at the same moment.
    """

    def fill(folder: Path) -> None:
        lines = qrels_lines(judgments.queries, judgments.qrels, mark=marks.IMPORTED)
        write_lines(folder / IMPORTED.queries, query_lines(judgments.queries))
        write_lines(folder / IMPORTED.qrels, lines)
        record = {
            "source": marks.IMPORTED,
            "file": asdict(judgments.file),
            "judgments": judgments.judgments,
            "queries": len(judgments.queries),
            "grades": {str(grade): count for grade, count in judgments.grades.items()},
            "left_out": judgments.left_out,
            "notes": list(judgments.notes),
        }
        atomic.write_json(folder / IMPORTED.record, record)

    return keep(IMPORTED, index, fill, build=build)
