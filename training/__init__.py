"""Turns judgments into a re-ranker that is measured before it is served. Each step is a folder of this package.

    judgments/    grades of people: feedback, who agrees with whom, queries that must not be learned from
        |         mining/ adds hard negatives from an index, teachers/ adds scores
    data/         examples of every source: an index's judged queries, files, the hub, feedback
        |
    recipes/      the rows that each loss takes; a plan of stages is a JSON file there
        |
    fitting/      the optimizer's steps, checkpoints, nDCG@10 on dev queries
        |
    train/        one training from request to version: rows are made once, under a lock; race/ compares recipes
        |
    versions/     data/models/NAME/NUMBER: weights, card and manifest; compare, average, export
        |         evaluation/ measures runs and stages on judged queries, with intervals and tests
    promotion     versions/promote.py: the gate, expectations, promoted.json; search serves what it names

jobs/ trains in processes of their own for the app; cli/ is `python -m training`. From Python:

    from pathlib import Path

    from search import open_pipeline
    from training import DataSettings, Source, TrainRequest, TrainSettings
    from training import evaluate_stages, promote_version, train_version

    data = DataSettings(sources=(Source.parse("index:sample"),))
    settings = TrainSettings(minutes=2)
    train_version(TrainRequest(recipe="lambda", data=data, settings=settings, output=Path("data/models/mine/1")))
    evaluation = evaluate_stages(open_pipeline("sample", reranker="mine/1"))
    promote_version("mine/1", open_pipeline("sample"), by="ann")

Names are looked up when they are first used, so that `import training` loads no model library.
"""

from typing import TYPE_CHECKING

from indexing.lazy import lazy_names

if TYPE_CHECKING:
    from training.data.questions import ColdStart
    from training.data.settings import DataSettings
    from training.evaluation.comparison import Comparison, compare_runs
    from training.evaluation.evaluate import Evaluation, evaluate_stages
    from training.evaluation.measures import RunMeasures, measure_run
    from training.evaluation.settings import EvaluationRequest, EvaluationSettings
    from training.mining.mine import mine_negatives
    from training.mining.settings import MiningOptions, MiningSettings
    from training.recipes.settings import TrainSettings
    from training.source import Source
    from training.train.request import DevSettings, TrainRequest
    from training.train.train import train_version
    from training.versions.compare import VersionComparison, compare_versions
    from training.versions.gate_settings import GateSettings
    from training.versions.promote import promote_version

_MODULES = {
    "ColdStart": "training.data.questions",
    "Comparison": "training.evaluation.comparison",
    "DataSettings": "training.data.settings",
    "DevSettings": "training.train.request",
    "Evaluation": "training.evaluation.evaluate",
    "EvaluationRequest": "training.evaluation.settings",
    "EvaluationSettings": "training.evaluation.settings",
    "GateSettings": "training.versions.gate_settings",
    "MiningOptions": "training.mining.settings",
    "MiningSettings": "training.mining.settings",
    "RunMeasures": "training.evaluation.measures",
    "Source": "training.source",
    "TrainRequest": "training.train.request",
    "TrainSettings": "training.recipes.settings",
    "VersionComparison": "training.versions.compare",
    "compare_runs": "training.evaluation.comparison",
    "compare_versions": "training.versions.compare",
    "evaluate_stages": "training.evaluation.evaluate",
    "measure_run": "training.evaluation.measures",
    "mine_negatives": "training.mining.mine",
    "promote_version": "training.versions.promote",
    "train_version": "training.train.train",
}

__all__ = [
    "ColdStart",
    "Comparison",
    "DataSettings",
    "DevSettings",
    "Evaluation",
    "EvaluationRequest",
    "EvaluationSettings",
    "GateSettings",
    "MiningOptions",
    "MiningSettings",
    "RunMeasures",
    "Source",
    "TrainRequest",
    "TrainSettings",
    "VersionComparison",
    "compare_runs",
    "compare_versions",
    "evaluate_stages",
    "measure_run",
    "mine_negatives",
    "promote_version",
    "train_version",
]


__getattr__ = lazy_names(__name__, _MODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
