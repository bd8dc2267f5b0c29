from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes import unit_rows

from ragbots.stores.exact import ExactStore, ExactStoreFactory


@settings(deadline=None)
@given(count=st.integers(0, 40), k=st.integers(0, 50), seed=st.integers(0, 1000))
def test_the_same_rows_as_sorting_everything(count: int, k: int, seed: int) -> None:
    vectors, question = unit_rows(count, seed=seed), unit_rows(1, seed=seed + 1)[0]
    cosines = vectors @ question
    hits = ExactStore(vectors).query(question, k)
    assert [row for row, _ in hits] == sorted(range(count), key=lambda row: (-cosines[row], row))[:k]
    assert [score for _, score in hits] == [float(cosines[row]) for row, _ in hits]


def test_equal_rows_come_in_the_order_of_the_document() -> None:
    vectors = np.repeat(unit_rows(1), 30, axis=0)
    assert [row for row, _ in ExactStore(vectors).query(vectors[0], 30)] == list(range(30))


def test_rows_that_are_not_of_length_one_are_reported() -> None:
    vectors = unit_rows(5)
    vectors[1] = 0.0
    vectors[3] = np.nan
    assert ExactStoreFactory().check("any-name", vectors) == [1, 3]
