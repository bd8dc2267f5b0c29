from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.ranking import article_spans, largest_in, mean_vectors, min_max, weighted_mean
from ragbots.types import Address, Chunk, Level, Step

ARTICLE_1 = Address((Step(Level.ARTICLE, 1),))
ARTICLE_1_2 = Address((Step(Level.ARTICLE, 1, 2),))
ADDENDUM_1 = Address((Step(Level.ADDENDUM), Step(Level.ARTICLE, 1)))


def chunk(address: Address, *breadcrumb: str, document: str = "d") -> Chunk:
    return Chunk("id", document, address, breadcrumb, "", "", (0, 1))


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_spans_hold_the_chunks_of_one_article_in_one_document() -> None:
    chunks = [
        chunk(ARTICLE_1, "규정", "제1장"),
        chunk(ARTICLE_1.child(Step(Level.PARAGRAPH, 2)), "규정"),
        chunk(ARTICLE_1_2, "규정"),  # 제1조의2 is another article than 제1조
        chunk(ADDENDUM_1, "규정"),  # and so is 부칙 제1조
        chunk(ARTICLE_1, "다른 규정", document="e"),
        chunk(ARTICLE_1, "셋째", document="f"),
    ]
    assert article_spans(chunks) == [(0, 2), (2, 3), (3, 4), (4, 5), (5, 6)]


def test_spans_of_plain_pages_are_their_headings() -> None:
    chunks = [chunk(Address(), "쪽", "하나"), chunk(Address(), "쪽", "하나"), chunk(Address(), "쪽", "둘")]
    assert article_spans(chunks) == [(0, 2), (2, 3)]
    assert article_spans([]) == []


def test_largest_in_each_span() -> None:
    assert largest_in(floats(1, 5, 3, -2, -1), [(0, 2), (2, 3), (3, 5)]).tolist() == [5, 3, -1]


def test_mean_vectors_have_length_one_and_the_direction_of_the_sum() -> None:
    vectors = np.array([[1, 0], [0, 1], [0, -1]], dtype=np.float32)
    mean = mean_vectors(vectors, [(0, 2), (2, 3)])
    assert mean == pytest.approx(np.array([[2**-0.5, 2**-0.5], [0, -1]]), abs=1e-6)


def test_min_max() -> None:
    assert min_max(floats(2, 4, 3)).tolist() == [0, 1, 0.5]
    assert min_max(floats(7, 7)).tolist() == [0, 0]  # nothing stands out
    assert min_max(floats()).size == 0


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30))
def test_min_max_stays_between_zero_and_one_and_keeps_the_order(values: list[float]) -> None:
    scaled = min_max(floats(*values))
    assert ((scaled >= 0) & (scaled <= 1)).all()
    assert (np.diff(scaled[np.argsort(values, kind="stable")]) >= 0).all()


def test_weighted_mean_scales_each_part_first() -> None:
    got = weighted_mean([(3.0, floats(0, 10, 5)), (1.0, floats(200, 100, 100))])
    assert got == pytest.approx(np.array([0.25, 0.75, 0.375]))
