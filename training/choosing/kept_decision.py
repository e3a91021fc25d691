"""What was decided last for an index, kept as JSON so that a page shows it on arrival, and served where that is asked.

What would be served is fixed with the decision: the build and the re-ranker's files are those that were measured,
whatever was built or promoted since.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.errors import SettingsError
from indexing.names import check_name
from search.served import NO_RERANKER, reranker_fingerprint, reranker_path
from search.served_settings import ServedSettings, serve, served_from
from training.choosing.decide import Decision
from training.choosing.verdict import Row


@dataclass(frozen=True, kw_only=True)
class KeptDecision:
    """A decision as its file holds it."""

    at: str
    """UTC, ISO 8601."""
    split: str
    """Of the judged queries, or the name of their file."""
    figures: Mapping[str, Any]
    """All figures, as `Decision.as_json` gives them."""
    index: str = ""
    """Whose default it would be; empty where nothing can be served."""
    served: ServedSettings | None = None
    """What that index would answer with."""
    refusal: str = ""
    """Why nothing can be served."""


def reading_folder() -> Path:
    """Where decisions are kept, and what was searched and read for them."""
    return places.runs() / "decide"


def to_keep(decision: Decision, *, split: str) -> KeptDecision:
    """A decision with what would be served."""
    at, figures = datetime.now(UTC).isoformat(timespec="seconds"), decision.as_json()
    row = {"re-rank": decision.reranked, "don't re-rank": decision.baseline}.get(decision.verdict.kind)
    if row is None:
        refusal = f"Nothing is served anew, as nothing was decided. {decision.verdict.sentence}"
    elif row.contender.run:
        refusal = (
            f"Run {row.contender.run} comes from another system, which serves it; decide without --run to choose what "
            f"{row.index} serves."
        )
    else:
        served = _served(decision, row, split)
        return KeptDecision(at=at, split=split, figures=figures, index=row.index, served=served)
    return KeptDecision(at=at, split=split, figures=figures, refusal=refusal)


def _served(decision: Decision, row: Row, split: str) -> ServedSettings:
    reranker, compared = row.contender.reranker, row.compared
    fingerprint = "" if reranker == NO_RERANKER else decision.fingerprints.get(reranker, "")
    if reranker != NO_RERANKER and not fingerprint:
        fingerprint = reranker_fingerprint(reranker_path(reranker))
    figures = {
        "split": split,
        "judged": decision.judged,
        "comparing": decision.comparing,
        "ndcg@10": row.mean,
        "interval": list(row.interval),
        "versus_baseline": None if compared is None else compared.as_json(),
        "milliseconds": None if row.latency is None else row.latency._asdict(),
    }
    return ServedSettings(
        reranker=reranker,
        settings=row.contender.settings,
        fingerprint=fingerprint,
        build=decision.builds[row.index],
        sentence=decision.verdict.sentence,
        figures=figures,
    )


def keep(kept: KeptDecision, indexes: Iterable[str]) -> None:
    """Keep a decision for each of its indexes, in place of the last one. Raises CorpusError if it can't be written."""
    for index in indexes:
        atomic.write_json(_path(index), asdict(kept))


def last_decision(index: str) -> KeptDecision | None:
    """What was decided last for an index; None where nothing was, or its file can't be read."""
    path = _path(index)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        served = values.pop("served")
        return KeptDecision(**values, served=None if served is None else served_from(served, str(path)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, SettingsError):
        return None


def serve_decision(kept: KeptDecision, *, root: Path | None = None, by: str = "") -> tuple[str, ServedSettings]:
    """Make what was decided its index's served default; gives back the index's name and what is served now.

    Raises:
        SettingsError: nothing was decided, or the verdict is for the list of another system, which isn't made here.
        IndexingError: the index's served default is broken.
    """
    if kept.served is None:
        raise SettingsError(kept.refusal)
    return kept.index, serve(kept.index, replace(kept.served, by=by), root=root)


def _path(index: str) -> Path:
    check_name(index)
    return reading_folder() / f"{index}.json"
