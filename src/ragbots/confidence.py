"""How sure the retrieval is that the rules answer the question: a small logistic model over scores.

The features are scores, never words, so that one model serves any corpus. The coefficients are
fitted by `tools/fit_confidence.py`, which prints them with what they were fitted on.
"""

from __future__ import annotations

import math
import re
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
    intercept=-49.604,
    weights={
        "cosine": 59.002,
        "lead": -48.992,
        "ahead": 21.576,
        "covered": 0.175,
        "fully": 7.606,
        "figure_missing": -1.152,
    },
    threshold=0.22,
    fitted_on="questions: statutes 171, own 254, pages 2000; 2026-11-24",
)

_NUMERAL = "[일이삼사오육칠팔구십백천만억]"
_SHARE = r"분의\s?[\d일이삼사오육칠팔구]|%|퍼센트|프로|\d\s?할"
# What a question asks for, and what an answer to it looks like.
_FIGURES = [
    (
        re.compile(r"얼마(?!나\s?(?:오래|동안|걸))|몇\s?원|금액|요금|수수료|가격"),
        re.compile(rf"\d[\d,]*\s*[십백천만억]*\s*원|{_NUMERAL}+\s?원|\d\s?배|{_SHARE}"),
    ),
    (
        re.compile(r"며칠|몇\s?(?:일|달|개월|년|시|주|살)|언제|기한|얼마\s?동안|얼마나\s?(?:오래|걸)"),
        re.compile(rf"\d\s?(?:일|개월|월|년|주|시간|분|시|세)|{_NUMERAL}(?:일|개월|년|주일|시간)"),
    ),
    (re.compile(r"퍼센트|몇\s?프로|%|비율|[율률]이"), re.compile(_SHARE)),
    (
        re.compile(r"몇\s?(?:명|인|번|회|점|등급|건|부|군데|개)"),
        re.compile(r"\d\s?(?:명|인|회|번|차례|건|점|부|등급|개)"),
    ),
]


def figure_missing(question: str, text: str) -> float:
    """1 where a figure is asked for and the text holds none that could be it, else 0."""
    asked = [answer for asks, answer in _FIGURES if asks.search(question)]
    return float(bool(asked) and not any(answer.search(text) for answer in asked))
