"""The standings of a race on disk, round by round."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from indexing import atomic
from indexing.errors import TrainingError
from indexing.typed_json import made
from training.race.settings import RaceSettings

RESULTS = "race.json"
BASE = "not trained"


@dataclass
class Standing:
    """A recipe's place in the race."""

    recipe: str
    rounds: int = 0
    """Rounds that it took part in."""
    minutes: float = 0.0
    """Trained in all, of one seed, without gathering and measuring."""
    pairs: int = 0
    """Seen in all, of one seed."""
    ndcg: float = 0.0
    """Mean over the dev queries, and over the seeds."""
    low: float = 0.0
    high: float = 0.0
    """The 95 % bootstrap interval over the dev queries."""
    by_seed: list[float] = field(default_factory=list)
    """Mean over the dev queries, of each seed's model."""
    by_query: dict[str, float] = field(default_factory=dict)
    """nDCG@10 of each dev query, mean over the seeds."""
    after: list[float] = field(default_factory=list)
    """nDCG@10 after each of its rounds: the next round's field is chosen by the last one's."""
    learns: str = ""
    """Fingerprint of its loss and examples; empty where it can't learn from the data."""
    same_as: str = ""
    """Another recipe with the same loss and rows, whose training this is too."""
    fault: str = ""
    """Why it could not take part, or broke off; else empty."""

    @property
    def pairs_per_second(self) -> float:
        """Speed of its training."""
        return self.pairs / (self.minutes * 60) if self.minutes else 0.0


def _best(names: Sequence[str], standings: Mapping[str, Standing], *, after: int) -> list[str]:
    """Best first after that round, whatever some of them reached since; in their own order before the first.

    Those that broke off before its end aren't among them.
    """
    there = [name for name in names if len(standings[name].after) >= after]
    return sorted(there, key=lambda name: -standings[name].after[after - 1]) if after else there


def _read(folder: Path, settings: RaceSettings) -> dict[str, Standing]:
    path = folder / RESULTS
    if not path.is_file():
        return {}
    values = json.loads(path.read_text(encoding="utf-8"))
    values["settings"]["train"].pop("recipe", None)  # races of earlier versions noted that of the first one
    if made(RaceSettings, values["settings"], str(path)) != settings:
        raise TrainingError(f"{folder} holds a race with other settings; give them again, or another --output.")
    return {row["recipe"]: Standing(**row) for row in values["standings"]}


def _write(folder: Path, settings: RaceSettings, standings: dict[str, Standing]) -> None:
    rows = [asdict(standing) for standing in standings.values()]
    atomic.write_json(folder / RESULTS, {"settings": asdict(settings), "standings": rows})
