"""How sure the retrieval is that the rules answer the question: a small logistic model over scores.

The features are scores, never words, so that one model serves any corpus. The coefficients are
fitted by `tools/fit_confidence.py`, which prints them with what they were fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Features:
    """Of the best article. `cosine`: of its best chunk. `lead` and `ahead`: how far that stands above the
    mean of the bot's articles, and above the tenth nearest. `covered`: the share of the question's words
    in the article, rare words counting more (0–1); `fully`: by how much that exceeds one half.
    `figure_missing`: 1 where the question asks for a figure of some kind and the best chunk holds none
    of that kind."""

    cosine: float
    lead: float
    ahead: float
    covered: float
    fully: float
    figure_missing: float


@dataclass(frozen=True, slots=True)
class ConfidenceModel:
    """`weights` has one entry for every feature; `threshold` is the confidence below which a question is
    refused."""

    intercept: float
    weights: Mapping[str, float]
    threshold: float
    fitted_on: str

    def confidence(self, features: Features) -> float:
        total = self.intercept + sum(self.weights[name] * value for name, value in asdict(features).items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


MODEL = ConfidenceModel(
    intercept=-47.720,
    weights={
        "cosine": 56.095,
        "lead": -53.379,
        "ahead": 31.547,
        "covered": 1.300,
        "fully": 5.980,
        "figure_missing": -1.373,
    },
    threshold=0.22,
    fitted_on="questions: statutes 171, own 285, pages 2000; 2026-11-24",
)
