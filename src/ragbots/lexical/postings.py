"""BM25F as arrays: for each term the chunks that hold it, with all but the idf multiplied out.

The idf is left to the moment of the question, so that one bot can be searched by its own word
statistics and all bots together by pooled ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class FieldWeight:
    """How much a term in this field counts, and how strongly long fields are discounted (0–1)."""

    weight: float
    b: float


SATURATION = 1.2  # BM25's k1


@dataclass(frozen=True, slots=True)
class Postings:
    """`rows[starts[i]:starts[i+1]]` are the chunks with term i, `values` their saturated weights."""

    vocabulary: Mapping[str, int]
    starts: Ints
    rows: Ints
    values: Floats
    size: int

    def frequency(self, term: str) -> int:
        """In how many chunks the term stands."""
        number = self.vocabulary.get(term)
        return 0 if number is None else int(self.starts[number + 1] - self.starts[number])

    def stands_in(self, term: str, span: tuple[int, int]) -> bool:
        """Whether the term stands in any of a half-open range of chunks."""
        number = self.vocabulary.get(term)
        if number is None:
            return False
        rows = self.rows[self.starts[number] : self.starts[number + 1]]  # ascending
        return bool(np.searchsorted(rows, span[0]) < np.searchsorted(rows, span[1]))

    def idf(self, terms: Sequence[str]) -> dict[str, float]:
        return pooled_idf([self], terms)

    def only(self, kept: NDArray[np.bool_]) -> Postings:
        """Those of a part of the chunks, numbered anew; a term that stands in none of them has no rows."""
        held = kept[self.rows]
        before = np.concatenate([[0], np.cumsum(held)])
        numbers = np.cumsum(kept) - 1
        return replace(
            self,
            starts=before[self.starts].astype(np.int32),
            rows=numbers[self.rows[held]].astype(np.int32),
            values=self.values[held],
            size=int(kept.sum()),
        )

    def scores(self, terms: Mapping[str, float], idf: Mapping[str, float]) -> Floats:
        """BM25F of every chunk for weighted question terms; shape (size,)."""
        result = np.zeros(self.size, dtype=np.float32)
        for term, weight in terms.items():
            number = self.vocabulary.get(term)
            if number is None:
                continue
            span = slice(self.starts[number], self.starts[number + 1])
            result[self.rows[span]] += self.values[span] * (weight * idf[term])
        return result


def pooled_idf(indexes: Sequence[Postings], terms: Sequence[str]) -> dict[str, float]:
    """The idf of each term over all chunks of several indexes (BM25's, never negative)."""
    total = sum(index.size for index in indexes)
    result = {}
    for term in terms:
        frequency = sum(index.frequency(term) for index in indexes)
        result[term] = float(np.log1p((total - frequency + 0.5) / (frequency + 0.5)))
    return result


def build_postings(chunks: Sequence[Mapping[str, Sequence[str]]], fields: Mapping[str, FieldWeight]) -> Postings:
    """Postings of chunks given as field → terms. Every field of a chunk must be in `fields`."""
    averages = {
        name: max(1.0, float(np.mean([len(chunk.get(name, ())) for chunk in chunks]))) if chunks else 1.0
        for name in fields
    }
    by_term: dict[str, list[tuple[int, float]]] = {}
    for row, chunk in enumerate(chunks):
        for term, weight in _weighted_counts(chunk, fields, averages).items():
            by_term.setdefault(term, []).append((row, weight * (SATURATION + 1) / (weight + SATURATION)))
    terms = sorted(by_term)
    lengths = [len(by_term[term]) for term in terms]
    return Postings(
        vocabulary={term: number for number, term in enumerate(terms)},
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        rows=np.array([row for term in terms for row, _ in by_term[term]], dtype=np.int32),
        values=np.array([value for term in terms for _, value in by_term[term]], dtype=np.float32),
        size=len(chunks),
    )


def _weighted_counts(
    chunk: Mapping[str, Sequence[str]], fields: Mapping[str, FieldWeight], averages: Mapping[str, float]
) -> dict[str, float]:
    result: dict[str, float] = {}
    for name, terms in chunk.items():
        field = fields[name]
        discount = 1 - field.b + field.b * len(terms) / averages[name]
        for term, count in Counter(terms).items():
            result[term] = result.get(term, 0.0) + field.weight * count / discount
    return result
