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
    """Total training time of one seed, without gathering and measuring."""
    pairs: int = 0
    """Total (query, passage) pairs seen by one seed."""
    ndcg: float = 0.0
    """Mean nDCG@10 over the dev queries and the seeds."""
    low: float = 0.0
    high: float = 0.0
    """The 95 % bootstrap interval over the dev queries."""
    by_seed: list[float] = field(default_factory=list)
    """Mean nDCG@10 over the dev queries, for each seed."""
    by_query: dict[str, float] = field(default_factory=dict)
    """nDCG@10 of each dev query, averaged over the seeds."""
    after: list[float] = field(default_factory=list)
    """nDCG@10 after each of its rounds; the last value decides who takes part in the next round."""
    learns: str = ""
    """Fingerprint of its loss and examples; empty if it can't learn from the data."""
    same_as: str = ""
    """Another recipe with the same loss and examples, whose results this one shares; else empty."""
    fault: str = ""
    """Why it couldn't take part or had to drop out; else empty."""

    @property
    def pairs_per_second(self) -> float:
        """(query, passage) pairs trained on per second."""
        return self.pairs / (self.minutes * 60) if self.minutes else 0.0


def _best(names: Sequence[str], standings: Mapping[str, Standing], *, after: int) -> list[str]:
    """Recipes by their nDCG@10 after round `after`, best first; for 0, in their original order.

    Later results don't count, and recipes that failed before the end of that round are left out.
    """
    finishers = [name for name in names if len(standings[name].after) >= after]
    return sorted(finishers, key=lambda name: -standings[name].after[after - 1]) if after else finishers


def _read(folder: Path, settings: RaceSettings) -> dict[str, Standing]:
    path = folder / RESULTS
    if not path.is_file():
        return {}
    values = json.loads(path.read_text(encoding="utf-8"))
    values["settings"]["train"].pop("recipe", None)  # written by earlier versions, which stored the first recipe there
    if made(RaceSettings, values["settings"], str(path)) != settings:
        raise TrainingError(f"{folder} holds a race with other settings; give them again, or another --output.")
    return {row["recipe"]: Standing(**row) for row in values["standings"]}


def _write(folder: Path, settings: RaceSettings, standings: dict[str, Standing]) -> None:
    rows = [asdict(standing) for standing in standings.values()]
    atomic.write_json(folder / RESULTS, {"settings": asdict(settings), "standings": rows})
