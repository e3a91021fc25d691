"""The settings of an evaluation: measures, systems, and the source of the judgments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from search.settings import PipelineSettings

MAIN_MEASURE = "nDCG@10"
MEASURES = (MAIN_MEASURE, "MRR@10", "MAP", "R@10", "R@100", "R@1000", "Judged@10")
"""nDCG: Järvelin and Kekäläinen 2002, with the grades as gains; MRR: the reciprocal rank of the first relevant passage
(Voorhees 1999); MAP: mean average precision (Buckley and Voorhees 2000); R: the share of the relevant passages that
the ranks up to the cutoff hold; Judged: the share of the first ten passages that are judged at all."""
ORDER_MEASURES = tuple(name for name in MEASURES if name != "Judged@10")
"""The measures of a ranking's quality."""
GRADED, BINARY = 2, 1
"""Least grade that counts as relevant: TREC DL's rule, and the rule for judgments that don't reach it."""
NANO_BEIR_SETS: Mapping[str, str] = {
    "climatefever": "NanoClimateFEVER",
    "dbpedia": "NanoDBPedia",
    "fever": "NanoFEVER",
    "fiqa2018": "NanoFiQA2018",
    "hotpotqa": "NanoHotpotQA",
    "msmarco": "NanoMSMARCO",
    "nfcorpus": "NanoNFCorpus",
    "nq": "NanoNQ",
    "quoraretrieval": "NanoQuoraRetrieval",
    "scidocs": "NanoSCIDOCS",
    "arguana": "NanoArguAna",
    "scifact": "NanoSciFact",
    "touche2020": "NanoTouche2020",
}
"""By the name that sentence-transformers' evaluator takes, the split that it reads."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How judged queries are measured."""

    measure: str = MAIN_MEASURE
    """The measure that is tested, attributed and listed by query."""
    minimum_grade: int | None = None
    """Least grade that counts as relevant in MRR, MAP and recall; None for GRADED, or BINARY if no judgment reaches
    that."""
    baseline: str = "BM25"
    """The system that the others are tested against."""


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """What to evaluate, and how."""

    split: str = "test"
    depth: int = 100
    """Candidates that are retrieved and re-ranked for each query."""
    trec: Path | None = None
    """Folder of a TREC year, whose own runs/bm25.trec is re-ranked."""
    runs: Mapping[str, Path] = field(default_factory=dict)
    """Other systems' TREC runs by name; each is compared with ours on every judged set that it answers a query of."""
    served: PipelineSettings = field(default_factory=PipelineSettings)
    """What the pipeline answers by unless asked otherwise; it has a row where that isn't the re-ranker alone."""
    missed: bool = False
    """Whether to give a second account, with the judged positives that the first stage missed re-ranked too."""
    settings: EvaluationSettings = field(default_factory=EvaluationSettings)
