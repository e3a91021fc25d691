"""A pipeline's settings, and an index's served default with what chose it, in a few words."""

from search.served import NO_RERANKER, late_bi_encoder
from search.served_settings import ServedSettings
from search.settings import FirstScore, PipelineSettings

SCORES: dict[FirstScore, str] = {"fused": "first stage", "dense": "cosine", "late": "late interaction"}


def first_stage_words(settings: PipelineSettings) -> str:
    """The first stage in words, as in `BM25 + dense (RRF, k=60)`."""
    parameters = [f"{name}={value:g}" for name, value in (("k1", settings.k1), ("b", settings.b)) if value is not None]
    bm25 = f"BM25 ({', '.join(parameters)})" if parameters else "BM25"
    if settings.fusion == "bm25":
        return bm25
    if settings.fusion == "dense":
        return "dense"
    if settings.fusion == "rrf":
        return f"{bm25} + dense (RRF, k={settings.rrf_k})"
    return f"{bm25} + dense ({settings.bm25_weight:.0%} BM25)"


def pipeline_words(settings: PipelineSettings, *, reranker: str) -> str:
    """How a query is answered, as in `re-ranker 30 %, cosine 70 %, depth 30`."""
    first = first_stage_words(settings)
    if reranker == NO_RERANKER or not settings.rerank_depth:
        return f"{first}, not re-ranked"
    reads = SCORES["late"] if late_bi_encoder(reranker) is not None else "re-ranker"
    parts = [f"{reads} alone"]
    if settings.rerank_weight < 1:
        rest = 1 - settings.rerank_weight
        parts = [f"{reads} {_percent(settings.rerank_weight)}", f"{SCORES[settings.rerank_mix]} {_percent(rest)}"]
    by = "" if settings.rerank_order == "fused" else f" by {SCORES[settings.rerank_order]}"
    of = "" if settings.fusion == "rrf" else f" of {first}"
    stop = [] if settings.rerank_stop is None else ["stopping early"]
    return ", ".join([*parts, f"depth {settings.rerank_depth:,}{of}{by}", *stop])


def default_words(served: ServedSettings | None) -> str:
    """What an index answers with by default, and what chose it; None stands for the program's own default."""
    usual = served or ServedSettings()
    words = pipeline_words(usual.settings, reranker=usual.reranker)
    if served is None:
        return f"{words}: the program's own default, which wasn't chosen on this index"
    judged, split = served.figures.get("judged"), served.figures.get("split")
    if not isinstance(judged, int):
        return f"{words}: chosen for this index"
    kind = f"{split} " if isinstance(split, str) and split else ""
    return f"{words}: chosen on {judged:,} {kind}{'query' if judged == 1 else 'queries'}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
