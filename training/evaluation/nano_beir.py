"""Runs sentence-transformers' own NanoBEIR evaluator and records the settings that comparable means must share.

Means over other sets, with another `rerank_k`, or without `always_rerank_positives` can't be compared. Passages are
ranked by raw logits in float32: a sigmoid creates ties, and many of them in bfloat16.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sentence_transformers
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder.evaluation import CrossEncoderNanoBEIREvaluator

from indexing.corpus.hub_names import NANO_BEIR
from indexing.errors import CorpusError, HubError, SecondLookError, SettingsError, first_line
from indexing.pretrained import quiet_loading, reach_hub
from search.rerank.cross_encoder import load_cross_encoder
from training.evaluation.settings import MAIN_MEASURE, NANO_BEIR_SETS

EVALUATOR_MEASURES = {"ndcg@10": MAIN_MEASURE, "mrr@10": "MRR@10", "map": "MAP"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NanoBeir:
    """Means over each set's queries, before and after re-ranking BM25's list."""

    model: str
    source: str
    """The hub's data set or the folder that was read."""
    sets: tuple[str, ...]
    rerank_k: int
    """Passages of BM25's list that were re-ranked."""
    always_rerank_positives: bool
    """Whether positives that BM25 missed were re-ranked too."""
    max_length: int | None
    """Tokens of a pair that the model reads."""
    sentence_transformers: str
    """Version of that library."""
    bm25: Mapping[str, Mapping[str, float]]
    """Figures before re-ranking, by set (and `mean`), then by measure."""
    reranked: Mapping[str, Mapping[str, float]]
    """Figures after re-ranking, likewise."""


def evaluate_nano_beir(
    model: str,
    *,
    source: str = NANO_BEIR,
    sets: Sequence[str] = tuple(NANO_BEIR_SETS),
    rerank_k: int = 100,
    always_rerank_positives: bool = True,
    show_progress: bool = False,
) -> NanoBeir:
    """Evaluate a cross-encoder, by path or hub name, on sets of the hub or of a local folder in the hub's layout.

    Raises:
        SettingsError: a set is unknown or named twice, or `rerank_k` is below 1.
        HubError, CorpusError: the sets can't be read; the latter for a local folder.
        ModelError: the model isn't a cross-encoder with one output.
    """
    _check(sets, rerank_k)
    reach_hub(source)
    options = {"rerank_k": rerank_k, "always_rerank_positives": always_rerank_positives}
    with quiet_loading():
        evaluator = _evaluator(source, sets, show_progress_bar=show_progress, **options)
    encoder = load_cross_encoder(CrossEncoder, model)
    figures = evaluator(encoder)
    return NanoBeir(
        model=model,
        source=source,
        sets=tuple(sets),
        **options,  # type: ignore[arg-type]  # an int and a bool, by their names
        max_length=encoder.max_seq_length,
        sentence_transformers=sentence_transformers.__version__,
        bm25=_by_set(figures, sets, rerank_k, "base_"),
        reranked=_by_set(figures, sets, rerank_k, ""),
    )


def _check(sets: Sequence[str], rerank_k: int) -> None:
    if not sets or set(sets) - set(NANO_BEIR_SETS) or len(set(sets)) < len(sets):
        raise SettingsError(
            f"Sets {list(sets)} aren't all different names of NanoBEIR; choose from {', '.join(NANO_BEIR_SETS)}."
        )
    if rerank_k < 1:
        raise SettingsError(f"rerank_k is {rerank_k}; give 1 or more passages (usual: 100).")


def _by_set(
    figures: Mapping[str, float], sets: Sequence[str], rerank_k: int, stage: str
) -> dict[str, dict[str, float]]:
    """The evaluator's flat figures by set and `mean`, then by measure."""
    names = {name: f"{NANO_BEIR_SETS[name]}_R{rerank_k}" for name in sets} | {"mean": f"NanoBEIR_R{rerank_k}_mean"}
    return {
        name: {measure: float(figures[f"{key}_{stage}{own}"]) for own, measure in EVALUATOR_MEASURES.items()}
        for name, key in names.items()
    }


def _evaluator(source: str, sets: Sequence[str], **options: Any) -> Any:
    import datasets  # slow to import, and rarely needed

    datasets.disable_progress_bars()
    try:
        return CrossEncoderNanoBEIREvaluator(list(sets), dataset_id=source, at_k=10, write_csv=False, **options)
    except SecondLookError:
        raise
    except Exception as error:  # datasets, pyarrow and the evaluator raise errors of their own
        log.debug("reading %s failed", source, exc_info=error)
        cause = first_line(error.__cause__) if error.__cause__ else type(error).__name__
        if Path(source).exists():
            raise CorpusError(
                f"{first_line(error)} ({cause}) A folder of NanoBEIR has the configurations corpus, queries, qrels and "
                f"bm25, each with the splits {', '.join(NANO_BEIR_SETS[name] for name in sets)}."
            ) from error
        raise HubError(
            f"{first_line(error)} ({cause}) Check the network, or download {NANO_BEIR} elsewhere and give its folder."
        ) from error


def nano_beir_table(result: NanoBeir) -> str:
    """Each set and the mean as a Markdown table, with BM25's figure before the re-ranker's."""
    lines = [f"| | {' | '.join(EVALUATOR_MEASURES.values())} |", "|---|" + "---:|" * len(EVALUATOR_MEASURES)]
    for name in (*result.sets, "mean"):
        cells = [
            f"{result.bm25[name][measure]:.4f} → {result.reranked[name][measure]:.4f}"
            for measure in EVALUATOR_MEASURES.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    positives = "positives that BM25 missed added" if result.always_rerank_positives else "as retrieved"
    return "\n".join(
        [
            *lines,
            "",
            f"{len(result.sets)} sets of {result.source}, BM25's first {result.rerank_k} re-ranked, {positives}; "
            f"{result.model}, {result.max_length} tokens, sentence-transformers {result.sentence_transformers}.",
        ]
    )


def nano_beir_json(result: NanoBeir) -> dict[str, Any]:
    """All fields as plain data."""
    return asdict(result)
