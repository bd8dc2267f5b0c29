"""How sure the retrieval is that the rules answer the question: a small logistic model over scores.

The features are scores, never words, so that one model serves any corpus. The coefficients are
fitted by `tools/fit_confidence.py`, which prints them with what they were fitted on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Features:
    """Of the best hit: its cosine, the share of the question's word weight (idf) that its article
    holds, the heaviest of the question's words that it lacks (share of all weight), and how far the
    best cosine stands above the mean over the bot."""

    cosine: float
    coverage: float
    missing: float
    lead: float

    def values(self) -> tuple[float, ...]:
        return (self.cosine, self.coverage, self.missing, self.lead)


@dataclass(frozen=True, slots=True)
class ConfidenceModel:
    """`threshold` is the confidence below which a question is refused."""

    intercept: float
    weights: tuple[float, float, float, float]
    threshold: float
    fitted_on: str

    def confidence(self, features: Features) -> float:
        total = self.intercept + sum(w * v for w, v in zip(self.weights, features.values(), strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


MODEL = ConfidenceModel(
    intercept=-20.0,
    weights=(22.0, 3.0, -2.0, 6.0),
    threshold=0.3,
    fitted_on="not fitted yet",
)
