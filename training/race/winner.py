"""The winner of a race becomes a version, with manifest and card, to be compared, averaged and promoted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from indexing import atomic, provenance
from indexing.atomic import check_new
from training.fitting.fit import ROWS
from training.fitting.model import open_pair_model, save_weights
from training.race.race import winner_folder
from training.race.standings import RaceSettings, Standing
from training.recipes.row_files import read_rows
from training.train.request import Request
from training.train.train import manifest_of, measured_on
from training.versions import recording


def keep_winner(
    standings: Sequence[Standing], settings: RaceSettings, request: Request, output: Path, *, command: str
) -> Path:
    """Put the winner's weights of the seed that did best on the dev queries at `output`; gives that back.

    `request` is the race's: its output holds the race, its data and dev set stand in the manifest.

    Raises:
        TrainingError: the output is there.
    """
    check_new(output)
    best = next(item for item in standings if item.rounds)
    seed, ndcg = max(zip(settings.seeds, best.by_seed, strict=True), key=lambda pair: pair[1])
    recipe = best.same_as or best.recipe
    train = replace(settings.train, recipe=recipe, seed=seed)
    _, counts = read_rows(request.output / recipe / ROWS)
    values = manifest_of(
        replace(request, settings=train),
        counts,
        pairs=best.pairs,
        losses={},
        minutes=best.minutes,
        revision=provenance.code_revision(),
        metrics={} if request.dev is None else measured_on(request.dev, ndcg),
    )
    raced = winner_folder(request.output, best, seed)
    model = open_pair_model(str(raced), max_length=train.max_length, dropout=train.dropout, seed=seed)
    with atomic.folder(output) as folder:
        save_weights(model, folder)
        recording.write(folder, values, command=command)
    return output
