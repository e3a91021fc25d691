"""Turns the ingredients of a stage into examples with texts, leaving out protected queries."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from indexing.errors import TrainingError
from indexing.index import Index, open_corpus_folder
from indexing.judged.qrels import read_qrels
from indexing.judged.queries import read_queries
from indexing.progress import Progress, relabel, silent
from indexing.records import PassageId, Query, QueryId
from search.trec import read_run
from training.data.open_indexes import OpenIndexes
from training.data.questions import passage_questions
from training.data.readers.run import run_groups
from training.example import Example
from training.judgments.protection import Protection
from training.mining.groups import GroupSettings, TrainingGroup, distillation_groups, judged_groups
from training.recipes.stages import Ingredient, Stage
from training.targets import QUESTION_BONUS, as_logits
from training.teachers.first_stage import teacher_run
from training.teachers.teacher import Teacher, open_teacher, teach

RUN_FILE = "run.train.trec"
log = logging.getLogger(__name__)


class IngredientReader:
    """Turns ingredients into examples; each teacher is opened once."""

    def __init__(self, indexes: OpenIndexes, *, protection: Protection, progress: Progress = silent) -> None:
        self._open = indexes
        self._protection = protection
        self._progress = progress
        self._teachers: dict[str, Teacher] = {}
        self.dropped = 0
        """Protected queries left out, each counted once per ingredient."""

    def stage(self, stage: Stage, settings: GroupSettings) -> list[Example]:
        """All examples of a stage, shuffled by the settings' seed."""
        examples = [example for ingredient in stage.ingredients for example in self.ingredient(ingredient, settings)]
        random.Random(settings.seed).shuffle(examples)
        return examples

    def ingredient(self, ingredient: Ingredient, settings: GroupSettings) -> list[Example]:
        """Examples of one ingredient, scored by its teacher if it names one.

        Raises:
            IndexingError: its index doesn't exist.
            TrainingError: it has no queries, or, for `judged`, no judgments.
        """
        examples = self._examples(ingredient, settings)
        if not ingredient.teacher:
            return examples
        phase = f"teach {ingredient.index}"
        bi_encoder = self._open.index(ingredient.index).manifest.bi_encoder
        teacher = open_teacher(ingredient.teacher, self._teachers, bi_encoder=bi_encoder)
        scored = teach(examples, teacher, progress=relabel(self._progress, phase, total=len(examples)))
        return list(map(_asker_first, scored)) if ingredient.kind == "questions" else list(scored)

    def _examples(self, ingredient: Ingredient, settings: GroupSettings) -> list[Example]:
        index = self._open.index(ingredient.index)
        if ingredient.kind == "questions":
            return self._questions(ingredient, index, settings)
        queries = self._queries(ingredient)
        qrels = self._qrels(ingredient) if ingredient.kind == "judged" else {}
        if ingredient.kind == "judged":
            queries = [query for query in queries if query.id in qrels]
        rng = random.Random(settings.seed)
        chosen = rng.sample(queries, min(len(queries), -(-ingredient.groups // ingredient.repeats)))
        if not chosen:
            raise TrainingError(
                f"Ingredient {ingredient.index} ({ingredient.kind}) has no queries in {open_corpus_folder(index)}."
            )
        if ingredient.kind == "run":
            groups = self._run_groups(ingredient, index, chosen, settings)
            return _with_texts(
                groups[: ingredient.groups], ingredient, index, {query.id: query.text for query in chosen}
            )
        run = teacher_run(
            index,
            self._open.bi_encoder(ingredient.index),
            chosen,
            depth=ingredient.ranks[1],
            extra_passages=lambda query_id: sorted(qrels.get(query_id, {})),
            progress=relabel(self._progress, f"{ingredient.kind} {ingredient.index}"),
        )
        settings = replace(settings, ranks=ingredient.ranks)
        if ingredient.kind == "distill":
            groups = distillation_groups(run, settings, repeats=ingredient.repeats)
        else:
            judged = {query.id: qrels[query.id] for query in chosen}
            groups = judged_groups(run, judged, settings, repeats=ingredient.repeats, text=_reader(index))
        return _with_texts(groups[: ingredient.groups], ingredient, index, {query.id: query.text for query in chosen})

    def _run_groups(
        self, ingredient: Ingredient, index: Index, queries: Sequence[Query], settings: GroupSettings
    ) -> list[TrainingGroup]:
        path = open_corpus_folder(index) / RUN_FILE
        if not path.is_file():
            raise TrainingError(f"Ingredient {ingredient.index} needs a run, but {path} doesn't exist.")
        chosen = {query.id for query in queries}
        run = {query_id: ranking for query_id, ranking in read_run(path).items() if query_id in chosen}
        return list(run_groups(run, index, replace(settings, ranks=ingredient.ranks), repeats=ingredient.repeats))

    def _questions(self, ingredient: Ingredient, index: Index, settings: GroupSettings) -> list[Example]:
        questions = list(passage_questions(index.passages))
        usable = [question for question in questions if not self._protection.covers(Query(QueryId(""), question.text))]
        self.dropped += len(questions) - len(usable)
        chosen = random.Random(settings.seed).sample(usable, min(len(usable), ingredient.groups))
        if not chosen:
            raise TrainingError(
                f"No passage of index {ingredient.index} contains a question; remove this ingredient, or name another "
                "index."
            )
        encoder = self._open.bi_encoder(ingredient.index)
        own = encoder.encode_passages([question.text for question in chosen]) * encoder.encode_passages(
            [question.rest for question in chosen]
        )
        run = teacher_run(
            index,
            encoder,
            [Query(QueryId(question.passage_id), question.text) for question in chosen],
            depth=ingredient.ranks[1],
            progress=relabel(self._progress, f"{ingredient.kind} {ingredient.index}"),
        )
        groups = distillation_groups(
            run,
            replace(settings, ranks=ingredient.ranks, per_query=settings.per_query - 1),
            exclude={QueryId(question.passage_id): question.passage_id for question in chosen},
        )
        scored = {
            QueryId(question.passage_id): (question, score)
            for question, score in zip(chosen, own.sum(1).tolist(), strict=True)
        }
        text = _reader(index)
        return [
            Example(
                f"{ingredient.kind} {ingredient.index}",
                scored[group.query_id][0].text,
                (scored[group.query_id][0].rest, *map(text, group.passage_ids)),
                scores=(as_logits(scored[group.query_id][1]) + QUESTION_BONUS, *group.targets),
            )
            for group in groups
        ]

    def _queries(self, ingredient: Ingredient) -> list[Query]:
        folder = open_corpus_folder(self._open.index(ingredient.queries or ingredient.index))
        queries = read_queries(folder / "queries.train.tsv")
        protection = self._protection.within(folder)
        allowed = [query for query in queries if not protection.covers(query)]
        self.dropped += len(queries) - len(allowed)
        return allowed

    def _qrels(self, ingredient: Ingredient) -> Mapping[QueryId, Mapping[PassageId, int]]:
        folder = open_corpus_folder(self._open.index(ingredient.queries or ingredient.index))
        path = folder / "qrels.train.tsv"
        if not path.is_file():
            raise TrainingError(f"Ingredient {ingredient.index} needs judgments, but {path} doesn't exist.")
        passages = self._open.index(ingredient.index).passages
        return {
            query: {passage: grade for passage, grade in judged.items() if passage in passages}
            for query, judged in read_qrels(path).items()
        }


def _reader(index: Index) -> Callable[[PassageId], str]:
    return lambda passage_id: index.passages.by_id(passage_id).content


def _asker_first(example: Example) -> Example:
    """The example with a bonus for its first passage, which the question was taken from."""
    own, *others = example.scores or ()
    return replace(example, scores=(own + QUESTION_BONUS, *others))


def _with_texts(
    groups: Sequence[TrainingGroup], ingredient: Ingredient, index: Index, queries: Mapping[QueryId, str]
) -> list[Example]:
    text = _reader(index)
    return [
        Example(
            f"{ingredient.kind} {ingredient.index}",
            queries[group.query_id],
            tuple(text(passage_id) for passage_id in group.passage_ids),
            scores=group.targets,
        )
        for group in groups
    ]
