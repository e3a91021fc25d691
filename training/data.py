"""Where examples come from: the hub, an index with judgments, files; protected queries are left out of all of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from indexing.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import ROOT, Index, index_names, open_index
from indexing.judged import JudgedSet, judged_sets
from search.load import NO_RERANKER, open_pipeline
from training import local_data
from training.cold_start import ColdStart, cold_examples
from training.enlarge import enlarged
from training.examples import Example, unprotected
from training.first_stage import corpus_folder, open_corpus_folder
from training.groups import COSINE_SCALE
from training.hub_data import hub_examples
from training.judged_files import judged_files
from training.judged_index import judged_examples
from training.local_data import local_examples, parse_source
from training.loss_recipes import COLD_START, LOSS_RECIPES
from training.mine import MiningSettings
from training.passage_lists import Skipped
from training.phase import Phase
from training.protection import Protection
from training.sources import NEEDS, index_of, split_source
from training.teacher import MIDDLE_COSINE, keeps_given, open_teacher, taught

HARD = "lambda-hard-neg"
HARD_NEGATIVES = MiningSettings(per_query=9, ranks=(3, 30), sampling="top", relative_margin=None)
"""What `lambda-hard-neg` mines: as its authors do, without a margin."""
SPELLED = f"hub, hub:FOLDER, index:NAME, judged:INDEX,queries=FILE,qrels=FILE, {local_data.SPELLED}"


@dataclass(frozen=True)
class DataSettings:
    """What is trained on."""

    sources: tuple[str, ...] = ("hub",)
    """Each is `hub` (what the recipe has there), `hub:FOLDER` (in the hub's layout), `index:NAME` (its corpus's train
    queries and judgments), `judged:INDEX,queries=FILE,qrels=FILE` (others, for its passages), or a file as
    local_data.parse_source reads it."""
    index: str = ""
    """Index for texts by id, for the negatives of `lambda-hard-neg` and for `cold-start`; empty for none."""
    limit: int | None = None
    """At most so many examples of each source; None for all."""
    teacher: str = ""
    """As teacher.open_teacher reads it; empty for the scores that the data have."""
    mining: MiningSettings = field(default_factory=lambda: MiningSettings(per_query=7))
    """Negatives of an `index:` or `judged:` source; `lambda-hard-neg` has its own."""
    cold: ColdStart = field(default_factory=ColdStart)
    """What `cold-start` makes."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise SettingsError(f"There is nothing to train on; give {SPELLED}.")
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"limit is {self.limit} examples; give 1 or more.")

    def indexes(self) -> list[str]:
        """Names of all indexes that are read."""
        return sorted({*map(index_of, self.sources), self.index} - {""})


def collect(
    recipe: str,
    data: DataSettings,
    *,
    protection: Protection,
    dropped: Counter[str],
    root: Path = ROOT,
    progress: Phase = lambda *_: None,
) -> Iterator[Example]:
    """Examples for a recipe, as they are read; what is left out is counted into `dropped` by its reason.

    Raises:
        SettingsError: a source is none of the forms, or an index has no judgments.
        IndexingError, HubError, TrainingError, CorpusError: as each source says.
    """
    if recipe == COLD_START:
        return _cold(data, protection, root, progress)
    if (
        recipe == HARD
        and not data.index
        and not all(source.startswith(("index:", "judged:")) for source in data.sources)
    ):
        raise SettingsError(f"{HARD} mines negatives from an index; name it (there: {', '.join(index_names(root))}).")
    parts = (_source(source, recipe, data, dropped, root, progress) for source in data.sources)
    allowed: Iterator[Example] = (
        example
        for source, part in zip(data.sources, parts, strict=True)
        for example in unprotected(
            islice(part, data.limit), _among(source, protection, root), dropped=lambda: dropped.update(["protected"])
        )
    )
    if recipe == HARD and data.index:
        pipeline = open_pipeline(data.index, reranker=NO_RERANKER, root=root)
        allowed = enlarged(allowed, pipeline, HARD_NEGATIVES, progress=lambda done: progress("mine", done, 0))
    if data.teacher:
        allowed = taught(allowed, open_teacher(data.teacher), progress=lambda done: progress("teach", done, 0))
    return allowed


def _source(
    source: str, recipe: str, data: DataSettings, dropped: Counter[str], root: Path, progress: Phase
) -> Iterator[Example]:
    def skipped(why: str) -> None:
        dropped.update([why])

    kind, name, _ = split_source(source)
    if kind in ("index", "judged"):
        return _judged(source, recipe, data, skipped, root, progress)
    index_name = index_of(source) or data.index
    index = open_index(index_name, root=root) if index_name else None
    if kind == "hub":
        return hub_examples(recipe, index=index, source=name or None, skipped=skipped)
    if kind in local_data.FORMS:
        return local_examples(parse_source(source), index=index, skipped=skipped)
    raise SettingsError(f"Data {source!r} is of no known form; give {SPELLED}.")


def _among(source: str, protection: Protection, root: Path) -> Protection:
    """What counts among a source's queries: where they are those of an index's corpus, its held-out ids too."""
    kind, _, options = split_source(source)
    if kind == "index" or (kind == "run" and "queries" not in options):
        return protection.within(corpus_folder(index_of(source), root=root))
    return protection


def _judged(
    source: str, recipe: str, data: DataSettings, skipped: Skipped, root: Path, progress: Phase
) -> Iterator[Example]:
    name = index_of(source)
    pipeline = open_pipeline(name, reranker=NO_RERANKER, root=root)
    settings = HARD_NEGATIVES if recipe == HARD else data.mining
    scored = LOSS_RECIPES[recipe].form.needs == "scores" and (not data.teacher or keeps_given(data.teacher))
    found = judged_examples(
        pipeline,
        _judged_set(source, pipeline.index, skipped),
        settings,
        source="dense",
        per_list=settings.per_query + 1,
        limit=data.limit,
        seed=settings.seed,
        protection=Protection(),
        with_scores=scored,
        progress=lambda _, total: progress(f"mine {name}", 1, total),
        skipped=skipped,
    )
    return map(_as_logits, found) if scored else found


def _judged_set(source: str, index: Index, skipped: Skipped) -> JudgedSet:
    """What is judged of an `index:` or `judged:` source."""
    kind, name, files = split_source(source)
    if kind == "judged":
        for needed in NEEDS["judged"]:
            if not files.get(needed):
                raise SettingsError(f"{source} is read with {needed}; add ,{needed}=FILE.")
        return judged_files(Path(files["queries"]), Path(files["qrels"]), skipped=skipped)
    sets = judged_sets(open_corpus_folder(index))
    if "train" not in sets:
        raise SettingsError(f"The corpus of index {name} has no judged train queries; give other data or {COLD_START}.")
    return sets["train"]


def _as_logits(example: Example) -> Example:
    """Cosines as a teacher's logits."""
    logits = tuple((score - MIDDLE_COSINE) * COSINE_SCALE for score in example.scores or ())
    return replace(example, scores=logits)


def _cold(data: DataSettings, protection: Protection, root: Path, progress: Phase) -> Iterator[Example]:
    name = data.index or next((source.partition(":")[2] for source in data.sources if source.startswith("index:")), "")
    if not name:
        raise SettingsError(
            f"{COLD_START} trains for one corpus; name its index (there: {', '.join(index_names(root))})."
        )
    if data.teacher:
        raise SettingsError(f"{COLD_START} has the first stage as teacher, then itself; leave out {data.teacher}.")
    index = open_index(name, root=root)
    encoder = BiEncoder(index.manifest.bi_encoder)
    found = cold_examples(
        index,
        encoder,
        data.cold,
        protection=protection,
        progress=lambda done: progress("ask the passages", done, data.cold.queries),
    )
    return islice(found, data.limit)
