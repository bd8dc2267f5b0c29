"""From many scores to one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ragbots.ports import TokenVectors
from ragbots.types import Chunk

Floats = NDArray[np.float32]
Span = tuple[int, int]


def article_spans(chunks: Sequence[Chunk]) -> list[Span]:
    """The half-open ranges of chunks that belong to one article, annex, or heading of a plain page."""
    spans = []
    start = 0
    for _, group in groupby(chunks, key=_unit):
        end = start + sum(1 for _ in group)
        spans.append((start, end))
        start = end
    return spans


def _unit(chunk: Chunk) -> tuple[str, str, tuple[str, ...]]:
    article = chunk.address.article
    return (chunk.document_id, article or "", () if article else chunk.breadcrumb)


def largest_in(scores: Floats, spans: Sequence[Span]) -> Floats:
    """The largest score within each span; the spans cover `scores` without a gap."""
    starts = np.fromiter((start for start, _ in spans), dtype=np.int64, count=len(spans))
    return np.maximum.reduceat(scores, starts).astype(np.float32)


def min_max(scores: Floats) -> Floats:
    """Scores brought to 0–1; all zero where none stands out."""
    low, high = (float(scores.min()), float(scores.max())) if scores.size else (0.0, 0.0)
    if high - low < 1e-9:
        return np.zeros_like(scores)
    return ((scores - low) / (high - low)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Matches:
    """How well passages answer to a question's tokens: the `best` match of each token in each passage, shape
    (passages, tokens), and how much each token counts, shape (tokens,), in all 1."""

    best: Floats
    weights: Floats

    @property
    def scores(self) -> Floats:
        """Of each passage, shape (passages,)."""
        return np.asarray(self.best @ self.weights, dtype=np.float32)

    def shortfall(self, passage: int) -> float:
        """By how much a passage stays behind the best match that any of them has, token by token."""
        return float((self.best.max(axis=0) - self.best[passage]) @ self.weights)


def late_interaction(question: TokenVectors, passages: TokenVectors, starts: NDArray[np.int64]) -> Matches:
    """How well each passage answers to the question's tokens, taken one by one.

    Passage i's tokens are the rows `starts[i]:starts[i + 1]`, none of them empty. Each token of the question counts
    by its best match in a passage, and the more the more its best matches differ from passage to passage: those that
    every passage answers to tell nothing.
    """
    matches = directions(passages) @ directions(question).T
    best = np.maximum.reduceat(matches, starts[:-1], axis=0)
    weights = best.std(axis=0)
    total = float(weights.sum())
    weights = np.full_like(weights, 1 / max(1, weights.size)) if total < 1e-9 else weights / total
    return Matches(np.asarray(best, dtype=np.float32), np.asarray(weights, dtype=np.float32))


def directions(tokens: TokenVectors) -> Floats:
    """Vectors of tokens brought to length 1, shape as theirs: their length says nothing."""
    rows = tokens.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-9))
    return rows


@dataclass(frozen=True, slots=True)
class RankingModel:
    """An article's score: the weighted sum of its signals, each brought to 0–1 over the articles compared, divided by
    the sum of the weights that add. `fitted_on` says what `tools/fit_ranking.py` fitted them on."""

    weights: Mapping[str, float]
    fitted_on: str

    def total(self, signals: Mapping[str, Floats]) -> Floats:
        """The score as far as these signals go; shape as theirs."""
        whole = sum(weight for weight in self.weights.values() if weight > 0)
        parts = [np.float32(self.weights[name] / whole) * values for name, values in signals.items()]
        return np.asarray(np.sum(parts, axis=0), dtype=np.float32)


def share_of_words(weights: Mapping[str, float], text: str) -> float:
    """The weight of the question's words that stand in the text, of all their weight (0–1)."""
    total = sum(weights.values())
    plain = text.lower().replace(",", "")
    return sum(weight for term, weight in weights.items() if term in plain) / total if total else 0.0
