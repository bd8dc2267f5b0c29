"""From many scores to one order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

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


def mean_vectors(vectors: Floats, spans: Sequence[Span]) -> Floats:
    """The direction of the sum of each span's vectors, length 1; shape (len(spans), dimension)."""
    starts = np.fromiter((start for start, _ in spans), dtype=np.int64, count=len(spans))
    sums = np.add.reduceat(vectors, starts, axis=0)
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def min_max(scores: Floats) -> Floats:
    """Scores brought to 0–1; all zero where none stands out."""
    low, high = (float(scores.min()), float(scores.max())) if scores.size else (0.0, 0.0)
    if high - low < 1e-9:
        return np.zeros_like(scores)
    return ((scores - low) / (high - low)).astype(np.float32)


def weighted_mean(parts: Iterable[tuple[float, Floats]]) -> Floats:
    """Mean of the parts by weight, each brought to 0–1 before."""
    scaled = [(weight, min_max(scores)) for weight, scores in parts]
    weights = np.array([weight for weight, _ in scaled], dtype=np.float32)
    return np.asarray(np.average([scores for _, scores in scaled], axis=0, weights=weights), dtype=np.float32)


def share_of_words(weights: Mapping[str, float], text: str) -> float:
    """The weight of the question's words that stand in the text, of all their weight (0–1)."""
    total = sum(weights.values())
    plain = text.lower().replace(",", "")
    return sum(weight for term, weight in weights.items() if term in plain) / total if total else 0.0
