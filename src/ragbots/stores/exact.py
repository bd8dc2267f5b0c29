"""The exact scan: one matrix product over the version's own memory-mapped vectors. Misses nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ragbots.ports import Vectors

_UNIT = 1e-3


class ExactStore:
    """All rows compared with the question: 0.04 ms for 3,000 vectors of 384 once they are in memory."""

    id = "exact"

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def query(self, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """Up to k (row, cosine), best first; equal cosines in the order of rows."""
        cosines = self._vectors @ vector
        rows = np.arange(len(cosines)) if k >= len(cosines) else np.argpartition(-cosines, k)[:k]
        best = rows[np.lexsort((rows, -cosines[rows]))][: max(k, 0)]
        return [(int(row), float(cosines[row])) for row in best]

    def close(self) -> None:
        self._vectors = self._vectors[:0]


class ExactStoreFactory:
    """Has nothing of its own to fill, check or delete: the vectors are the store."""

    id = "exact"

    def fill(self, name: str, vectors: Vectors) -> None:  # noqa: ARG002
        return None

    def open(self, name: str, vectors: Vectors) -> ExactStore:  # noqa: ARG002
        return ExactStore(vectors)

    def check(self, name: str, vectors: Vectors) -> list[int]:  # noqa: ARG002
        """Rows that no question could find rightly, since they are not of length 1."""
        lengths = np.linalg.norm(vectors, axis=1)
        return [int(row) for row in np.flatnonzero(~(np.abs(lengths - 1.0) < _UNIT))]

    def delete(self, name: str) -> None:  # noqa: ARG002
        return None

    def collect(self, doomed: Callable[[str], bool]) -> None:  # noqa: ARG002
        return None
