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
    `plain`: 1 where it is no article but a part of a plain page. How the tokens of the best chunk
    answer to the question's: `tokens_low` what a quarter of them stays below, `tokens_short` how far they stay behind
    the best that any chunk has for each. `read`: how well the first articles answer, as `reading` reads them."""

    cosine: float
    lead: float
    ahead: float
    covered: float
    fully: float
    plain: float
    tokens_low: float
    tokens_short: float
    read: float


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

    def threshold_of(self, own: float | None) -> float:
        """The threshold that holds for a bot, which may name its own."""
        return self.threshold if own is None else own


# Of the questions in scope that the model is fitted on, at the mean: says nothing, where a model gives no tokens.
USUAL_TOKENS = {"tokens_low": 0.601, "tokens_short": 0.047, "read": 1.0}

MODEL = ConfidenceModel(
    intercept=-2.003,
    weights={
        "cosine": 8.302,
        "lead": -10.616,
        "ahead": 5.620,
        "covered": 0.936,
        "fully": 6.879,
        "plain": -1.741,
        "tokens_low": -2.241,
        "tokens_short": -4.492,
        "read": 0.564,
    },
    threshold=0.25,
    fitted_on="questions: statutes 518, own 632, pages 600; 2026-11-28",
)
