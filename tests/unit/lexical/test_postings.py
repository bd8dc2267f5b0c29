"""BM25F against figures worked out by hand on three chunks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.lexical import Postings, build_postings, pooled_idf
from ragbots.lexical.postings import FieldWeight

BODY = {"body": FieldWeight(weight=1.0, b=0.5)}
CHUNKS = [{"body": ["휴가", "휴가", "신청"]}, {"body": ["휴가"]}, {"body": ["여비", "정산"]}]  # lengths 3, 1, 2: mean 2


@pytest.fixture(scope="module")
def postings() -> Postings:
    return build_postings(CHUNKS, BODY)


def test_in_how_many_chunks_a_term_stands(postings: Postings) -> None:
    assert [postings.frequency(term) for term in ("휴가", "신청", "여비", "없음")] == [2, 1, 1, 0]


def test_idf(postings: Postings) -> None:
    idf = postings.idf(["휴가", "여비", "없음"])
    assert idf["휴가"] == pytest.approx(math.log(1 + (3 - 2 + 0.5) / (2 + 0.5)))  # ln 1.6
    assert idf["여비"] == pytest.approx(math.log(1 + (3 - 1 + 0.5) / (1 + 0.5)))  # ln 2.667
    assert idf["없음"] == pytest.approx(math.log(1 + (3 + 0.5) / 0.5))  # ln 8
    assert idf["휴가"] < idf["여비"] < idf["없음"]


def test_scores(postings: Postings) -> None:
    # Chunk 0: twice in 3 words: 2 / (0.5 + 0.5 · 3/2) = 1.6, saturated 1.6 · 2.2 / (1.6 + 1.2) = 1.2571
    # Chunk 1: once in 1 word:   1 / (0.5 + 0.5 · 1/2) = 1.3333, saturated 1.3333 · 2.2 / 2.5333 = 1.1579
    scores = postings.scores({"휴가": 1.0}, {"휴가": 2.0})
    assert scores == pytest.approx(np.array([2 * 1.257143, 2 * 1.157895, 0.0]), rel=1e-5)


def test_scores_add_up_over_terms_by_their_weights(postings: Postings) -> None:
    idf = postings.idf(["휴가", "신청", "없음"])
    whole = postings.scores({"휴가": 1.0, "신청": 0.5, "없음": 1.0}, idf)
    parts = postings.scores({"휴가": 1.0}, idf) + 0.5 * postings.scores({"신청": 1.0}, idf)
    assert whole == pytest.approx(parts, rel=1e-5)
    assert whole[2] == 0


def test_fields_count_by_their_weights_and_saturate_together() -> None:
    fields = {"heading": FieldWeight(weight=2.0, b=0.0), "body": FieldWeight(weight=1.0, b=0.0)}
    chunks = [
        {"heading": ["휴가"], "body": []},
        {"heading": [], "body": ["휴가"]},
        {"heading": ["휴가"], "body": ["휴가"]},
    ]
    scores = build_postings(chunks, fields).scores({"휴가": 1.0}, {"휴가": 1.0})
    # weights 2, 1 and 2 + 1, each w · 2.2 / (w + 1.2)
    assert scores == pytest.approx(np.array([4.4 / 3.2, 1.0, 6.6 / 4.2]), rel=1e-5)


def test_pooled_idf_is_that_of_all_chunks_together(postings: Postings) -> None:
    other = build_postings([{"body": ["휴가"]}, {"body": ["보수"]}], BODY)
    together = build_postings([*CHUNKS, {"body": ["휴가"]}, {"body": ["보수"]}], BODY)
    terms = ["휴가", "보수", "여비", "없음"]
    assert pooled_idf([postings, other], terms) == pytest.approx(together.idf(terms))


def test_no_chunks() -> None:
    empty = build_postings([], BODY)
    assert empty.scores({"휴가": 1.0}, {"휴가": 1.0}).shape == (0,)
    assert empty.frequency("휴가") == 0


WORDS = st.sampled_from(["가", "나", "다", "라", "마"])


@given(st.lists(st.lists(WORDS, max_size=8), min_size=1, max_size=12))
def test_a_chunk_scores_for_a_term_if_and_only_if_it_holds_it(bodies: list[list[str]]) -> None:
    postings = build_postings([{"body": body} for body in bodies], BODY)
    for term in "가나다라마":
        scores = postings.scores({term: 1.0}, {term: 1.0})
        assert (scores > 0).tolist() == [term in body for body in bodies]
        assert postings.frequency(term) == sum(term in body for body in bodies)


def test_a_part_of_the_chunks_is_as_if_built_of_them_but_for_the_average_lengths() -> None:
    fields = {"body": FieldWeight(1.0, 0.0)}  # b = 0: lengths do not count
    chunks = [{"body": words.split()} for words in ("연차 휴가", "감사 휴가", "감사", "여비 연차 연차")]
    kept = np.array([True, False, False, True])
    part = build_postings(chunks, fields).only(kept)
    alone = build_postings([chunks[0], chunks[3]], fields)
    terms = {"연차": 1.0, "휴가": 0.5, "감사": 1.0, "여비": 2.0, "없음": 1.0}
    assert part.idf(list(terms)) == alone.idf(list(terms))
    assert part.frequency("감사") == 0
    assert not part.stands_in("감사", (0, 2))
    np.testing.assert_array_equal(
        part.scores(terms, part.idf(list(terms))), alone.scores(terms, alone.idf(list(terms)))
    )
    nothing = build_postings(chunks, fields).only(np.zeros(4, dtype=np.bool_))
    assert (nothing.size, nothing.frequency("연차")) == (0, 0)
