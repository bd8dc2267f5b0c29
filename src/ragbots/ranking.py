"""From many scores to one order."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def min_max(scores: Floats) -> Floats:
    """Scores brought to 0–1; all zero where none stands out."""
    low, high = (float(scores.min()), float(scores.max())) if scores.size else (0.0, 0.0)
    if high - low < 1e-9:
        return np.zeros_like(scores)
    return ((scores - low) / (high - low)).astype(np.float32)


def weighted_sum(parts: Iterable[tuple[float, Floats]]) -> Floats:
    """Sum of the parts after each was brought to 0–1."""
    total: Floats | None = None
    for weight, scores in parts:
        scaled = min_max(scores) * np.float32(weight)
        total = scaled if total is None else total + scaled
    if total is None:
        raise ValueError("nothing to sum")
    return total


def best_of_each(rows: Sequence[int], keys: Sequence[Hashable]) -> list[int]:
    """The rows in their order, only the first of each key (say: one chunk per article)."""
    seen: set[Hashable] = set()
    result = []
    for row in rows:
        if keys[row] not in seen:
            seen.add(keys[row])
            result.append(row)
    return result
