"""Measures here how long a pipeline takes for a query."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from search.pipeline import Pipeline
from search.settings import PipelineSettings
from training.choosing.sharing import ALONE, Sharing

MEASURED = 20  # queries, each once
LEAST = 5  # however long they take


class Latency(NamedTuple):
    """Milliseconds of a query, from text to final list."""

    p50: float
    p95: float
    queries: int


def measure_latency(
    pipeline: Pipeline,
    settings: PipelineSettings,
    queries: Sequence[str],
    *,
    seconds: float,
    sharing: Sharing = ALONE,
    clock: Callable[[], float] = time.perf_counter,
) -> Latency | None:
    """Answer queries one by one after one that isn't counted, for about so many seconds; None without queries.

    Waiting for a turn isn't counted.
    """
    if not queries:
        return None
    with sharing.turn():
        pipeline.search(queries[0], settings)
    times: list[float] = []
    begun = clock()
    for query in queries[:MEASURED]:
        with sharing.turn():
            start = clock()
            pipeline.search(query, settings)
            times.append(clock() - start)
        if len(times) >= LEAST and clock() - begun > seconds:
            break
    p50, p95 = np.quantile(times, [0.5, 0.95]) * 1000
    return Latency(float(p50), float(p95), len(times))
