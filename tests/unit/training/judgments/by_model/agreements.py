"""A model's agreement with a rater, as if it had been measured."""

from training.judgments.by_model.chat import ModelAddress
from training.judgments.by_model.guideline import guideline_fingerprint
from training.judgments.by_model.measured import ModelAgreement

TINY = ModelAddress(url="http://127.0.0.1:1/v1", model="tiny")
AGREEMENT = ModelAgreement(
    address=TINY.url,
    model=TINY.model,
    guideline=guideline_fingerprint(),
    pairs=30,
    without_grade=0,
    same=0.9,
    quadratic=0.8,
    quadratic_interval=(0.5, 0.9),
    relevant_from=2,
    binary=0.8,
    binary_interval=(0.5, 0.9),
    table=((12, 0, 0, 3), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 15)),
    at="2026-11-30T12:00:00+00:00",
)
