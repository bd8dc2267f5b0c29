from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.ranking import RankingModel, article_spans, largest_in, late_interaction, min_max
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


def test_min_max() -> None:
    assert min_max(floats(2, 4, 3)).tolist() == [0, 1, 0.5]
    assert min_max(floats(7, 7)).tolist() == [0, 0]  # nothing stands out
    assert min_max(floats()).size == 0


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30))
def test_min_max_stays_between_zero_and_one_and_keeps_the_order(values: list[float]) -> None:
    scaled = min_max(floats(*values))
    assert ((scaled >= 0) & (scaled <= 1)).all()
    assert (np.diff(scaled[np.argsort(values, kind="stable")]) >= 0).all()


def tokens(*rows: tuple[int, int]) -> np.ndarray:
    return np.array(rows, dtype=np.int8)


def test_each_token_of_a_question_counts_by_its_best_match_in_a_passage() -> None:
    question = tokens((1, 0), (0, 1))
    passages = tokens((9, 0), (0, 3), (5, 5), (0, -7))  # what counts is the direction
    both, slanted, opposite = late_interaction(question, passages, np.array([0, 2, 3, 4])).scores
    assert both == pytest.approx(1.0)
    assert slanted == pytest.approx(2**-0.5)
    assert opposite < 0


def test_a_token_that_every_passage_answers_to_tells_nothing() -> None:
    question = tokens((1, 0), (0, 1))
    passages = tokens((1, 0), (0, 1), (1, 0), (1, 1))  # all have the first token, the second to different degrees
    first, second = late_interaction(question, passages, np.array([0, 2, 4])).scores
    assert (first, second) == (pytest.approx(1.0), pytest.approx(2**-0.5))
    assert late_interaction(tokens((1, 0)), passages, np.array([0, 2, 4])).scores == pytest.approx(np.array([1.0, 1.0]))


def test_a_score_is_the_weighted_sum_of_its_signals() -> None:
    model = RankingModel({"words": 3.0, "tokens": 1.0, "length": -2.0}, "by hand")
    whole = model.total({"words": floats(1, 0), "tokens": floats(0, 1), "length": floats(0.5, 0)})
    assert whole == pytest.approx(np.array([(3 - 1) / 4, 1 / 4]))
    parts = model.total({"words": floats(1, 0)}) + model.total({"tokens": floats(0, 1), "length": floats(0.5, 0)})
    assert parts == pytest.approx(whole)  # so that signals may be looked at one after another
