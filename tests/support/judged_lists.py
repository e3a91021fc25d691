"""Rankings and grades by passage name, to be measured by hand."""

from indexing.records import PassageId, QueryId, Ranking

ONE, TWO, THREE = QueryId("1"), QueryId("2"), QueryId("3")


def ranking(*names: str) -> Ranking:
    """Passages in this order."""
    return Ranking.sort((PassageId(name), -float(place)) for place, name in enumerate(names))


def scored(**scores: float) -> Ranking:
    """Passages by these scores."""
    return Ranking.sort((PassageId(name), score) for name, score in scores.items())


def grades(**values: int) -> dict[PassageId, int]:
    return {PassageId(name): grade for name, grade in values.items()}
