"""A recipe's ingredients become training groups with their texts, and no protected query among them."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from indexing.corpus.judged import read_qrels, read_queries
from indexing.errors import TrainingError
from indexing.index import Index, open_corpus_folder
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
from training.teachers.teacher import Teacher, open_teacher, taught

RUN = "run.train.trec"
log = logging.getLogger(__name__)


class Gatherer:
    """Turns ingredients into examples; a teacher is opened once."""

    def __init__(self, indexes: OpenIndexes, *, protection: Protection, progress: Progress = silent) -> None:
        self._open = indexes
        self._protection = protection
        self._progress = progress
        self._teachers: dict[str, Teacher] = {}
        self.dropped = 0
        """Queries left out because they are protected, each once an ingredient."""

    def stage(self, stage: Stage, settings: GroupSettings) -> list[Example]:
        """All examples of a stage, shuffled by the settings' seed."""
        examples = [example for item in stage.ingredients for example in self.ingredient(item, settings)]
        random.Random(settings.seed).shuffle(examples)
        return examples

    def ingredient(self, item: Ingredient, settings: GroupSettings) -> list[Example]:
        """Examples of one ingredient, scored by its teacher where it names one.

        Raises:
            IndexingError: its index isn't there.
            TrainingError: no queries, or for `judged` no judgments.
        """
        examples = self._examples(item, settings)
        if not item.teacher:
            return examples
        what = f"teach {item.index}"
        teacher = open_teacher(item.teacher, self._teachers)
        scored = taught(examples, teacher, progress=relabel(self._progress, what, total=len(examples)))
        return list(map(_asker_first, scored)) if item.kind == "questions" else list(scored)

    def _examples(self, item: Ingredient, settings: GroupSettings) -> list[Example]:
        index = self._open.index(item.index)
        if item.kind == "questions":
            return self._questions(item, index, settings)
        queries = self._queries(item)
        qrels = self._qrels(item) if item.kind == "judged" else {}
        if item.kind == "judged":
            queries = [query for query in queries if query.id in qrels]
        rng = random.Random(settings.seed)
        chosen = rng.sample(queries, min(len(queries), -(-item.groups // item.repeats)))
        if not chosen:
            raise TrainingError(f"Ingredient {item.index} ({item.kind}) has no queries in {open_corpus_folder(index)}.")
        if item.kind == "run":
            groups = self._run_groups(item, index, chosen, settings)
            return _with_texts(groups[: item.groups], item, index, {query.id: query.text for query in chosen})
        run = teacher_run(
            index,
            self._open.bi_encoder(item.index),
            chosen,
            depth=item.ranks[1],
            also=lambda query_id: sorted(qrels.get(query_id, {})),
            progress=relabel(self._progress, f"{item.kind} {item.index}"),
        )
        here = replace(settings, ranks=item.ranks)
        if item.kind == "distill":
            groups = distillation_groups(run, here, repeats=item.repeats)
        else:
            judged = {query.id: qrels[query.id] for query in chosen}
            groups = judged_groups(run, judged, here, repeats=item.repeats, text=_reader(index))
        return _with_texts(groups[: item.groups], item, index, {query.id: query.text for query in chosen})

    def _run_groups(
        self, item: Ingredient, index: Index, queries: Sequence[Query], settings: GroupSettings
    ) -> list[TrainingGroup]:
        path = open_corpus_folder(index) / RUN
        if not path.is_file():
            raise TrainingError(f"Ingredient {item.index} wants a run, but {path} isn't there.")
        asked = {query.id for query in queries}
        run = {query_id: ranking for query_id, ranking in read_run(path).items() if query_id in asked}
        return list(run_groups(run, index, replace(settings, ranks=item.ranks), repeats=item.repeats))

    def _questions(self, item: Ingredient, index: Index, settings: GroupSettings) -> list[Example]:
        every = list(passage_questions(index.passages))
        asked = [one for one in every if not self._protection.covers(Query(QueryId(""), one.question))]
        self.dropped += len(every) - len(asked)
        chosen = random.Random(settings.seed).sample(asked, min(len(asked), item.groups))
        if not chosen:
            raise TrainingError(f"No passage of index {item.index} asks a question.")
        encoder = self._open.bi_encoder(item.index)
        own = (encoder.encode_passages([item.question for item in chosen])) * encoder.encode_passages(
            [item.rest for item in chosen]
        )
        run = teacher_run(
            index,
            encoder,
            [Query(QueryId(question.passage_id), question.question) for question in chosen],
            depth=item.ranks[1],
            progress=relabel(self._progress, f"{item.kind} {item.index}"),
        )
        groups = distillation_groups(
            run,
            replace(settings, ranks=item.ranks, per_query=settings.per_query - 1),
            exclude={QueryId(question.passage_id): question.passage_id for question in chosen},
        )
        asking = {
            QueryId(question.passage_id): (question, score)
            for question, score in zip(chosen, own.sum(1).tolist(), strict=True)
        }
        text = _reader(index)
        return [
            Example(
                f"{item.kind} {item.index}",
                asking[group.query_id][0].question,
                (asking[group.query_id][0].rest, *map(text, group.passage_ids)),
                scores=(as_logits(asking[group.query_id][1]) + QUESTION_BONUS, *group.targets),
            )
            for group in groups
        ]

    def _queries(self, item: Ingredient) -> list[Query]:
        folder = open_corpus_folder(self._open.index(item.queries or item.index))
        queries = read_queries(folder / "queries.train.tsv")
        protection = self._protection.within(folder)
        allowed = [query for query in queries if not protection.covers(query)]
        self.dropped += len(queries) - len(allowed)
        return allowed

    def _qrels(self, item: Ingredient) -> Mapping[QueryId, Mapping[PassageId, int]]:
        folder = open_corpus_folder(self._open.index(item.queries or item.index))
        path = folder / "qrels.train.tsv"
        if not path.is_file():
            raise TrainingError(f"Ingredient {item.index} is to be judged, but {path} isn't there.")
        passages = self._open.index(item.index).passages
        return {
            query: {passage: grade for passage, grade in judged.items() if passage in passages}
            for query, judged in read_qrels(path).items()
        }


def _reader(index: Index) -> Callable[[PassageId], str]:
    return lambda passage_id: index.passages.by_id(passage_id).content


def _asker_first(example: Example) -> Example:
    """A passage question's first passage is the one that asks it: it gains what that tells."""
    own, *others = example.scores or ()
    return replace(example, scores=(own + QUESTION_BONUS, *others))


def _with_texts(
    groups: Sequence[TrainingGroup], item: Ingredient, index: Index, queries: Mapping[QueryId, str]
) -> list[Example]:
    text = _reader(index)
    return [
        Example(
            f"{item.kind} {item.index}",
            queries[group.query_id],
            tuple(text(passage_id) for passage_id in group.passage_ids),
            scores=group.targets,
        )
        for group in groups
    ]
