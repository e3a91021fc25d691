"""What the Teach page keeps of a model: its answers, how far it agrees with each rater, and its grades to train on."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from indexing import places
from indexing.errors import SettingsError
from indexing.judged.queries import normalize_query
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, Qrels, Query, QueryId
from training.judgments.by_model.chat import ModelAddress
from training.judgments.by_model.grader import identity
from training.judgments.by_model.judge import write_judgments
from training.judgments.by_model.measured import AGREEMENT, ModelAgreement, read_agreement, write_agreement
from training.judgments.kept import BY_MODEL, KeptSet, damaged, json_of, keep, kept_folder, read_kept, read_set

SHORT = 12  # hexadecimal digits of a folder's name


def answers_folder(index: str, address: ModelAddress) -> Path:
    """The folder of a model's answers on an index's passages; another model, address or guideline has another."""
    return places.judges() / index / _short(json.dumps(identity(address), sort_keys=True))


def keep_agreement(index: str, rater: str, address: ModelAddress, agreement: ModelAgreement) -> None:
    """Keep how far the model agrees with a rater, in place of what was measured before."""
    write_agreement(answers_folder(index, address) / _short(rater), agreement)


def kept_agreement(index: str, rater: str, address: ModelAddress) -> ModelAgreement | None:
    """How far the model agrees with a rater; None where it hasn't been measured. Raises SettingsError if damaged."""
    folder = answers_folder(index, address) / _short(rater)
    return read_agreement(folder) if (folder / AGREEMENT).is_file() else None


def last_agreement(index: str, rater: str) -> ModelAgreement | None:
    """What was measured last of any model with a rater's grades; None for nothing that can be read."""
    found = []
    for path in (places.judges() / index).glob(f"*/{_short(rater)}/{AGREEMENT}"):
        try:
            found.append(read_agreement(path.parent))
        except SettingsError:  # of an earlier guideline, or damaged: it is measured again
            continue
    return max(found, key=lambda agreement: agreement.at, default=None)


def keep_model_grades(
    qrels: Qrels, queries: Sequence[Query], agreement: ModelAgreement, index: str, *, build: str
) -> KeptSet:
    """Keep a model's grades, with those that were kept of the same model before; another model's are replaced.

    Raises:
        CorpusError: an id can't stand in a line of fields, what was kept can't be read, or somebody else keeps some at
            the same moment.
    """

    def fill(folder: Path) -> None:  # where others are kept from here on, nothing is
        texts = {query.id: query for query in queries}
        merged = {query: dict(grades) for query, grades in qrels.items()}
        for query, grades in _earlier(agreement, index, texts).items():
            merged[query] = dict(grades) | merged.get(query, {})
        write_judgments(folder, merged, list(texts.values()), agreement)

    return read_set(BY_MODEL, keep(BY_MODEL, index, fill, build=build))


def kept_of_model(agreement: ModelAgreement, index: str) -> JudgedSet | None:
    """What is kept of the same model at the same address with the same guideline; None where all of it is replaced.

    Raises:
        CorpusError: what is kept can't be read.
    """
    folder = kept_folder(BY_MODEL, index)
    if folder is None:
        return None
    asked = ("address", "model", "guideline")
    try:
        earlier = json_of(folder / BY_MODEL.record)["agreement"]
        same = [earlier[name] for name in asked] == [getattr(agreement, name) for name in asked]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise damaged(BY_MODEL, folder, error) from error
    return read_kept(BY_MODEL, folder) if same else None


def _earlier(agreement: ModelAgreement, index: str, texts: dict[QueryId, Query]) -> dict[QueryId, dict[PassageId, int]]:
    """The grades of `kept_of_model`, whose queries are added to `texts`; an id that now has another text is left out.

    Such an id comes from an earlier collection under this index's name.
    """
    judged = kept_of_model(agreement, index)
    earlier = [] if judged is None else judged.queries
    same = [one for one in earlier if normalize_query(texts.setdefault(one.id, one).text) == normalize_query(one.text)]
    return {} if judged is None else {query.id: dict(judged.qrels[query.id]) for query in same}


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:SHORT]
