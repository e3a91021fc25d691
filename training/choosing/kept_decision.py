"""What was decided last for an index, kept as JSON so that a page shows it on arrival, and served where that is asked.

What would be served is fixed with the decision: the build and the re-ranker's files are those that were measured,
whatever was built or promoted since.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.errors import SettingsError
from indexing.names import check_name
from indexing.notes import counted
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
    early: ServedSettings | None = None
    """The same, stopping early; None where that isn't what was decided or saves nothing."""
    refusal: str = ""
    """Why nothing can be served."""
    identity: Mapping[str, Any] = field(default_factory=dict)
    """All that determined it, as `request_identity` gives it; empty where that isn't known."""
    seconds: float = 0.0
    """About how long it might take."""

    def holds(self, identity: Mapping[str, Any], *, seconds: float) -> bool:
        """Whether the same would be decided again with this time: nothing has changed, and there was as much time."""
        return bool(self.identity) and self.identity == identity and self.seconds >= seconds

    def text(self) -> str:
        """The verdict, and what it rests on."""
        figures = self.figures
        judged, comparing = figures["judged"], figures["comparing"]
        on = f"Decided at {self.at} on {counted(judged, f'{self.split} query', f'{self.split} queries')}"
        half = f", of which {comparing:,} compare" if comparing else ""
        return "\n".join([*figures["notes"], f"{on}{half}; other splits had no part in it.", figures["sentence"]])


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
        stopping = decision.stopping if row is decision.reranked else None
        early = None if stopping is None else _served(decision, stopping, split)
        return KeptDecision(at=at, split=split, figures=figures, index=row.index, served=served, early=early)
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
    if row.stopping is not None:
        figures["stopping"] = row.stopping.as_json()
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
        named = {name: values.pop(name, None) for name in ("served", "early")}
        served = {name: None if value is None else served_from(value, str(path)) for name, value in named.items()}
        return KeptDecision(**values, served=served["served"], early=served["early"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, SettingsError):
        return None


def serve_decision(
    kept: KeptDecision, *, root: Path | None = None, by: str = "", early: bool = False
) -> tuple[str, ServedSettings]:
    """Make what was decided its index's served default, with `early` stopping early; gives back the index's name and
    what is served now.

    Raises:
        SettingsError: nothing was decided, the verdict is for the list of another system, which isn't made here, or
            stopping early saves nothing.
        IndexingError: the index's served default is broken.
    """
    if kept.served is None:
        raise SettingsError(kept.refusal)
    if early and kept.early is None:
        raise SettingsError(
            f"Stopping early isn't possible for {kept.index}: it would save nothing, or change the first ten places "
            "of too many queries; serve what was decided without it."
        )
    chosen = kept.early if early and kept.early is not None else kept.served
    return kept.index, serve(kept.index, replace(chosen, by=by), root=root)


def _path(index: str) -> Path:
    check_name(index)
    return reading_folder() / f"{index}.json"
