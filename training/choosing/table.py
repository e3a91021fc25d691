"""A decision in words: the table of pipelines, the verdict, and the queries to label."""

from collections.abc import Iterator

from search.rerank.stopping import TOP
from search.served import NO_RERANKER
from search.served_words import first_stage_words
from training.choosing.contenders import Contender
from training.choosing.decide import Decision
from training.choosing.latency import Latency
from training.choosing.stopping import EARLY, RISK
from training.choosing.verdict import Row
from training.evaluation.settings import MAIN_MEASURE

LONGEST = 80  # characters of a query


def decision_text(decision: Decision) -> str:
    """Markdown: the table, then the verdict, then what to label first."""
    parts = [_table(decision) if decision.rows else _timed_table(decision), decision.verdict.sentence]
    if decision.to_label:
        parts.append("\n".join(_to_label(decision)))
    return "\n\n".join(parts)


def _table(decision: Decision) -> str:
    baseline = decision.baseline.name if decision.baseline is not None else ""
    lines = [
        f"| on {decision.comparing} of {decision.judged} judged queries | how | {MAIN_MEASURE} | 95 % "
        f"| against {baseline} | p (Holm) | ms p50 | ms p95 | pairs | first {TOP} changed | {MAIN_MEASURE} lost |",
        "|---|---|" + "---:|" * 9,
    ]
    return "\n".join(lines + [_line(row) for row in decision.rows])


def _line(row: Row) -> str:
    against, p = "", ""
    if row.compared is not None:
        low, high = row.compared.paired.interval
        against = f"{row.compared.paired.difference:+.4f} [{low:+.3f}, {high:+.3f}]"
        p = f"{row.compared.holm:.4f}"
    cells = [
        row.name,
        how(row.contender),
        f"{row.mean:.4f}",
        f"{row.interval.low:.3f} to {row.interval.high:.3f}",
        against,
        p,
        *_milliseconds(row.latency),
        *stopping_cells(row),
    ]
    return f"| {' | '.join(cells)} |"


def stopping_cells(row: Row) -> tuple[str, str, str]:
    """Pairs that are read for a query and, where it stops early, the risk that was taken and what it cost."""
    stopping = row.stopping
    if stopping is None:
        return (f"{row.contender.pairs:,}" if row.contender.reranks else ""), "", ""
    share = stopping.changed / stopping.queries
    return (
        f"{stopping.pairs:.1f} (-{stopping.saved:.0%})",
        f"{share:.1%} (risk {RISK:.0%})",
        f"{stopping.lost:.4f}",
    )


def how(contender: Contender) -> str:
    """How a pipeline answers, as a table's cell."""
    settings = contender.settings
    source = contender.run or first_stage_words(settings)
    if not contender.reranks:
        return source
    parts = [source, f"best {settings.rerank_depth} by {settings.rerank_order}", contender.reranker]
    if settings.rerank_weight < 1:
        parts.append(f"{settings.rerank_weight:.0%} of the score, the rest {settings.rerank_mix}")
    if settings.rerank_stop is not None:
        parts.append(f"{EARLY} at a lead of {settings.rerank_stop:.2f}")
    return ", ".join(parts)


def _milliseconds(latency: Latency | None) -> tuple[str, str]:
    return ("", "") if latency is None else (f"{latency.p50:.0f}", f"{latency.p95:.0f}")


def _timed_table(decision: Decision) -> str:
    lines = ["| nothing is judged | re-ranker | overlap with the first stage (RBO) | ms p50 | ms p95 |"]
    lines.append("|---|---|" + "---:|" * 3)
    for timed in decision.timed:
        overlap = "" if timed.overlap is None else f"{timed.overlap:.3f}"
        reranker = "" if timed.contender.reranker == NO_RERANKER else timed.contender.reranker
        lines.append(f"| {timed.name} | {reranker} | {overlap} | {' | '.join(_milliseconds(timed.latency))} |")
    return "\n".join(lines)


def _to_label(decision: Decision) -> Iterator[str]:
    yield "Label these first; the lists disagree most (overlap of the first ten, passages of them that nobody judged):"
    for one in decision.to_label:
        yield f"  {one.query.id}  {one.overlap:.2f}  {one.unjudged}  {one.query.text[:LONGEST]}"
