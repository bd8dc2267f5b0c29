"""How sure the retrieval is that the rules answer the question: a small logistic model over scores.

The features are scores, never words, so that one model serves any corpus. The coefficients are
fitted by `tools/fit_confidence.py`, which prints them with what they were fitted on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Features:
    """Of the best article: the cosine of its best chunk and of the article as a whole, how far the
    chunk's stands above the bot's mean, and how many of the question's words the bot's documents
    know (of ten; more count as ten)."""

    cosine: float
    article: float
    lead: float
    known: float

    def values(self) -> tuple[float, ...]:
        return (self.cosine, self.article, self.lead, self.known)


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
    intercept=-37.520,
    weights=(66.546, -23.802, -10.506, 2.42),
    threshold=0.2,
    fitted_on="442 questions: the project's own and those on 28 public statutes, out-of-scope ones included",
)
