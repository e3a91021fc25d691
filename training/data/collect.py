"""Collects examples from the hub, from judged indexes and from files, without protected queries."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from indexing.catalogue import index_names
from indexing.errors import SettingsError
from indexing.index import Index, corpus_folder, judged_split
from indexing.judged.sets import JudgedSet
from indexing.names import DEFAULT_BI_ENCODER
from indexing.notes import log_note
from indexing.progress import Progress, silent
from training.data.cold_start import cold_examples
from training.data.contradictions import without_contradictions
from training.data.extra_negatives import add_negatives
from training.data.judged_lists import ListSettings, judged_examples
from training.data.open_indexes import OpenIndexes
from training.data.readers.hub import hub_examples
from training.data.readers.local import local_examples
from training.data.settings import DataSettings
from training.example import Example, OnSkip
from training.judgments.judged_set import judged_files
from training.judgments.protection import Protection
from training.recipes.recipe import Recipe
from training.source import Source
from training.targets import as_logits, mixed_logits
from training.teachers.teacher import open_teacher, takes_bi_encoder, teach, uses_own_scores


def collect(
    recipe: Recipe,
    data: DataSettings,
    *,
    protection: Protection,
    dropped: Counter[str],
    indexes: OpenIndexes,
    progress: Progress = silent,
) -> Iterator[Example]:
    """Examples for a recipe, as they are read; `dropped` counts the queries and passages left out, by reason.

    Raises:
        SettingsError: no index is named, or a corpus has no judged train queries.
        IndexingError, HubError, TrainingError, CorpusError: a source can't be read.
    """
    if recipe.from_passages:
        return _cold(recipe, data, protection, indexes, progress)
    if recipe.needs_index and not data.index and not all(source.mines for source in data.sources):
        raise SettingsError(
            f"{recipe.name} mines negatives from an index; name one of: {', '.join(index_names(indexes.root))}."
        )
    parts = (_read(source, recipe, data, dropped, indexes, progress) for source in data.sources)
    unprotected = (
        example
        for source, part in zip(data.sources, parts, strict=True)
        for example in _protection(source, protection, indexes.root).examples(
            islice(part, data.limit), on_skip=_counter(dropped)
        )
    )
    allowed = without_contradictions(unprotected, on_skip=_counter(dropped))
    if recipe.mining is not None and data.index:
        pipeline = indexes.pipeline(data.index)
        allowed = add_negatives(allowed, pipeline, recipe.mining, keeping=indexes.keeping, progress=progress)
    if data.teacher:
        _check_taught(recipe, data.teacher)
        teacher = open_teacher(data.teacher, bi_encoder=_bi_encoder(data, indexes))
        allowed = teach(allowed, teacher, progress=progress)
    return (_mixed(example, data) for example in allowed) if recipe.mixes_grades else allowed


def _bi_encoder(data: DataSettings, indexes: OpenIndexes) -> str:
    """The bi-encoder of a teacher that names none: that of the indexes that are read, or the usual one without any."""
    if not takes_bi_encoder(data.teacher):
        return DEFAULT_BI_ENCODER
    built_by = {name: indexes.index(name).manifest.bi_encoder for name in data.indexes()}
    if len(set(built_by.values())) > 1:
        named = ", ".join(f"{name} by {bi_encoder}" for name, bi_encoder in built_by.items())
        raise SettingsError(
            f"The indexes were built by several bi-encoders ({named}); say which one teaches, as in --teacher "
            "first-stage:NAME."
        )
    return next(iter(built_by.values()), DEFAULT_BI_ENCODER)


def _check_taught(recipe: Recipe, teacher: str) -> None:
    """Refuse a teacher for a recipe that reads labels alone; tell where it reads scores only in their absence."""
    if recipe.needs_scores:
        return
    if not recipe.form.or_scores:
        raise SettingsError(
            f"{recipe.name} learns from judgments alone, so teacher {teacher} would teach it nothing; leave --teacher "
            "out, or choose a recipe that learns from scores, such as distill-margin-mse."
        )
    log_note(
        f"{recipe.name} learns from the grades of a list that has any, and there teacher {teacher} teaches nothing; "
        "distill-list learns from both."
    )


def _mixed(example: Example, data: DataSettings) -> Example:
    """The example with grades and teacher's scores mixed; as it is where it has no scores, which is refused later."""
    if example.scores is None:
        return example
    return replace(example, scores=mixed_logits(example.labels, example.scores, data.target))


def _read(
    source: Source, recipe: Recipe, data: DataSettings, dropped: Counter[str], indexes: OpenIndexes, progress: Progress
) -> Iterator[Example]:
    on_skip = _counter(dropped)
    if source.mines:
        return _judged(source, recipe, data, on_skip, indexes, progress)
    index_name = source.index or data.index
    index = indexes.index(index_name) if index_name else None
    if source.from_hub:
        return hub_examples(recipe.name, index=index, source=source.place or None, on_skip=on_skip)
    return local_examples(source, index=index, others=recipe.form.others, on_skip=on_skip)


def _counter(dropped: Counter[str]) -> OnSkip:
    return lambda reason: dropped.update([reason])


def _protection(source: Source, protection: Protection, root: Path | None) -> Protection:
    """The protection for a source's queries; queries of an index's corpus are protected by its held-out ids too."""
    if source.has_corpus_queries:
        return protection.within(corpus_folder(source.index, root=root))
    return protection


def _judged(
    source: Source, recipe: Recipe, data: DataSettings, on_skip: OnSkip, indexes: OpenIndexes, progress: Progress
) -> Iterator[Example]:
    pipeline = indexes.pipeline(source.index)
    settings = recipe.mining or data.mining
    with_scores = recipe.needs_scores and (not data.teacher or uses_own_scores(data.teacher))
    lists = ListSettings(
        per_list=settings.per_query + 1,
        others=recipe.form.others,
        limit=data.limit,
        seed=settings.seed,
        fusion="dense",
        with_scores=with_scores,
    )
    examples = judged_examples(
        pipeline,
        _judged_set(source, pipeline.index, on_skip),
        settings,
        lists,
        keeping=indexes.keeping,
        progress=progress,
        on_skip=on_skip,
    )
    return map(_as_logits, examples) if with_scores else examples


def _judged_set(source: Source, index: Index, on_skip: OnSkip) -> JudgedSet:
    """The queries and judgments of an `index:` or `judged:` source."""
    if source.queries is not None and source.qrels is not None:
        return judged_files(source.queries, source.qrels, on_skip=on_skip)
    return judged_split(index, "train", advice="choose other data, or a recipe that needs no judgments")


def _as_logits(example: Example) -> Example:
    """The example with its cosines turned into logits."""
    return replace(example, scores=tuple(map(as_logits, example.scores or ())))


def _cold(
    recipe: Recipe, data: DataSettings, protection: Protection, indexes: OpenIndexes, progress: Progress
) -> Iterator[Example]:
    name = data.index or next((source.index for source in data.sources if source.form == "index"), "")
    if not name:
        raise SettingsError(
            f"{recipe.name} trains for one corpus; name its index, one of: {', '.join(index_names(indexes.root))}."
        )
    if data.teacher:
        raise SettingsError(
            f"{recipe.name} is taught by the first stage and then by itself; remove the teacher {data.teacher}."
        )
    examples = cold_examples(
        indexes.index(name),
        indexes.bi_encoder(name),
        data.cold,
        protection=protection,
        progress=progress,
    )
    return islice(examples, data.limit)
