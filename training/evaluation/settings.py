"""What an evaluation can be asked for: measures, systems, and where judgments come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAIN_MEASURE = "nDCG@10"
MEASURES = (MAIN_MEASURE, "MRR@10", "MAP", "R@10", "R@100", "R@1000", "Judged@10")
"""nDCG: Järvelin and Kekäläinen 2002, with the grades as gains; MRR: the reciprocal rank of the first relevant passage
(Voorhees 1999); MAP: mean average precision (Buckley and Voorhees 2000); R: the share of relevant passages within so
many ranks; Judged: the share of the first ten that are judged at all."""
ORDER_MEASURES = tuple(name for name in MEASURES if name != "Judged@10")
"""Those that say how good an order is."""
GRADED, BINARY = 2, 1
"""Least grade that counts as relevant: as TREC DL counts, and where no judgment reaches that."""
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
"""The names that sentence-transformers' evaluator takes, and the splits that it reads."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How judged queries are measured."""

    measure: str = MAIN_MEASURE
    """The one that is tested, attributed and listed by query."""
    minimum_grade: int | None = None
    """Least grade that counts as relevant in MRR, MAP and recall; None for GRADED, or BINARY where no judgment reaches
    that."""
    baseline: str = "BM25"
    """The system that the others are tested against."""


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """What to evaluate."""

    split: str = "test"
    depth: int = 100
    """Candidates that are retrieved and re-ranked of each query."""
    trec: Path | None = None
    """Folder of a TREC year, whose runs/bm25.trec is re-ranked as given."""
    runs: Mapping[str, Path] = field(default_factory=dict)
    """Other systems' TREC runs by name; each stands beside ours wherever it answers a judged query."""
    missed: bool = False
    """Whether to re-rank the judged positives that the first stage missed too, as a second account."""
    settings: EvaluationSettings = field(default_factory=EvaluationSettings)
