"""Turns a race's winner into a version with manifest and card, which can be compared, averaged and promoted."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from indexing import atomic, provenance
from indexing.atomic import check_new
from training.fitting.fit import ROWS
from training.fitting.model import open_pair_model, save_weights
from training.race.race import winner_folder
from training.race.settings import RaceRequest
from training.race.standings import Standing
from training.recipes.row_files import read_rows
from training.train.train import Measured, PassResults, manifest_of
from training.versions import recording


def keep_winner(standings: Sequence[Standing], race: RaceRequest, output: Path, *, command: str) -> Path:
    """Write a version to `output` from the winner's best seed on the dev queries; returns `output`.

    Raises:
        TrainingError: `output` exists.
    """
    check_new(output)
    best = next(standing for standing in standings if standing.rounds)
    seed, ndcg = max(zip(race.settings.seeds, best.by_seed, strict=True), key=lambda pair: pair[1])
    recipe = best.same_as or best.recipe
    request = race.training(recipe, seed=seed, output=output)
    _, counts = read_rows(race.folder / recipe / ROWS)
    manifest = manifest_of(
        request,
        PassResults(examples={recipe: counts.examples}, dropped=Counter(counts.dropped), pairs=best.pairs),
        minutes=best.minutes,
        revision=provenance.code_revision(),
        measured=Measured() if request.dev is None else Measured.on(request.dev, ndcg, queries=len(best.by_query)),
    )
    settings, weights = request.settings, winner_folder(race.folder, best, seed)
    model = open_pair_model(str(weights), max_length=settings.max_length, dropout=settings.dropout, seed=seed)
    with atomic.folder(output) as folder:
        save_weights(model, folder)
        recording.write_manifest(folder, manifest, command=command)
    return output
